"""Octets that come without a capture: cut into messages, and made a capture of their own."""
