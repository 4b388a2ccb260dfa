"""The associations of a capture give looks at its WPDUs, at all in turn or at any one.

`walk` and `go_on` take the rows once, in order: they learn scalers, complete the first-look columns of opened
and joined APDUs, and leave checkpoints. `look` begins at the nearest checkpoint and takes some dozen rows of
the same wPort pair. Before the walk has come to a row, its look stands on a window of rows before it and on
the APDUs that make associations; scalers of other connections and long transfers of blocks come later.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic, sleep

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import AnyLook, Association, Look, Place
from cosemscope.analysis.associations.association_notes import HLS_VERDICTS
from cosemscope.analysis.associations.checkpoints import Checkpoints
from cosemscope.analysis.associations.further_in import (
    further_in,
    may_refuse_items,
    may_stand_further_in,
    refused_items,
)
from cosemscope.analysis.associations.meter_knowledge import Meters
from cosemscope.analysis.associations.quiet_rows import NOT_READ, QuietRuns, is_quiet
from cosemscope.analysis.associations.row_trees import GONE_TREE, decode_framed
from cosemscope.analysis.associations.steps import advance, pass_over, plain_look
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.context import RefusedItem
from cosemscope.apdu.fields import Decoded, Problem
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.summary import summarise
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets, apdu_start
from cosemscope.streams.tables.wpdu_table import Mark

#: Rows of a pair that are taken before one to which the walk has not come.
WINDOW = 256
#: Rows that are walked at once, and about so many octets of them.
_BATCH, _MOST_OCTETS = 4096, 8 << 20
#: The same of rows between which somebody may ask whether to go on: a tenth of a second at the worst.
_SOON = 1 << 16
#: Seconds for which what is behind a look, such as drawing it, goes before a walk; and most of such waiting.
_ASKING, _LONGEST_WAIT = 0.03, 0.25
_MAX_OPEN = 65_536
_MAX_LOOKS = 4096
_MAX_KEPT = 1 << 20

#: APDUs that change what is known for long: association and release, and methods, which may bring keys.
_LASTING = np.zeros(257, np.bool_)
_LASTING[[t.AARQ, t.AARE, t.RLRE, t.ABRT, 0xC3, 0xC7, 0xCB, 0xCF, 0xD3, 0xD7]] = True
_Rows = npt.NDArray[np.int64]


#: The columns that the walk reads of a row: row, pair, side, unread, the APDU inside, whether it is quiet,
#: and what `pass_over` takes of one that is (service, invoke-id, class, OBIS, member).
_Line = tuple[int, int, int, int, int, bool, tuple[int, int, int, int, int]]


class Associations:
    """Looks and trees of the WPDUs of an analysis, with the keys of a table. Safe to ask from two threads.

    `passed` is the number of rows that the walk has taken. Only the thread that steps the analysis may walk.
    The walk of associations `beside` others, which have walked, leaves nothing behind: columns and
    checkpoints are those of the others.
    """

    def __init__(
        self, analysis: Analysis, keys: KeyTable = NO_KEYS, *, beside: "Associations | None" = None
    ) -> None:
        self.analysis = analysis
        self._beside = beside
        self._turn = Condition()
        self._hurried: list[None] = []
        self._asked = -_ASKING
        self._begin(keys)

    def _begin(self, keys: KeyTable) -> None:
        self._keys = keys
        self.passed = 0
        self._open: OrderedDict[int, Association] = OrderedDict()
        self._meters = Meters()
        self._checkpoints = Checkpoints() if self._beside is None else self._beside.checkpoints
        self._looks: OrderedDict[int, tuple[bool, Look]] = OrderedDict()

    @property
    def checkpoints(self) -> Checkpoints:
        """The states that the walk has left."""
        return self._checkpoints

    @property
    def keys(self) -> KeyTable:
        """The keys to open with; setting others forgets what was opened: the walk is to begin anew."""
        return self._keys

    @keys.setter
    def keys(self, keys: KeyTable) -> None:
        with self._at_once():
            self._begin(keys)

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """The walk waits, at the end of the rows that it has in hand."""
        self._hurried.append(None)
        with self._turn:
            self._hurried.pop()
            self._asked = monotonic()
            try:
                yield
            finally:
                self._turn.notify()

    def give_way(self) -> None:
        """Wait while somebody looks at rows one by one, and shows them: that goes before any walk.

        So who walks beside does not share the interpreter with a window that is being drawn. Whoever asks on
        and on leaves the walk some time all the same.
        """
        first = self if self._beside is None else self._beside
        latest = monotonic() + _LONGEST_WAIT
        while (now := monotonic()) < min(first._asked + _ASKING, latest):
            sleep(min(first._asked + _ASKING, latest) - now)

    # All rows in order.

    def walk(self, stop: int | None = None) -> Iterator[tuple[int, Look]]:
        """The next rows in order, up to `stop`, and a look at each; their columns are complete by then.

        The associations of the 65,536 wPort pairs used last are kept. Raises CaptureError and OSError when
        the capture's octets cannot be read.
        """
        stop = len(self.analysis.first_look) if stop is None else stop
        while self.passed < stop:
            start = self.passed
            end = self._end(min(start + _BATCH, stop), _MOST_OCTETS)
            for row, look in enumerate(self._walk(end, wanted=True), start):
                assert isinstance(look, Look)  # all of them are wanted
                yield row, look

    def walk_lightly(self, stop: int) -> list[AnyLook]:
        """As `walk`, with quiet looks at rows that say all in clear; at once, and quicker."""
        looks: list[AnyLook] = []
        while self.passed < stop:
            looks += self._walk(min(self.passed + _BATCH, stop), wanted=False)
        return looks

    def go_on(self, count: int) -> bool:
        """Walk the next `count` rows, fewer of long ones, when nobody waits for a look; False without any."""
        self.give_way()
        with self._turn:
            self._turn.wait_for(lambda: not self._hurried)
            stop = min(self.passed + count, len(self.analysis.first_look))
            if stop == self.passed:
                return False
            self._walk(self._end(stop, _SOON), wanted=False)
            return True

    def _end(self, stop: int, octets: int) -> int:
        """The row behind those to walk at once: at most `stop`, and one more than has so many octets."""
        sizes = self.analysis.wpdus["size"][self.passed : stop]
        count = int(np.searchsorted(np.cumsum(sizes, dtype=np.int64), octets))
        return self.passed + min(count + 1, len(sizes))

    def _walk(self, stop: int, *, wanted: bool) -> list[AnyLook]:
        """Take the rows up to `stop` into their associations; the looks, quiet ones if not `wanted`."""
        rows = left = np.arange(self.passed, stop)
        looks, ends = np.full(len(rows), None, object), {}
        if not wanted:
            runs = QuietRuns(self.analysis, rows)
            left, looks, ends = runs.left, runs.looks, runs.ends
        inside: list[tuple[int, Look]] = []
        again: list[int] = []
        opened, stride = self._open, self._checkpoints
        for line, apdu in zip(self._lines(left), self.analysis.apdus_of(left), strict=True):
            row, pair, _, _, inner, quiet, _ = line
            run = ends.get(row)
            association = opened.get(pair) or self._opened(pair, runs.first(run) if run else row)
            opened.move_to_end(pair)
            taken = association.taken
            if run is None:
                look = looks[row - self.passed] = self._take(association, line, wanted=wanted, apdu=apdu)
                if not quiet and isinstance(look, Look):
                    self._meters.attach(association)
                    if inner >= 0:
                        again.append(row)
                    if look.inner >= 0:
                        inside.append((row, look))
                    if self._beside is None:
                        self._keep_facts(row, look)
            else:
                runs.take(run, association)
            if self._beside is None:
                stride.offer(pair, row + 1, association, association.taken - taken)
        if self._beside is None:
            self._complete(again, inside)
            self._complete_further_in(rows, looks)
        self.passed = stop
        found: list[AnyLook] = looks.tolist()
        return found

    def _complete(self, again: list[int], inside: list[tuple[int, Look]]) -> None:
        """Put what stands in opened and joined APDUs into the columns; `again`: rows that were opened."""
        columns = self.analysis.first_look
        if again:
            columns.restore(again, list(self.analysis.apdus_of(np.array(again))))
        if inside:
            rows, looks = zip(*inside, strict=True)
            columns.put_inside(rows, [look.plain for look in looks], [look.inner for look in looks])

    def _keep_facts(self, row: int, look: Look) -> None:
        """Put what only a walk finds into the analysis: answers to challenges, and opened ACSE APDUs."""
        analysis = self.analysis
        analysis.hls.pop(row, None)
        analysis.refused.pop(row, None)
        analysis.acse.pop(row, None)
        verdicts = [HLS_VERDICTS[note.kind] for note in look.notes if note.kind in HLS_VERDICTS]
        if verdicts:
            analysis.hls[row] = max(verdicts)
        if look.openings and look.acse is not None:
            analysis.acse[row] = look.acse

    def _complete_further_in(self, rows: _Rows, looks: npt.NDArray[np.object_]) -> None:
        """Put what stands at no fixed place of APDUs into the columns."""
        columns, refused = self.analysis.first_look, self.analysis.refused
        missing = may_stand_further_in({name: columns[name][rows] for name in columns.names})
        for place in np.flatnonzero(missing).tolist():
            look = looks[place]
            for name, value in (further_in(look) if isinstance(look, Look) else {}).items():
                columns[name][rows[place]] = value
        for place in np.flatnonzero(may_refuse_items({name: columns[name][rows] for name in columns.names})):
            row, look = int(rows[place]), looks[place]
            references = look.request.references if look.request is not None else ()
            items = refused_items(look) if isinstance(look, Look) else ()
            refused[row] = tuple(
                RefusedItem(item, code, references[item] if item < len(references) else None)
                for item, code in items
            )

    def _opened(self, pair: int, row: int) -> Association:
        if len(self._open) >= _MAX_OPEN:
            self._open.popitem(last=False)
        kept = self._checkpoints.nearest(pair, row)
        association = self._open[pair] = kept[1] if kept is not None else self._first(pair, row)
        return association

    def _first(self, pair: int, row: int) -> Association:
        """The association of a pair before `row`, its first one."""
        association = association_of(self.analysis, pair, self._keys)
        association.row = row
        self._meters.attach(association)
        return association

    def _lines(self, rows: _Rows) -> Iterator[_Line]:
        """The columns of these rows that the walk reads, row by row."""
        analysis, seen = self.analysis, self.analysis.first_look
        wpdus, pairs = analysis.wpdus, analysis.wpdu_pairs["pair"][rows]
        unread = wpdus["marks"][rows] & NOT_READ
        service, class_id, inner = (seen[name][rows] for name in ("service", "class_id", "inner"))
        quiet = is_quiet(analysis, rows)
        said = [service, seen["invoke_id"][rows], class_id, seen["obis"][rows], seen["member"][rows]]
        columns = [rows, pairs, wpdus["direction"][rows], unread, inner, quiet]
        together = zip(*(column.tolist() for column in said), strict=True)
        return zip(*(column.tolist() for column in columns), together, strict=True)

    def _take(
        self, association: Association, line: _Line, *, wanted: bool, apdu: bytes | None = None
    ) -> AnyLook:
        """Take a row into its association; with a quiet look where it is quiet and no other is `wanted`."""
        row, _, side, unread, _, is_quiet, said = line
        association.row = row
        association.taken += 1

        quiet = pass_over(association, side, *said) if is_quiet else None
        if quiet is not None and not wanted:
            return quiet
        if unread & Mark.DAMAGED and not unread & Mark.TRUNCATED:
            # Whether a damaged frame's APDU opens is told; the association does not believe it all the same.
            doubtful = self._apdu(row) if apdu is None else apdu
            look = advance(association.copy(), doubtful, side)
            if look.openings:
                return look._replace(inner=-1, notes=(), plain=b"")
        if unread:
            return advance(association, b"", side)
        apdu = self._apdu(row) if apdu is None else apdu
        if quiet is not None:
            return plain_look(association, side, quiet, apdu)
        return advance(association, apdu, side)

    # One row.

    def look(self, row: int, octets: bytes | None = None) -> Look:
        """The look at the APDU of a WPDU row: verdict, context for the decoder, remarks.

        `octets`: the row's, where they are at hand already. Raises CaptureError and OSError when the
        capture's octets cannot be read.
        """
        with self._at_once():
            final, known = self._looks.get(row, (False, None))
            if known is not None and final == (row < self.passed):
                return known
            return self._look(row, octets)

    def _look(self, row: int, octets: bytes | None) -> Look:
        pair = self.analysis.wpdu_pairs["pair"].item(row)
        passed = row < self.passed
        start, association = 0, None
        if passed:
            start, association = self._checkpoints.nearest(pair, row) or (0, None)
        elif pair in self._open:
            start, association = self.passed, self._open[pair].copy()
        rows = np.flatnonzero(self.analysis.wpdu_pairs["pair"][start : row + 1] == pair) + start
        association = association or self._first(pair, int(rows[0]))
        association.set_apart()
        look: AnyLook | None = None
        for line in self._lines(rows if passed else self._nearest(rows)):
            last = line[0] == row
            at_hand = self._apdu(row, octets) if last else None
            look = self._take(association, line, wanted=last or not passed, apdu=at_hand)
            if isinstance(look, Look):
                self._attach_apart(association)
                if last or not passed:
                    self._remember(line[0], passed, look)
        assert isinstance(look, Look)  # the last one was wanted
        return look

    def _apdu(self, row: int, octets: bytes | None = None) -> bytes:
        """The APDU of a row; `octets`: the row's, where they are at hand."""
        octets = self.analysis.octets(row) if octets is None else octets
        return apdu_octets(octets, self.analysis.wpdus["framing"].item(row))

    def _nearest(self, rows: _Rows) -> _Rows:
        """The last rows of a pair, and of those before them the ones that make the association."""
        early = rows[:-WINDOW]
        tags = self.analysis.wpdus["apdu_tag"][early]
        begun = np.flatnonzero(tags == t.AARQ)
        early, tags = (array[begun[-1] if len(begun) else 0 :] for array in (early, tags))
        return np.concatenate([early[_LASTING[tags]][-WINDOW:], rows[-WINDOW:]])

    def _attach_apart(self, association: Association) -> None:
        """Give an association the scalers of its meter, without teaching that anything."""
        before = association.scalers
        self._meters.attach(association)
        if association.scalers is not before:
            association.scalers = association.scalers.apart()

    def _remember(self, row: int, passed: bool, look: Look) -> None:
        if look.context.joined is not None and len(look.context.joined) > _MAX_KEPT:
            return
        self._looks[row] = passed, look
        self._looks.move_to_end(row)
        if len(self._looks) > _MAX_LOOKS:
            self._looks.popitem(last=False)

    def decode(self, row: int, look: Look | None = None, octets: bytes | None = None) -> Decoded:
        """The tree of a WPDU row, opened and named as far as can be, remarks among its problems.

        `look` and `octets`: the row's, where they are at hand already. Raises as `look` does.
        """
        octets = self.analysis.octets(row) if octets is None else octets
        if not octets and self.analysis.wpdus["size"].item(row):
            return GONE_TREE
        look = look or self.look(row, octets)
        framing = Framing(self.analysis.wpdus["framing"].item(row))
        decoded = decode_framed(octets, framing, look.context)
        if not look.notes:
            return decoded
        start = min(apdu_start(framing), len(octets))
        notes = tuple(
            Problem(start, len(octets), note.message, note.clause, note.severity, 0, note.kind.word)
            for note in look.notes
        )
        return decoded._replace(problems=decoded.problems + notes)

    def info(self, row: int, look: Look | None = None, octets: bytes | None = None) -> str:
        """The info line of this WPDU row; `look` and `octets` as for `decode`."""
        octets = self.analysis.octets(row) if octets is None else octets
        look = look or self.look(row, octets)
        return summarise(self.decode(row, look, octets), look.context)


def association_of(analysis: Analysis, pair: int, keys: KeyTable) -> Association:
    """The association of a pair's row, before its first APDU."""
    pairs = analysis.pairs
    wports = (int(pairs["near"][pair]), int(pairs["far"][pair]))
    association = Association(keys, Place(analysis.endpoints(int(pairs["stream"][pair])), wports))
    association.client_side = 0 if analysis.dlms_client_is_near(pair) else 1
    return association
