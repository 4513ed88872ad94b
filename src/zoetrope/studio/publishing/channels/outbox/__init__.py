"""Folders that are ready to post by hand, for people whose account has no API."""
