"""A client of meters over links: associations driven on sockets, objects read and written by name."""
