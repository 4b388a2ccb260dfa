"""Sessions: peers, streams and wPort pairs as a tree, and counts."""
