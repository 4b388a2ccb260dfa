"""Counting: WPDUs by any fields, as a table."""
