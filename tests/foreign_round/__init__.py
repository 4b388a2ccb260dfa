"""Is anything foreign taken for DLMS? Captures of others, and packets that others make, are judged."""
