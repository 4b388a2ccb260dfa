"""Packets to streams to WPDUs, in columns; knows no keys and no trees of fields."""
