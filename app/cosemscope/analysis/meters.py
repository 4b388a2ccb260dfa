"""Which associations are with the same meter, and what one of them told that holds for the others.

A head-end that connects anew for every reading asks for a scaler once: it holds for the later connections to
the same meter, whoever the client is. A meter is known by its system title and wPort; where none is told, by
the server's address, port and wPort, unless meters of different titles were seen there. Where the server is
the one that connects (push), many may come from behind one address: there only a title tells.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.association import Association
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.framing import Framing
from cosemscope.analysis.scalers import Scalers
from cosemscope.analysis.trees import apdu_octets
from cosemscope.apdu import tags as t
from cosemscope.apdu.suites import TITLE_SIZE

_MAX_METERS = 65_536
_MAX_TITLES = 8
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


class _Place(NamedTuple):
    """A logical device by its address."""

    address: str
    port: int
    wport: int


class _AtPlace:
    """What associations without a title told there; the titles of the others, by their first rows."""

    __slots__ = ("scalers", "titles")

    def __init__(self) -> None:
        self.scalers = Scalers()
        self.titles: dict[bytes, int] = {}

    def saw(self, title: bytes, row: int) -> None:
        """This title was seen there, in this row."""
        if title in self.titles or len(self.titles) < _MAX_TITLES:
            self.titles[title] = min(row, self.titles.get(title, row))

    def is_one_meter(self, row: int) -> bool:
        """Whether one title at most was seen there up to this row."""
        return sum(first <= row for first in self.titles.values()) < 2


class Meters:
    """The scalers of the meters used last, 65,536 of them."""

    def __init__(self) -> None:
        self._titled: OrderedDict[tuple[bytes, int], Scalers] = OrderedDict()
        self._places: OrderedDict[_Place, _AtPlace] = OrderedDict()

    def attach(self, association: Association) -> None:
        """Give an association the scalers of its meter, as far as it is known which that is."""
        side = 1 - association.client_side
        title = association.titles[side]
        if association.attached == (side, title):
            return
        association.attached = (side, title)
        if association.place.wports:
            association.scalers = self._scalers(association, side, title)

    def _scalers(self, association: Association, side: int, title: bytes | None) -> Scalers:
        endpoints, wports = association.place
        there = None
        if side == 1:
            there = _kept(self._places, _Place(*endpoints[side], wports[side]), _AtPlace)
        if title is not None:
            if there is not None:
                there.saw(title, association.row)
            return _kept(self._titled, (title, wports[side]), Scalers)
        return there.scalers if there is not None and there.is_one_meter(association.row) else Scalers()


def _kept(known: OrderedDict[_Key, _Kept], key: _Key, make: Callable[[], _Kept]) -> _Kept:
    """What is known under this key, else a new one; the one that was not used for longest is forgotten."""
    found = known.get(key)
    if found is None:
        if len(known) >= _MAX_METERS:
            known.popitem(last=False)
        found = known[key] = make()
    known.move_to_end(key)
    return found


# Rows of a meter.

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
