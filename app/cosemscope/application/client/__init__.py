"""The client's end of an association, sans I/O: one state table, requests by invoke-id, refusals in words."""
