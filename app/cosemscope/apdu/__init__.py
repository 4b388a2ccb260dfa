"""What a WPDU carries: ACSE and xDLMS APDUs as trees of fields with octet spans; security; HDLC."""
