"""Versions of trained models, as the API shows and changes them."""
