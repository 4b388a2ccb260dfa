"""Procedures: what several exchanges do together, such as reading a profile or sending an image, as rows."""
