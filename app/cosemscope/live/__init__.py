"""Sockets under the transport core: test links, listener, transport check. Knows no Qt."""
