"""Cancelling work that is under way: loops that may take long look, round by round, whether it is wanted.

    analysis = Analysis(reader, look=look_at(stopped.is_set))

Who cancelled is not asked: `Cancelled` ends all work up to whoever began it. What was complete stays.
"""

from collections.abc import Callable

Look = Callable[[], None]
"""Raises Cancelled when the work is not wanted any more; costs next to nothing else."""


class Cancelled(Exception):  # noqa: N818 -- nothing went wrong
    """The work that was under way is not wanted any more."""


def no_look() -> None:
    """The look of work that nobody cancels."""


def look_at(asked: Callable[[], bool]) -> Look:
    """A look that raises Cancelled once `asked` says True."""

    def look() -> None:
        if asked():
            raise Cancelled

    return look
