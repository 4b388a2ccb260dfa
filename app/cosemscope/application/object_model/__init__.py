"""What the values of COSEM objects mean to a client: lists, profiles, units (IEC 62056-6-2), as values."""
