"""Packets that come again: copies that the capture made, and which of two that differ is right."""
