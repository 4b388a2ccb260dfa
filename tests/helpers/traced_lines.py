"""How many lines of Python a piece of work runs, in all its threads: work that no machine makes longer."""

import sys
import threading
from itertools import count
from types import FrameType
from typing import Any, Self


class Lines:
    """Counts lines while it is entered; entering one within another counts in the inner one only."""

    def __init__(self) -> None:
        self._counter = count()
        self._before: Any = None

    def count(self) -> int:
        """The lines so far."""
        return next(self._counter)

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        threading.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        next(self._counter)
        return self._trace
