"""Data: the values that services carry, each with its type (IEC 62056-5-3)."""
