"""A meter's associations: one for each client wPort, logical device and connection; APDUs in, answers out."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from cosemscope.application.meter.server_association import ServedClient, ServerAssociation

#: Associations at most; the one that has been silent longest is forgotten.
MOST_ASSOCIATIONS = 256


class MeterServer:
    """`wports` are those of the logical devices; `client_at` says what a client of one is granted.

    `link` names the connection or the sender of a datagram: an association ends with its connection.
    """

    def __init__(self, wports: tuple[int, ...], client_at: Callable[[int, int], ServedClient]) -> None:
        self.wports = wports
        self._client_at = client_at
        self._associations: OrderedDict[tuple[Hashable, int, int], ServerAssociation] = OrderedDict()

    def receive(
        self, apdu: bytes, source_wport: int, destination_wport: int, now: float, link: Hashable = None
    ) -> list[bytes]:
        """The answers to an APDU of the client at `source_wport`, for a logical device; `now` in seconds."""
        if destination_wport not in self.wports:
            return []
        place = (link, source_wport, destination_wport)
        association = self._associations.get(place)
        if association is None:
            if len(self._associations) >= MOST_ASSOCIATIONS:
                self._associations.popitem(last=False)
            association = ServerAssociation(self._client_at(source_wport, destination_wport))
            self._associations[place] = association
        else:
            self._associations.move_to_end(place)
        return association.receive(apdu, now)

    def link_closed(self, link: Hashable) -> None:
        """A connection is over, and with it its associations."""
        for place in [place for place in self._associations if place[0] == link]:
            del self._associations[place]
