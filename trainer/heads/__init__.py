"""Metric heads: learnt from corrections of places and people, judged and kept like models."""
