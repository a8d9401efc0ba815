"""What is said of a model: figures with intervals, curves, and its card."""
