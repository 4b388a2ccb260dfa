"""Live sources in the window: dialogs, processes, the link panel, spools left behind."""
