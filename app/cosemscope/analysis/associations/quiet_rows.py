"""Quiet rows are plain GETs and SETs for one attribute: their first-look columns say all of them.

A quiet request that its response follows at once in its wPort pair leaves no trace in the association. Runs
of such exchanges are found for a whole batch, so that the walk takes a run in one step.
"""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import Association
from cosemscope.analysis.associations.steps import SCALER_BEGINS, SCALER_MEMBERS, quiet_request, with_scaler
from cosemscope.analysis.engine import Analysis
from cosemscope.apdu.names import tags as t
from cosemscope.streams.tables.wpdu_table import Mark

#: Marks of rows whose APDU is not to be believed.
NOT_READ = int(Mark.TRUNCATED | Mark.DAMAGED)
#: Exchanges of a run at most, so that checkpoints stay near each other.
_MOST = 32
#: Requests and responses that say all in their first octets when they are for one attribute.
_REQUESTS, _QUIET = np.zeros(257, np.bool_), np.zeros(257, np.bool_)
_REQUESTS[[t.GET_REQUEST, t.SET_REQUEST]] = True
_QUIET[[t.GET_REQUEST, t.SET_REQUEST, t.GET_RESPONSE, t.SET_RESPONSE]] = True
_SCALERS = np.array([class_id << 16 | member for class_id, member in SCALER_MEMBERS])

_Rows = npt.NDArray[np.int64]


def is_quiet(analysis: Analysis, rows: _Rows) -> npt.NDArray[np.bool_]:
    """Quietness of rows int64[n] as bool[n]: all that they say stands in their first-look columns."""
    seen, wpdus = analysis.first_look, analysis.wpdus
    service = seen["service"][rows]
    # A request is quiet if it has its descriptor to the end, a response if it has a result.
    quiet: npt.NDArray[np.bool_] = _QUIET[service] & (seen["choice"][rows] == 1) & (seen["inner"][rows] < 0)
    quiet &= (wpdus["marks"][rows] & NOT_READ) == 0
    quiet &= service == wpdus["apdu_tag"][rows]
    quiet &= (seen["class_id"][rows] >= 0) | (seen["result"][rows] >= 0)
    return quiet


class QuietRuns:
    """The runs of quiet exchanges among rows int64[n], all that there are from one to another.

    `looks`, object[n], has the looks at rows in runs, and None for others; `ends` has the exchanges of each
    run by the row of its last response. None of them tells scalers, which the walk is to learn.
    """

    def __init__(self, analysis: Analysis, rows: _Rows) -> None:
        seen, pair = analysis.first_look, analysis.wpdu_pairs["pair"][rows]
        service, invoke, class_id, member = (
            seen[name][rows] for name in ("service", "invoke_id", "class_id", "member")
        )
        quiet, asks = is_quiet(analysis, rows), _REQUESTS[service]
        begins = quiet & asks
        # Invariant: `order` has the rows of each pair together, in their own order. Exchange k is the rows
        # at place[k] and place[k] + 1 there; it goes on with a run where exchange k - 1 stands before it.
        order = np.argsort(pair, kind="stable")
        first, second = order[:-1], order[1:]
        follows = (pair[first] == pair[second]) & (invoke[first] == invoke[second])
        place = np.flatnonzero(begins[first] & (quiet & ~asks)[second] & follows)
        told = np.flatnonzero(np.isin(class_id.astype(np.int64) << 16 | member, _SCALERS)[order[place]])
        answers = analysis.apdus_of(rows[order[place[told] + 1]])
        tells = np.fromiter((SCALER_BEGINS in apdu for apdu in answers), np.bool_, len(told))
        place = np.delete(place, told[tells])
        asked, answered = order[place], order[place + 1]
        alone = (np.diff(place, prepend=-2) > 2) | (np.diff(pair[asked].astype(np.int64), prepend=-1) != 0)
        number = np.arange(len(place))
        within = number - np.maximum.accumulate(np.where(alone, number, 0))
        starts = np.flatnonzero(within % _MOST == 0)
        direction = analysis.wpdus["direction"][rows]
        said = (direction, service, invoke, class_id, seen["obis"][rows], member)
        #: by exchange: the places of request and response, and what `pass_over` takes of the request
        self._exchanges = [asked, answered, *(column[asked] for column in said)]
        self._looks = list(map(quiet_request, *(column.tolist() for column in self._exchanges[-3:])))
        self.looks = np.full(len(rows), None, object)
        self.looks[asked] = self.looks[answered] = np.fromiter(self._looks, object, len(asked))
        stops = np.append(starts, len(asked))[1:] if len(asked) else starts
        runs = map(slice, starts.tolist(), stops.tolist())
        self.ends = dict(zip(rows[answered[stops - 1]].tolist(), runs, strict=True))
        left = np.ones(len(rows), np.bool_)
        left[asked] = left[answered] = False
        left[answered[stops - 1]] = True
        #: the rows that are left to be walked: of each run only the last one, which stands for all
        self.left = rows[left]
        self._start = int(rows[0]) if len(rows) else 0

    def first(self, run: slice) -> int:
        """The first row of a run."""
        place: int = self._exchanges[0].item(run.start)
        return self._start + place

    def take(self, run: slice, association: Association) -> None:
        """Takes a run into its association: what waited is over, values have the scalers that were told."""
        answered = self._exchanges[1]
        if association.requests or association.transfers:
            for one in zip(*(column[run].tolist() for column in self._exchanges[2:5]), strict=True):
                association.answer_at_once(*one)
        if association.scalers.know_any:
            for place, look in zip(answered[run].tolist(), self._looks[run], strict=True):
                self.looks[place] = with_scaler(look, association.scalers, self._start + place)
        association.row = self._start + answered.item(run.stop - 1)
        association.taken += 2 * (run.stop - run.start)
