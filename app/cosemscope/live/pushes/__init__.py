"""A listener for pushes: what meters tell unasked, understood, and kept by meter."""
