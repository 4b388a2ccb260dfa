"""Rows in groups: how many have the same values of some fields, and what their numbers come to."""
