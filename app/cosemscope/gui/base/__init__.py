"""The ground of every part of the window: settings, work in the background, the message bar."""
