"""Answers to questions on trees are kept by row, so that the same condition decodes no row twice."""

from collections import OrderedDict
from threading import Lock
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.filter.masks.operands import Condition

NO, YES, UNKNOWN = 0, 1, -1
#: Conditions whose answers are kept of one capture.
_MOST = 16

Answers = npt.NDArray[np.int8]


class KeptAnswers:
    """The answers of one capture, by condition: int8 a row, `UNKNOWN` where nobody asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._state: tuple[object, ...] = ()
        self._answers: OrderedDict[Condition, Answers] = OrderedDict()

    def of(self, state: tuple[object, ...], condition: Condition, rows: int) -> Answers:
        """The answers of a condition for so many rows, to be read and written."""
        with self._lock:
            if list(map(id, state)) != list(map(id, self._state)):
                self._answers.clear()
                self._state = state
            found = self._answers.pop(condition, None)
            if found is None or len(found) < rows:
                longer = np.full(rows, UNKNOWN, np.int8)
                if found is not None:
                    longer[: len(found)] = found
                found = longer
            self._answers[condition] = found
            if len(self._answers) > _MOST:
                self._answers.popitem(last=False)
            return found


_KEPT: WeakKeyDictionary[Analysis, KeptAnswers] = WeakKeyDictionary()


def kept_answers(analysis: Analysis, associations: Associations, condition: Condition) -> Answers:
    """The answers that a condition has so far: with these keys, and (once all were walked) all scalers."""
    rows = len(analysis.first_look)
    walked = associations.passed >= rows
    # Weakly: associations know the analysis, which what is kept of it must not keep.
    state = (ref(associations) if walked else object(), associations.keys)
    return _KEPT.setdefault(analysis, KeptAnswers()).of(state, condition, rows)
