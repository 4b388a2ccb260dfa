"""Associations with the same meter share the scalers that one of them was told.

A head-end that connects anew for every reading asks for a scaler once: it holds for the later connections to
the same meter, whoever the client is. A meter is known by its system title and wPort; where none is told, by
the server's address, port and wPort, unless meters of different titles were seen there. Where the server is
the one that connects (push), many may come from behind one address: there only a title tells.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from cosemscope.analysis.associations.association import Association
from cosemscope.analysis.associations.scalers import Scalers

_MAX_METERS = 65_536
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


class _Place(NamedTuple):
    """A logical device by its address."""

    address: str
    port: int
    wport: int


class _AtPlace:
    """Scalers that associations without a title were told there; the first two titles, by their rows."""

    __slots__ = ("scalers", "titles")

    def __init__(self) -> None:
        self.scalers = Scalers()
        self.titles: dict[bytes, int] = {}

    def saw(self, title: bytes, row: int) -> None:
        """This title was seen there, in this row."""
        self.titles[title] = min(row, self.titles.get(title, row))
        if len(self.titles) > 2:
            del self.titles[max(self.titles, key=self.titles.__getitem__)]

    def is_one_meter(self, row: int) -> bool:
        """True if one title at most was seen there up to this row."""
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
    """The entry of this key, else a new one; the one that was not used for longest is forgotten."""
    found = known.get(key)
    if found is None:
        if len(known) >= _MAX_METERS:
            known.popitem(last=False)
        found = known[key] = make()
    known.move_to_end(key)
    return found
