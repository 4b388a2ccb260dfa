"""The pane of expert information."""
