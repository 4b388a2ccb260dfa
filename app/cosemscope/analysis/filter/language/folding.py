"""Words are compared without regard to case, and to whether blanks, hyphens or underscores part them."""

import re


def folded(word: str) -> str:
    """A word as words are compared: in small letters, with hyphens for blanks and underscores."""
    return re.sub(r"[\s_-]+", "-", word.strip()).lower()
