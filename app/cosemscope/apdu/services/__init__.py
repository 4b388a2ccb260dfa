"""The services of APDUs: ACSE, xDLMS with logical and short names, ciphering around them."""
