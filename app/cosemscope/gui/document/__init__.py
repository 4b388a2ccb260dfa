"""What is open: the capture, the thread that reads it, a row decoded, the history."""
