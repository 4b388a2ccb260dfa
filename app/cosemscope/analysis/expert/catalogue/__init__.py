"""The checks themselves, a file a subject: each declares kinds of items and finds them."""
