"""What a filter is compiled to: tests of values, operands that give values, and masks over rows."""
