"""Live commands: a job value each, run with typed events."""
