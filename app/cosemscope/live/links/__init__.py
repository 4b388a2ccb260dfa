"""Links: sockets under the transport core, servers, recording of what passes."""
