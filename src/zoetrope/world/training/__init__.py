"""The recipes that train the toy world's models from a seed. Torch loads only when a recipe runs."""
