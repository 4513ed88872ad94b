"""What to post next: pillars, clusters, gaps, ideas, strategies, and why."""
