"""Sealing and opening APDUs, and the answers of HLS: keys and counters go in as values (IEC 62056-5-3)."""
