"""The look of things: colours, icons, cells, and the writing of times, amounts and octets."""
