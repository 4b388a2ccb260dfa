"""The associations of a capture: what is known around each WPDU, for one that is looked at or all in turn.

`look(row)` walks the earlier WPDUs of the same wPort pair, but not from the beginning: from the nearest
checkpoint, or else from a bounded number of rows before, having first taken in the APDUs that make
associations; and, some rows at each look, those of other associations with the same meter, for the scalers
that they told. `walk` takes all rows of a capture in order. Both give the same in the end; nothing is
computed before somebody asks.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from threading import RLock
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import Association, Look, Place
from cosemscope.analysis.associations.meter_knowledge import Meters
from cosemscope.analysis.associations.meter_rows import MeterRows
from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.analysis.associations.steps import advance
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.fields import Decoded, Problem
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.summary import summarise
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets, apdu_start
from cosemscope.streams.tables.wpdu_table import Mark

#: Rows that are walked before a row that is looked at, when no checkpoint is nearer.
WINDOW = 2048
#: Rows between checkpoints.
STRIDE = 64
_MAX_PAIRS = 256
#: Rows of a meter that are walked at the first look at it, and more at each look, for what its other
#: associations told; and titles that are read.
_FIRST_CAUGHT_UP, _CAUGHT_UP, _TITLES = 1024, 256, 512
_MAX_LOOKS = 4096
_MAX_KEPT = 1 << 20
_MAX_WALKED = 65_536

#: Marks of rows whose APDU is not to be believed.
_NOT_READ = int(Mark.TRUNCATED | Mark.DAMAGED)
_ACSE = (t.AARQ, t.AARE, t.RLRE, t.ABRT)
#: APDUs that change what is known for long: association and release, and methods, which may bring keys.
_LASTING = np.zeros(257, np.bool_)
_LASTING[[*_ACSE, 0xC3, 0xC7, 0xCB, 0xCF, 0xD3, 0xD7]] = True


class _Pair:
    """The WPDUs of one wPort pair, and checkpoints: the state of its association before some of them."""

    def __init__(self, number: int, catching: "_Catching") -> None:
        self.number = number
        self.catching = catching
        self.rows: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.seen = 0
        self.checkpoints: OrderedDict[int, Association] = OrderedDict()

    def extend(self, pairs: npt.NDArray[Any], pair: int) -> None:
        """Take in the rows that came since."""
        if len(pairs) > self.seen:
            new = np.flatnonzero(pairs[self.seen :] == pair) + self.seen
            self.rows = np.concatenate([self.rows, new]) if len(new) else self.rows
            self.seen = len(pairs)

    def nearest(self, index: int, earliest: int) -> int:
        """The nearest checkpoint at or before `index`, not before `earliest`; -1 when there is none."""
        return max((one for one in self.checkpoints if earliest <= one <= index), default=-1)

    def keep(self, index: int, association: Association) -> None:
        """A checkpoint before row number `index` of the pair."""
        self.checkpoints[index] = association.copy()
        if len(self.checkpoints) > 2 * WINDOW // STRIDE:
            self.checkpoints.popitem(last=False)


class Associations:
    """Looks and trees of the WPDUs of an analysis, with the keys of a table. Safe to ask from two threads."""

    def __init__(self, analysis: Analysis, keys: KeyTable = NO_KEYS) -> None:
        self.analysis = analysis
        self._keys = keys
        self._pairs: OrderedDict[int, _Pair] = OrderedDict()
        self._looks: OrderedDict[int, Look] = OrderedDict()
        self._meters = Meters()
        self._meter_rows = MeterRows(analysis)
        self._caught: OrderedDict[Hashable, _Catching] = OrderedDict()
        self._lock = RLock()

    @property
    def keys(self) -> KeyTable:
        """The keys to open with; setting others forgets what was opened."""
        return self._keys

    @keys.setter
    def keys(self, keys: KeyTable) -> None:
        with self._lock:
            self._keys = keys
            self._pairs.clear()
            self._looks.clear()
            self._caught.clear()
            self._meters = Meters()

    def look(self, row: int) -> Look:
        """What is known of the APDU of this WPDU row: verdict, context for the decoder, remarks."""
        with self._lock:
            known = self._looks.get(row)
            if known is not None:
                self._looks.move_to_end(row)
                return known
            pair = self._pair(int(self.analysis.wpdu_pairs["pair"][row]))
            return self._walk_to(pair, int(np.searchsorted(pair.rows, row)))

    def look_in_order(self, row: int) -> Look:
        """The same as `walk` gives it, whatever was looked at before.

        Takes longer: all earlier rows of the meter are walked. Where they are more than 65,536, as `look`.
        """
        self._meter_rows.read_on(len(self.analysis.pairs))
        rows = self._meter_rows.rows(self._meter_rows.pairs(int(self.analysis.wpdu_pairs["pair"][row])))
        rows = rows[: int(np.searchsorted(rows, row)) + 1]
        if len(rows) > _MAX_WALKED:
            return self.look(row)
        *_, (_, found) = RowsInOrder(self.analysis, self._keys).chosen(rows)
        return found

    def decode(self, row: int, look: Look | None = None) -> Decoded:
        """The tree of this WPDU row, opened and named as far as can be, remarks among its problems."""
        look = look or self.look(row)
        octets = self.analysis.octets(row)
        framing = Framing(int(self.analysis.wpdus["framing"][row]))
        decoded = decode_framed(octets, framing, look.context)
        if not look.notes:
            return decoded
        start = min(apdu_start(framing), len(octets))
        notes = tuple(
            Problem(start, len(octets), note.message, note.clause, note.severity, 0, note.kind.word)
            for note in look.notes
        )
        return decoded._replace(problems=decoded.problems + notes)

    def info(self, row: int) -> str:
        """The info line of this WPDU row."""
        look = self.look(row)
        return summarise(self.decode(row, look), look.context)

    def walk(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Look]]:
        """Every WPDU row from `start` to `stop` in order, with what is known of it; for whole captures.

        Keeps the associations of the 65,536 wPort pairs used last.
        """
        yield from RowsInOrder(self.analysis, self._keys).rows(start, stop)

    # One row at a time.

    def _pair(self, number: int) -> _Pair:
        pair = self._pairs.pop(number, None)
        if pair is None:
            pair = _Pair(number, self._catching_up(number))
            if len(self._pairs) >= _MAX_PAIRS:
                self._pairs.popitem(last=False)
        elif not self._meter_rows.complete:
            self._meter_rows.read_on(_TITLES)
            pair.catching.take_in(self._meter_rows, number)
        self._pairs[number] = pair
        pair.catching.go_on(_CAUGHT_UP)
        pair.extend(self.analysis.wpdu_pairs["pair"], number)
        return pair

    def _catching_up(self, number: int) -> "_Catching":
        """The walk over the rows of a pair's meter, with those that came since."""
        self._meter_rows.read_on(_TITLES)
        meter = self._meter_rows.meter(number)
        catching = self._caught.pop(meter, None)
        if catching is None:
            catching = _Catching(RowsInOrder(self.analysis, self._keys, meters=self._meters))
            if len(self._caught) >= _MAX_PAIRS:
                self._caught.popitem(last=False)
        self._caught[meter] = catching
        catching.take_in(self._meter_rows, number)
        catching.go_on(_FIRST_CAUGHT_UP)
        return catching

    def _take(self, association: Association, row: int) -> Look:
        association.row = row
        self._meters.attach(association)
        look = take_row(self.analysis, association, row)
        self._meters.attach(association)
        return look

    def _walk_to(self, pair: _Pair, index: int) -> Look:
        """Walk to row number `index` of the pair, keeping checkpoints and looks on the way."""
        earliest = max(0, index - WINDOW)
        at = pair.nearest(index, earliest)
        if at >= 0:
            association = pair.checkpoints[at].copy()
        else:
            at = earliest
            association = self._before(pair, at)
        while True:
            if at % STRIDE == 0 and at not in pair.checkpoints:
                pair.keep(at, association)
            row = int(pair.rows[at])
            look = self._take(association, row)
            if pair.catching.done and self._meter_rows.complete:
                self._remember(row, look)
            if at == index:
                return look
            at += 1

    def _before(self, pair: _Pair, index: int) -> Association:
        """The association before row number `index`, as its lasting APDUs make it; others are left out."""
        association = association_of(self.analysis, pair.number, self._keys)
        if index == 0:
            return association
        tags = self.analysis.wpdus["apdu_tag"][pair.rows[:index]]
        begun = np.flatnonzero(tags == t.AARQ)
        first = int(begun[-1]) if len(begun) else 0
        lasting = np.flatnonzero(_LASTING[tags[first:]]) + first
        for at in lasting[-WINDOW:].tolist() if len(lasting) > WINDOW else lasting.tolist():
            self._take(association, int(pair.rows[at]))
        return association

    def _remember(self, row: int, look: Look) -> None:
        if look.context.joined is not None and len(look.context.joined) > _MAX_KEPT:
            return
        self._looks[row] = look
        if len(self._looks) > _MAX_LOOKS:
            self._looks.popitem(last=False)


