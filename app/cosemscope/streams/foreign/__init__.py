"""Framings of others, which go on the same ports: named for what they are, and no alarm about them."""
