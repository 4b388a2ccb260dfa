"""Which application entities there are on this side: the wPorts bound to them.

One object may be shared by all connections and datagram ports of a device. 6.3.4 makes the wPorts of 5.3.4
valid for TCP, so the rule for a destination is the same in both transport layers: a bound wPort gets the
WPDU, All-station reaches every bound logical device (server side only; a client may use 0x007F as a SAP of
its own), anything else is discarded without an answer. 5.3.5 says so for UDP. Of 6.3 only the reference to
5.3.4 was seen, but a WPDU for nobody has nobody to answer it there either, and 6.2.5 has indications for
bound wPorts. Whether TCP's connection may be closed on it no passage says: we keep it.

No-station, as source or destination, has no meaning in a message (Table 1). Devices that use it are in the
field, so it is delivered where it is bound, and answered to where it came from; whoever shows traffic
remarks it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cosemscope.transport.errors import LocalProtocolError
from cosemscope.transport.wpdu import Wpdu
from cosemscope.transport.wports import ALL_STATION, Side


@dataclass(frozen=True, slots=True)
class WpduDiscarded:
    """A whole WPDU came for a wPort that is not bound and was discarded. A report, no primitive."""

    wpdu: Wpdu
    start: int


class WPortBindings:
    """The wPorts bound on one side, in ascending order when iterated.

    `every`: all count as bound, for who wants to see whatever comes; iteration gives those bound by name.
    """

    def __init__(self, side: Side, wports: Iterable[int] = (), *, every: bool = False) -> None:
        self.side = side
        self.every = every
        self._bound: set[int] = set()
        for wport in wports:
            self.bind(wport)

    def bind(self, wport: int) -> None:
        """Bind a wPort. LocalProtocolError if it is bound already or names no single entity.

        No-station (0) is let through: devices that use it are in the field.
        """
        if not 0 <= wport <= 0xFFFF:
            raise LocalProtocolError(f"a wPort is 0 to 65535, not {wport}")
        if self.side is Side.SERVER and wport == ALL_STATION:
            raise LocalProtocolError("wPort 0x007F is All-station: it cannot be bound to one logical device")
        if wport in self._bound:
            raise LocalProtocolError(f"wPort 0x{wport:04X} is bound already")
        self._bound.add(wport)

    def unbind(self, wport: int) -> None:
        """Take a binding back. LocalProtocolError if there is none."""
        if wport not in self._bound:
            raise LocalProtocolError(f"wPort 0x{wport:04X} is not bound")
        self._bound.remove(wport)

    def __contains__(self, wport: object) -> bool:
        return wport in self._bound or (self.every and isinstance(wport, int) and 0 <= wport <= 0xFFFF)

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._bound))

    def __len__(self) -> int:
        return len(self._bound)

    def is_broadcast(self, destination: int) -> bool:
        """Whether a WPDU to `destination` is for every logical device here."""
        return destination == ALL_STATION and self.side is Side.SERVER

    def receivers(self, destination: int) -> tuple[int, ...]:
        """The bound wPorts that a WPDU to `destination` is delivered to; empty: discard it."""
        if self.is_broadcast(destination) and not self.every:
            return tuple(sorted(self._bound))
        return (destination,) if destination in self else ()
