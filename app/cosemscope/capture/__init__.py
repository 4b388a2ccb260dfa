"""Capture: records and packets of files and interfaces, in columns; never WPDUs."""
