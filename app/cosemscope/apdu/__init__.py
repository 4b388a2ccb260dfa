"""APDUs of ACSE and xDLMS as trees of fields with octet spans; security; HDLC: all that a WPDU carries."""
