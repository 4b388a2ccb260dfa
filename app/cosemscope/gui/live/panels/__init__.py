"""The panels of what is live: a test link, a listener, a meter, a relay; each knows events and commands."""
