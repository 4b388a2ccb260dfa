"""What of a capture goes out of the program: files and copies of rows, in the formats that others read."""
