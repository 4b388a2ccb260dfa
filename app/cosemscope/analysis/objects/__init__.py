"""The object view: every object and attribute that a capture tells of, by meter, with all their values."""
