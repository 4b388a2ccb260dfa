"""Capture files: pcap and pcapng read in batches of records, plain, compressed, damaged or growing."""
