"""The overview of a capture."""
