"""From one prompt to many pictures and back to the best: pipelines, their runs, candidates in a tree, gates."""
