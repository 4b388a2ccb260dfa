"""IEC 62056-4-7, sans I/O: wPorts, WPDU codec, service primitives, the UDP- and TCP-based transport layer."""
