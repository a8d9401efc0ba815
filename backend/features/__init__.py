"""Vectors per shot. The only package that loads pretrained models."""
