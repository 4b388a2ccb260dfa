"""Spools: pcapng files that grow while something live writes them, alone or as a ring."""
