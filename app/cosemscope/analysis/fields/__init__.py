"""The registry of fields: each quantity of a WPDU declared once, with its name, type, meaning and values."""
