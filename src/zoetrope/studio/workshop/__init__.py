"""The wheel in the browser: a persona's sources, captions and decisions. Its files are the truth; nothing is kept here."""
