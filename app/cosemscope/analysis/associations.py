"""The associations of a capture: what is known around each WPDU, for one that is looked at or all in turn.

`look(row)` walks the earlier WPDUs of the same wPort pair, but not from the beginning: from the nearest
checkpoint, or else from a bounded number of rows before, having first taken in the APDUs that make
associations. `walk` takes all rows of a capture in order. Both give the same; nothing is computed before
somebody asks.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from threading import RLock
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.association import Association, Look, Place
from cosemscope.analysis.association_steps import advance
from cosemscope.analysis.devices import Device, device_of, rows_of_device
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.framing import Framing
from cosemscope.analysis.keys import NO_KEYS, KeyTable
from cosemscope.analysis.trees import apdu_octets, apdu_start, decode_framed
from cosemscope.analysis.wpdus import Mark
from cosemscope.apdu import tags as t
from cosemscope.apdu.context import Reference
from cosemscope.apdu.fields import Decoded, Problem
from cosemscope.apdu.summary import summarise

#: Rows that are walked before a row that is looked at, when no checkpoint is nearer.
WINDOW = 2048
#: Rows between checkpoints.
STRIDE = 64
_MAX_PAIRS = 256
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

    def __init__(self, place: Place) -> None:
        self.place = place
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
        """The same as `walk` gives it: what earlier connections of the device told counts, too.

        Takes longer: all earlier rows of the device are walked. Where they are more than 65,536, as `look`.
        """
        rows = rows_of_device(self.analysis, row)
        if len(rows) > _MAX_WALKED:
            return self.look(row)
        *_, (_, found) = Walk(self.analysis, self._keys).chosen(rows)
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
            Problem(start, len(octets), note.message, note.clause, note.severity) for note in look.notes
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
        yield from Walk(self.analysis, self._keys).rows(start, stop)

    # One row at a time.

    def _pair(self, number: int) -> _Pair:
        pair = self._pairs.pop(number, None)
        if pair is None:
            pair = _Pair(place_of(self.analysis, number))
            if len(self._pairs) >= _MAX_PAIRS:
                self._pairs.popitem(last=False)
        self._pairs[number] = pair
        pair.extend(self.analysis.wpdu_pairs["pair"], number)
        return pair

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
            look = take_row(self.analysis, association, row)
            self._remember(row, look)
            if at == index:
                return look
            at += 1

    def _before(self, pair: _Pair, index: int) -> Association:
        """The association before row number `index`, as its lasting APDUs make it; others are left out."""
        association = Association(self._keys, pair.place)
        if index == 0:
            return association
        tags = self.analysis.wpdus["apdu_tag"][pair.rows[:index]]
        begun = np.flatnonzero(tags == t.AARQ)
        first = int(begun[-1]) if len(begun) else 0
        lasting = np.flatnonzero(_LASTING[tags[first:]]) + first
        for at in lasting[-WINDOW:].tolist() if len(lasting) > WINDOW else lasting.tolist():
            take_row(self.analysis, association, int(pair.rows[at]))
        return association

    def _remember(self, row: int, look: Look) -> None:
        if look.context.joined is not None and len(look.context.joined) > _MAX_KEPT:
            return
        self._looks[row] = look
        if len(self._looks) > _MAX_LOOKS:
            self._looks.popitem(last=False)


class _Device:
    """What is known of a logical device, whichever connection told it."""

    __slots__ = ("scalers",)

    def __init__(self) -> None:
        self.scalers: dict[Reference, tuple[int, int]] = {}


class Walk:
    """Takes the WPDU rows of an analysis in order, whenever there are more; see `Associations.walk`.

    Scalers and units that one connection told hold for the later ones of the same device (see `devices`).
    `octets` reads a row, where the analysis' own way is not the best.
    """

    def __init__(
        self,
        analysis: Analysis,
        keys: KeyTable = NO_KEYS,
        octets: Callable[[int], bytes] | None = None,
    ) -> None:
        self._analysis = analysis
        self._octets = octets or analysis.octets
        self._keys = keys
        self._open: OrderedDict[int, tuple[Association, _Device]] = OrderedDict()
        self._devices: OrderedDict[Device, _Device] = OrderedDict()

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
            association, device = self._association(pair)
            association.scalers = device.scalers
            look = advance(association, apdu, side)
            device.scalers = association.scalers
            yield row, look

    def _association(self, pair: int) -> tuple[Association, _Device]:
        known = self._open.get(pair)
        if known is None:
            association = Association(self._keys, place_of(self._analysis, pair))
            if len(self._open) >= _MAX_WALKED:
                self._open.popitem(last=False)
            known = self._open[pair] = association, self._device(pair)
        else:
            self._open.move_to_end(pair)
        return known

    def _device(self, pair: int) -> _Device:
        key = device_of(self._analysis, pair)
        if key is None:
            return _Device()
        device = self._devices.pop(key, None) or _Device()
        if len(self._devices) >= _MAX_WALKED:
            self._devices.popitem(last=False)
        self._devices[key] = device
        return device


def place_of(analysis: Analysis, pair: int) -> Place:
    """Endpoints and wPorts of a pair's row, near first."""
    pairs = analysis.pairs
    wports = (int(pairs["near"][pair]), int(pairs["far"][pair]))
    return Place(analysis.endpoints(int(pairs["stream"][pair])), wports)


def take_row(analysis: Analysis, association: Association, row: int) -> Look:
    """Takes the APDU of a WPDU row into its association."""
    marks, framing, side = (analysis.wpdus[name].item(row) for name in ("marks", "framing", "direction"))
    apdu = b"" if marks & _NOT_READ else apdu_octets(analysis.octets(row), framing)
    return advance(association, apdu, side)
