"""Asking: the display filter above the table, what other panes offer for it, and finding."""
