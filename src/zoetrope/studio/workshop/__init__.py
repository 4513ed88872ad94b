"""The wheel in the browser: sources, captions, decisions. The workspace is the truth; nothing is kept here."""
