"""Octets that nobody thought of: all that reads what others made, guided by the code that they reach."""
