"""How things look: colours, icons, cells, and how times, amounts and octets are written."""
