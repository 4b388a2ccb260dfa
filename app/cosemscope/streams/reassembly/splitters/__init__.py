"""Splitters: from the octets of one direction to the units of its framing."""
