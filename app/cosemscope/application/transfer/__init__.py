"""General block transfer for both ends: APDUs in blocks, windows, acknowledgements (IEC 62056-5-3)."""
