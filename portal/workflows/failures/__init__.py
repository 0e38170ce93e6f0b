"""Runs that failed for good: the list of them, and what may be taken up again, many at once."""
