"""Streams that were not recognised at first: late evidence, and what had gone by until it came."""