class RowsInOrder:
    """Takes the WPDU rows of an analysis in order, whenever there are more; see `Associations.walk`.

    Scalers and units that one connection told hold for the later ones to the same meter (see `meters`).
    `octets` reads a row, where the analysis' own way is not the best.
    """

    def __init__(
        self,
        analysis: Analysis,
        keys: KeyTable = NO_KEYS,
        octets: Callable[[int], bytes] | None = None,
        meters: Meters | None = None,
    ) -> None:
        self._analysis = analysis
        self._octets = octets or analysis.octets
        self._keys = keys
        self._open: OrderedDict[int, Association] = OrderedDict()
        self._meters = meters or Meters()

    def rows(self, start: int, stop: int | None = None) -> Iterator[tuple[int, Look]]:
        """These rows, each with its look; go on with the next ones by calling again."""
        stop = len(self._analysis.wpdus) if stop is None else stop
        return self._take(slice(start, stop), range(start, stop))

    def chosen(self, rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, Look]]:
        """The same of these rows, in order; the others are passed over."""
        return self._take(rows, rows.tolist())

    def _take(self, index: slice | npt.NDArray[np.int64], rows: Iterable[int]) -> Iterator[tuple[int, Look]]:
        analysis = self._analysis
        columns = [analysis.wpdus[name][index].tolist() for name in ("marks", "framing", "direction")]
        pairs = analysis.wpdu_pairs["pair"][index].tolist()
        for row, pair, marks, framing, side in zip(rows, pairs, *columns, strict=True):
            apdu = b"" if marks & _NOT_READ else apdu_octets(self._octets(row), framing)
            association = self._open.get(pair) or self._opened(pair, row)
            self._open.move_to_end(pair)
            association.row = row
            look = advance(association, apdu, side)
            self._meters.attach(association)
            yield row, look

    def _opened(self, pair: int, row: int) -> Association:
        if len(self._open) >= _MAX_WALKED:
            self._open.popitem(last=False)
        association = self._open[pair] = association_of(self._analysis, pair, self._keys)
        association.row = row
        self._meters.attach(association)
        return association


