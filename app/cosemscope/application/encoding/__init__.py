"""APDUs and Data as immutable values: `apdus.encode` makes octets of them, `apdus.parse` values of octets."""
