"""Keys that open ciphered APDUs: the table of them, its file, and the system's key store."""
