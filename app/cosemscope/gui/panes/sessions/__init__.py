"""The session tree."""
