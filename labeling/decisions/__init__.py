"""What curators answered: append-only rows, and what they add up to."""
