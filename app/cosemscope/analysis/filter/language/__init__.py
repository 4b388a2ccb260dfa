"""The language of the display filter: its grammar, its names, its literals, and its errors."""
