"""A relay between clients and their meters: whoever may not capture connects through it."""
