"""Entry: words of the command line go to `cli`, everything else opens the window.

`cli` and `gui` know nothing of each other; this module is the only one that
knows both, and imports only the one that is asked for.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Cosemscope with `arguments` (default: the process's own); return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    from cosemscope import cli

    if cli.is_command(words):
        return cli.main(words)
    from cosemscope import gui

    return gui.main(words)


if __name__ == "__main__":
    sys.exit(main())
