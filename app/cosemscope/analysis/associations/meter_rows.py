"""Which WPDU rows are of one meter, whatever the connection: to walk for what they tell (see `meters`).

A meter is known here by the title in the first AARE, or general- header, of a wPort pair, else by the
server's place.
"""

from collections.abc import Hashable
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets

_TITLED = np.zeros(257, np.bool_)
_TITLED[[t.AARE, t.GENERAL_GLO, t.GENERAL_DED]] = True
#: How a responding-AP-title of eight octets begins.
_RESPONDING = b"\xa4\x0a\x04\x08"


class MeterRows:
    """The wPort pairs that may belong to the same meter, and their WPDU rows: to walk for what they tell.

    Titles are read out of the first AARE, or general- header, of each pair, some at a time (`read_on`).
    """

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._seen = 0
        self._unread: dict[int, int] = {}
        self._titles: dict[int, bytes] = {}
        self._pairs: dict[bytes, list[int]] = {}

    @property
    def complete(self) -> bool:
        """Whether all titles are read."""
        return not self._unread

    def read_on(self, count: int) -> None:
        """Take in the rows that came since, and read so many titles."""
        analysis, start = self._analysis, self._seen
        self._seen = len(analysis.wpdu_pairs)  # which a row gets last, where another thread reads on
        rows = np.flatnonzero(_TITLED[analysis.wpdus["apdu_tag"][start : self._seen]]) + start
        pairs, first = np.unique(analysis.wpdu_pairs["pair"][rows], return_index=True)
        for pair, row in zip(pairs.tolist(), rows[first].tolist(), strict=True):
            if pair not in self._titles:
                self._unread.setdefault(pair, row)
        for pair in list(islice(self._unread, count)):
            self._read(pair)

    def meter(self, pair: int) -> Hashable:
        """What the pairs of one meter have in common: a title, a place, or nothing but the pair itself."""
        self._read(pair)
        if pair in self._titles:
            return self._titles[pair]
        if not self._analysis.dlms_client_is_near(pair):
            return pair
        return tuple(_servers(self._analysis, np.array([pair]))[0].tolist())

    def pairs(self, pair: int) -> npt.NDArray[np.int64]:
        """The pairs that have the same meter."""
        self._read(pair)
        if pair in self._titles:
            return np.array(self._pairs[self._titles[pair]])
        if not self._analysis.dlms_client_is_near(pair):
            return np.array([pair])
        pairs = self._analysis.pairs
        chosen = np.flatnonzero(pairs["client_votes"] >= pairs["server_votes"])
        ends = _servers(self._analysis, chosen)
        found: npt.NDArray[np.int64] = chosen[(ends == ends[chosen == pair][0]).all(1)]
        return found

    def rows(self, pairs: npt.NDArray[np.int64], start: int = 0) -> npt.NDArray[np.int64]:
        """The rows of these pairs, from `start` on."""
        owners = self._analysis.wpdu_pairs["pair"][start:]
        if len(pairs) < 2:
            return np.flatnonzero(owners == pairs[0]) + start if len(pairs) else np.zeros(0, np.int64)
        wanted = np.zeros(len(self._analysis.pairs), np.bool_)
        wanted[pairs] = True
        return np.flatnonzero(wanted.take(owners)) + start

    def _read(self, pair: int) -> None:
        row = self._unread.pop(pair, None)
        title = self._title(row) if row is not None else None
        if title is not None:
            self._titles[pair] = title
            self._pairs.setdefault(title, []).append(pair)

    def _title(self, row: int) -> bytes | None:
        framing = Framing(self._analysis.wpdus["framing"].item(row))
        apdu = apdu_octets(self._analysis.octets(row), framing)
        start = 2 if apdu[1:2] == bytes((TITLE_SIZE,)) else apdu.find(_RESPONDING, 0, 256) + len(_RESPONDING)
        title = apdu[start : start + TITLE_SIZE]
        return title if start != len(_RESPONDING) - 1 and len(title) == TITLE_SIZE else None


def _servers(analysis: Analysis, pairs: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """The server's address, port and wPort of each of these pairs, as numbers."""
    stream = analysis.pairs["stream"][pairs]
    flow, side = analysis.streams["flow"][stream], analysis.streams["client_side"][stream]
    flows = analysis.flows
    columns = [
        np.where(side == 1, flows[f"a_{what}"][flow], flows[f"b_{what}"][flow]).astype(np.uint64)
        for what in ("high", "low", "port")
    ]
    columns += [flows["family"][flow].astype(np.uint64), analysis.pairs["far"][pairs].astype(np.uint64)]
    return np.stack(columns, axis=1)
