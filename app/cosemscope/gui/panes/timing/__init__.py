"""The timing graph."""
