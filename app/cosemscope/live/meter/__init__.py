"""The built-in meter on sockets: one or a fleet, with faults on demand, its traffic recorded."""
