"""Response times of a capture."""
