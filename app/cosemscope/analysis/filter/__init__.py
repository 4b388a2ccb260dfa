"""The display filter: a typed language over the registry of fields, compiled to masks over columns."""
