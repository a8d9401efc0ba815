"""What a model learns from: labels of windows as rows of a snapshot."""
