"""Clip lists as files that other programs open: values in, bytes out."""
