"""Analysis: what WPDUs mean; associations, keys, sessions."""
