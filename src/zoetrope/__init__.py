"""Zoetrope: a local-first studio for consistent characters."""

__version__ = "0.1.0"
