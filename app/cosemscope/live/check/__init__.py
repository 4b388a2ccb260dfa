"""Transport check: a list of tests of IEC 62056-4-7 against a server, each pass, fail or not decidable."""
