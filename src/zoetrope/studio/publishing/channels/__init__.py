"""Ways out for posts. Each speaks for itself; what is done when, and never twice, is `posting`'s alone."""
