"""How Cosemscope starts itself once more: from a checkout, a wheel or a frozen program."""

import sys
from pathlib import Path


def is_frozen() -> bool:
    """Whether this is an installed program with a Python of its own."""
    return bool(getattr(sys, "frozen", False))


def program_words() -> list[str]:
    """The words before those of a command; on Windows of the program that has a console, hence output."""
    if not is_frozen():
        return [sys.executable, "-m", "cosemscope"]
    console = Path(sys.executable).with_stem("cosemscope")
    return [str(console if console.is_file() else sys.executable)]
