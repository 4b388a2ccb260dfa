"""Exchanges: which answer belongs to which request, how it ended and how long it took, in columns."""
