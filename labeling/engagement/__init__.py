"""What became of published clips: views, likes, shares, completion. Kept apart from the curators' taste."""
