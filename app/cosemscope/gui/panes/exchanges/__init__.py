"""The pane of exchanges."""
