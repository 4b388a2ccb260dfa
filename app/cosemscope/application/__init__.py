"""The application layer, sans I/O (IEC 62056-5-3, 6-2): APDUs as values, protection, associations."""
