"""The pane that follows a session: a wPort pair as a conversation."""
