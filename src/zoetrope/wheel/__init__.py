"""The wheel: a persona's workspace and its turns, all in plain files."""
