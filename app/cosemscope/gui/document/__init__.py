"""The open capture: its reading thread, the view of its rows, the selection, unsaved spools."""
