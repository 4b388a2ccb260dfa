"""The pane of objects: what a capture tells of meters, as a tree, with histories, curves and tables."""
