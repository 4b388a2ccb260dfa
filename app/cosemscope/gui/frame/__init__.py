"""The window itself: actions, panes and their places, start page, status bar."""
