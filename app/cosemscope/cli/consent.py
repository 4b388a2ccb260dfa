"""A question before something is changed: what will be sent, and yes or no at the terminal."""

import sys
from collections.abc import Sequence

from cosemscope.cli.capture_arguments import CommandError


def ask_before(changes: Sequence[object], where: str, *, sure: bool) -> None:
    """Say what will be sent to `where` and ask, unless the user is `sure` (--yes).

    Raises CommandError where the answer is no, or nobody can be asked.
    """
    if not changes or sure:
        return
    told = "; ".join(map(str, changes))
    print(f"To be sent to {where}: {told}.", file=sys.stderr)
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandError("nobody can be asked at this input, so nothing was sent: --yes sends it")
    print("Send it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was sent")
