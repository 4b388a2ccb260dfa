"""Associations: their state row by row, keys and blocks, and what meters told of themselves."""
