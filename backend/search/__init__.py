"""Vectors and search: what looks alike, what is said, what is shown."""
