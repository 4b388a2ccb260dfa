"""The pane of procedures."""
