"""Campaigns: from a brief over ideas to posts, which wait for the pictures that win."""
