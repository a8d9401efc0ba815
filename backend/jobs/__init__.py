"""Durable work: jobs, who does them, and how far they are."""
