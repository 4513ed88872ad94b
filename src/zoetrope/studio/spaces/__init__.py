"""People, roles and spaces: whoever belongs to a space sees what is in it, and nobody else does."""
