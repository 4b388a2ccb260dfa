"""Outcomes: what the exchanges, associations and connections of a capture came to, in columns, and why."""
