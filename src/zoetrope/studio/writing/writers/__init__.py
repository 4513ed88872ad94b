"""Who can write: the template writer that is always there, and models on servers."""
