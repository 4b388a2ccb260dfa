"""What is done to meters step by step: changes, sequences out of files, images."""
