"""What came of posts: numbers by age, what they teach, and what the next turn should learn from."""
