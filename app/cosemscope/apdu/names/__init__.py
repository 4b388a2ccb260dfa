"""Words for numbers: tags, codes of the standards, classes, attributes and OBIS codes."""
