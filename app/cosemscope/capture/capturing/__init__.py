"""Capturing: interfaces, rights, and the ways to packets: libpcap, dumpcap, pipes."""
