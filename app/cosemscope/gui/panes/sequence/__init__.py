"""A sequence diagram of WPDUs."""
