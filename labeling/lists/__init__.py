"""Clip lists: what people put together out of approved clips, and what leaves the house."""
