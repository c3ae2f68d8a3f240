"""Part 2 of the book, Python for machine learning: what its chapters build from scratch."""
