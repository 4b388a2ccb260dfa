"""Rows are asked for display filters: few of them at once, many in the background, with progress and cancel.

A question is about one filter under one name. A newer one under the same name takes its place; what was found
so far for a filter that is in force stays there until the newer answer comes.
"""

import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.filter.display_filter import DisplayFilter
from cosemscope.capture.cancelling import Cancelled, look_at
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.background import in_background
from cosemscope.gui.document.conditions import FilterInForce, Mask
from cosemscope.gui.document.traffic import Traffic

#: Rows that are asked at once: the window does not notice it.
AT_ONCE = 20_000
#: Seconds between two words on how far a question is.
_TOLD_EVERY = 0.05


def beside(associations: Associations) -> Associations:
    """Associations with the same keys, for another thread to ask while the window asks its own."""
    return Associations(associations.analysis, associations.keys, beside=associations)


class Question:
    """One filter that rows from `start` up to `stop` are asked for; `known` is the mask of those before."""

    def __init__(self, name: str, display: DisplayFilter, known: Mask, stop: int) -> None:
        self.name, self.display = name, display
        self.known, self.stop = known, stop
        self.taken = 0.0  # seconds that answering took
        self._unwanted = threading.Event()

    @property
    def is_short(self) -> bool:
        """Whether the window may wait for the answer."""
        return self.stop <= AT_ONCE and not self.display.costs_trees

    def cancel(self) -> None:
        """Nobody wants the answer any more. From any thread."""
        self._unwanted.set()

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants the answer any more."""
        return self._unwanted.is_set()

    def answer(self, traffic: Traffic, told: Callable[[int, int], None]) -> FilterInForce | str | None:
        """Ask the rows: the condition with its mask; a sentence if they cannot be read; None if cancelled."""
        start, began = len(self.known), time.monotonic()
        rows = np.arange(start, self.stop) if start or self.stop < len(traffic.wpdus) else None
        try:
            passed = self.display.rows(
                traffic.analysis,
                rows,
                associations=beside(traffic.associations),
                look=look_at(self._unwanted.is_set),
                progress=told,
            )
        except Cancelled:
            return None
        except (CaptureError, OSError) as error:
            return f"The capture could not be asked for “{self.display.text}”: {error}"
        mask = np.zeros(self.stop, np.bool_)
        mask[:start] = self.known
        mask[passed] = True
        self.taken = time.monotonic() - began
        return FilterInForce(self.display, mask)


class Filtering(QObject):
    """Asks questions, one under each name at a time.

    `answered` gives a `Question` and its `FilterInForce`, `failed` a sentence. `progressed(done, total)`
    tells how many rows have been asked in the background, (0, 0) when there is nothing to wait for any more.
    """

    answered = Signal(object, object)
    failed = Signal(str)
    progressed = Signal(object, object)
    _came = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._under_way: dict[str, Question] = {}
        self._next_word = 0.0
        self._came.connect(self._take)

    def __contains__(self, name: str) -> bool:
        return name in self._under_way

    def __bool__(self) -> bool:
        """Whether rows are being asked."""
        return bool(self._under_way)

    def ask(self, question: Question, traffic: Traffic) -> None:
        """Ask the rows; another question under the same name is not wanted any more."""
        self.cancel(question.name)
        self._under_way[question.name] = question
        if question.is_short:
            self._take((question, question.answer(traffic, lambda done, total: None)))
            return
        told = partial(self._tell, question)
        in_background(lambda: (question, question.answer(traffic, told)), self._came)

    def cancel(self, name: str = "") -> None:
        """Give up the question under `name`, or all."""
        for one in [name] if name else list(self._under_way):
            question = self._under_way.pop(one, None)
            if question is not None:
                question.cancel()
        if not self._under_way:
            self.progressed.emit(0, 0)

    def _tell(self, question: Question, done: int, total: int) -> None:
        """Say how far a question is; called in its thread."""
        now = time.monotonic()
        if now >= self._next_word and not question.cancelled:
            self._next_word = now + _TOLD_EVERY
            self.progressed.emit(done, total)

    def _take(self, came: tuple[Question, FilterInForce | str | None]) -> None:
        question, answer = came
        if self._under_way.get(question.name) is not question:
            return
        del self._under_way[question.name]
        if not self._under_way:
            self.progressed.emit(0, 0)
        if isinstance(answer, str):
            self.failed.emit(answer)
        elif answer is not None:
            self.answered.emit(question, answer)
