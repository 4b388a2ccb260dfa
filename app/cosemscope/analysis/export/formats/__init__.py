"""The formats that tables, packets and trees are written in, whatever they tell."""
