"""The report on a capture as one HTML page, and the pictures in it."""
