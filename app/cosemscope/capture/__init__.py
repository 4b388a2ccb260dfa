"""Capture files, link layers and packets in columns; the spool and the capture process."""
