"""The table of WPDUs."""
