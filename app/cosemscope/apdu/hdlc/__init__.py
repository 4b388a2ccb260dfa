"""HDLC frames (IEC 62056-46) as events, as joined APDUs and as trees of fields."""
