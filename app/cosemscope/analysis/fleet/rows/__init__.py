"""The rows of a fleet's tables: which columns each table has, and how a capture fills them."""
