"""Tables that reassembly fills: WPDUs and findings in columns, and the words for framings."""
