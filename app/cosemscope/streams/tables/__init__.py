"""Tables that reassembly fills: WPDUs and expert items in columns, and the words for framings."""