class _Catching:
    """Walks the rows of a meter once, for what they tell of it; a bounded number of them at a time."""

    def __init__(self, walk: RowsInOrder) -> None:
        self._walk = walk
        self._next = 0
        self._pairs: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._waiting: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def take_in(self, rows: MeterRows, pair: int) -> None:
        """More pairs and rows of the meter may be known: those not walked yet wait."""
        pairs = rows.pairs(pair)
        found = [rows.rows(np.setdiff1d(pairs, self._pairs)), rows.rows(self._pairs, self._next)]
        self._next = max([self._next, *(int(some[-1]) + 1 for some in found if len(some))])
        self._pairs = np.union1d(pairs, self._pairs)
        self._waiting = np.union1d(self._waiting, np.concatenate(found))

    @property
    def done(self) -> bool:
        """Whether none waits."""
        return not len(self._waiting)

    def go_on(self, count: int) -> None:
        """Walk so many of those that wait."""
        some, self._waiting = self._waiting[:count], self._waiting[count:]
        for _ in self._walk.chosen(some):
            pass


def association_of(analysis: Analysis, pair: int, keys: KeyTable) -> Association:
    """The association of a pair's row, before its first APDU."""
    pairs = analysis.pairs
    wports = (int(pairs["near"][pair]), int(pairs["far"][pair]))
    association = Association(keys, Place(analysis.endpoints(int(pairs["stream"][pair])), wports))
    association.client_side = 0 if analysis.dlms_client_is_near(pair) else 1
    return association


def take_row(analysis: Analysis, association: Association, row: int) -> Look:
    """Takes the APDU of a WPDU row into its association."""
    marks, framing, side = (analysis.wpdus[name].item(row) for name in ("marks", "framing", "direction"))
    apdu = b"" if marks & _NOT_READ else apdu_octets(analysis.octets(row), framing)
    return advance(association, apdu, side)
