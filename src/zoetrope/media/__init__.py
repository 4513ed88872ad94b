"""A picture or clip on disk: hashing, safe decoding, thumbnails, metadata, recipes."""
