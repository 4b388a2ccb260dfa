"""Panes: one folder each."""
