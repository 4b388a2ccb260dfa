"""The server side of IEC 62056-5-3 and 6-2: associations as one table, a built-in meter."""
