"""One WPDU in full: verdict, comments, fields and octets."""
