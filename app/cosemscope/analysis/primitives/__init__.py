"""Service primitives of captured traffic: each connection replayed through the transport layer's own core."""
