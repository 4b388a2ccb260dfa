"""What every part of the window stands on: settings, work in the background, the message bar."""
