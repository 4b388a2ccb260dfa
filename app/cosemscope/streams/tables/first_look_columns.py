"""First-look columns stand beside the WPDU table, row for row: service, object, result, kind and more.

    analysis.first_look["service"][rows], analysis.first_look["kind"][rows], ...

Names, types and "none" are those of `apdu.first_look.FIRST_LOOK_FIELDS`. The columns are filled for every
batch while it is loaded, from the octets at hand. The walk over associations (`analysis.bulk`) puts the
innermost APDU of opened and joined ones into the same columns, and its tag into one more: `inner` (int16, -1
where none was opened or joined). `security` and `invocation_counter` stay those of the envelope.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.first_look import (
    FIRST_LOOK_FIELDS,
    NOTHING_SEEN,
    WIDTH,
    ApduKind,
    FirstLook,
    look,
    look_at,
)
from cosemscope.capture.columns import Columns
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.tables.row_apdus import HEADER_SIZES, apdu_octets
from cosemscope.streams.tables.wpdu_table import WpduTable

#: Most octets before the APDU and of it that are gathered from several extents, and most extents for that.
_GATHERED = int(HEADER_SIZES.max()) + WIDTH
_MOST_EXTENTS = 8
#: Octets of a row in which the beginning of its APDU is: more than one HDLC frame has.
_LOOKED_AT = 1 << 12
#: What an envelope says itself.
_OF_ENVELOPES = frozenset(
    ("security", "invocation_counter", "block", "last_block", "general_block", "general_last", "general_ack")
)


class FirstLookColumns(Columns):
    """First looks, one row a WPDU. Only the thread that steps may add and change rows."""

    def __init__(self) -> None:
        super().__init__({**FIRST_LOOK_FIELDS, "inner": "i2"})

    def add(self, wpdus: WpduTable, rows: slice, source: PayloadSource) -> None:
        """Add the looks at the WPDUs `rows`, the next ones; octets that are at hand are not read again.

        Raises CaptureError and OSError when octets of an earlier batch cannot be read.
        """
        added = self.extend(rows.stop - rows.start, **NOTHING_SEEN, inner=-1)
        found = {name: self[name][added] for name in FIRST_LOOK_FIELDS}
        # Invariant: `there` marks the rows whose columns are filled; those of no other row are touched.
        address, size, framing = (wpdus[name][rows] for name in ("address", "size", "framing"))
        header = HEADER_SIZES[framing]
        there = source.at_hand(address) & (header >= 0)
        whole = np.flatnonzero(there)
        begin = address[whole] + header[whole]
        look_at(source.heads(begin, WIDTH), size[whole] - header[whole], found, whole)
        spread = np.flatnonzero((address < 0) & (header >= 0))
        if len(spread):
            heads, sizes, known = _joined(wpdus, rows.start + spread, header[spread], source)
            there[spread[known]] = True
            look_at(heads, sizes, found, spread[known])
        rest = np.flatnonzero(~there)
        if len(rest):
            apdus = [_apdu(wpdus, rows.start + row, source) for row in rest.tolist()]
            self._put(rows.start + rest, look(apdus))

    def put_inside(self, rows: Sequence[int], apdus: Sequence[bytes], inner: Sequence[int]) -> None:
        """Fill `rows` from the innermost APDUs that were found in theirs; `inner`: the tags of these.

        Security and counter stay those of the envelope, a block that of a block transfer.
        """
        index, seen = np.array(rows), look(apdus)
        for name in _OF_ENVELOPES:
            there = seen[name] >= 0
            self[name][index[there]] = seen[name][there]
        self._put(index, {name: column for name, column in seen.items() if name not in _OF_ENVELOPES})
        self["inner"][index] = inner

    def restore(self, rows: Sequence[int], apdus: Sequence[bytes]) -> None:
        """Fill `rows` from their own APDUs again: what was opened with other keys is forgotten."""
        index = np.array(rows)
        self._put(index, look(apdus))
        self["inner"][index] = -1

    def set_notifications(self, rows: npt.NDArray[np.int64]) -> None:
        """These rows, int64[n], tell something unasked and carry no APDU: nothing else was seen in them."""
        for name, value in NOTHING_SEEN.items() if len(rows) else ():
            self[name][rows] = value
        self["kind"][rows] = ApduKind.NOTIFICATION

    def _put(self, index: npt.NDArray[np.intp], seen: FirstLook) -> None:
        for name, column in seen.items():
            self[name][index] = column


def _joined(
    wpdus: WpduTable, rows: npt.NDArray[np.intp], header: npt.NDArray[np.int64], source: PayloadSource
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """First octets of the APDUs of rows in several extents: heads, uint8[k, 32]; sizes, int64[k], up to 32.

    The third result, intp[k], says of which `rows` they are: those whose first extents are at hand.
    """
    extent = -1 - wpdus["address"][rows]
    stop = extent + wpdus["segments"][rows]
    octets = np.zeros((len(rows), _GATHERED), np.uint8)
    filled = np.zeros(len(rows), np.int64)
    column = np.arange(_GATHERED)
    # Invariant: octets[i, : filled[i]] are the first octets of row i, `extent[i]` the extent that goes on.
    todo = np.arange(len(rows))
    for _ in range(_MOST_EXTENTS):
        address = wpdus.extents["address"][extent[todo]]
        todo, address = (array[source.at_hand(address)] for array in (todo, address))
        heads, length = source.heads(address, _GATHERED), wpdus.extents["length"][extent[todo]]
        place = filled[todo][:, None] + column
        line, place_in = np.nonzero((column < length[:, None]) & (place < _GATHERED))
        octets[todo[line], place[line, place_in]] = heads[line, place_in]
        filled[todo] = np.minimum(filled[todo] + length, _GATHERED)
        extent[todo] += 1
        todo = todo[(filled[todo] < _GATHERED) & (extent[todo] < stop[todo])]
        if not len(todo):
            break
    known = np.flatnonzero((filled == _GATHERED) | (extent == stop))
    apdu = octets[known[:, None], header[known][:, None] + column[:WIDTH]]
    return apdu, filled[known] - header[known], known


def _apdu(wpdus: WpduTable, row: int, source: PayloadSource) -> bytes:
    """The APDU of one row, as far as it was captured, or as its first octets hold it."""
    return apdu_octets(wpdus.octets(row, source.octets)[:_LOOKED_AT], int(wpdus["framing"][row]))
