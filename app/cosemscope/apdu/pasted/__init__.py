"""Octets as people paste them: hex in any dress, dumps, lists of numbers, literals, base64."""
