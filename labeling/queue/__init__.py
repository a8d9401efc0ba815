"""Who is asked what, and why: questions drawn by a strategy, given out by leases that expire."""
