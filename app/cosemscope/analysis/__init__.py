"""From packets to sessions: streams, WPDUs, recognition, sessions. Knows no Qt."""
