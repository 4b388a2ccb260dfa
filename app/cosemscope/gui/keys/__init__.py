"""Keys in the window: their list, one of them, and who keeps them."""
