"""What is worth keeping: winners, found again by words, each with the chain of what made it."""
