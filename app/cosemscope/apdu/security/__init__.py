"""Security: keys, suites, opening of protected APDUs, signatures, HLS, and verdicts."""
