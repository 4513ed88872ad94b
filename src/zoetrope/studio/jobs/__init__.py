"""Work that survives crashes: rows a person can read, carried out by workers. The way in is `seam.py`."""
