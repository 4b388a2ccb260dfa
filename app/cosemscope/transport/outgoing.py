"""The way of TCP-DATA.requests to TCP: those that wait, the one being handed over, those not acknowledged.

6.3.5.4: one WPDU is handed over with as many SENDs as it takes, and no second one begins before, as the
header has nothing to tell interleaved WPDUs apart.
"""

from collections import deque

from cosemscope.transport.primitives import TcpDataRequest
from cosemscope.transport.wpdu import HEADER_SIZE, Wpdu


class Outgoing:
    """Requests in order; every one goes from waiting to current to (where wanted) unacknowledged."""

    def __init__(self, *, track_acknowledgements: bool) -> None:
        self._track = track_acknowledgements
        self._waiting: deque[TcpDataRequest] = deque()
        self._current: TcpDataRequest | None = None
        self._rest = memoryview(b"")
        self._unacknowledged: deque[tuple[int, TcpDataRequest]] = deque()  # stream offset of its end
        self._octets = 0
        self._accepted = 0

    @property
    def waiting(self) -> int:
        """Requests that no SEND was called for."""
        return len(self._waiting)

    @property
    def requests(self) -> int:
        """Requests that are not wholly accepted."""
        return len(self._waiting) + (self._current is not None)

    @property
    def octets(self) -> int:
        """Octets of WPDUs that SEND has not accepted."""
        return self._octets

    @property
    def rest(self) -> memoryview:
        """The octets of the current WPDU that SEND has not accepted."""
        return self._rest

    @property
    def unacknowledged(self) -> int:
        """Requests that were wholly accepted and that the peer's TCP has not acknowledged."""
        return len(self._unacknowledged)

    def add(self, request: TcpDataRequest) -> None:
        """Put a request at the end."""
        self._waiting.append(request)
        self._octets += HEADER_SIZE + len(request.data)

    def begin(self) -> bool:
        """Make a WPDU of the first request that waits; False if none does."""
        if not self._waiting:
            return False
        request = self._current = self._waiting.popleft()
        self._rest = memoryview(Wpdu(request.local_wport, request.remote_wport, request.data).encode())
        return True

    def accept(self, count: int) -> TcpDataRequest | None:
        """SEND has taken `count` octets of the current WPDU; returns its request if it is whole now."""
        self._rest = self._rest[count:]
        self._octets -= count
        self._accepted += count
        if self._rest:
            return None
        request, self._current = self._current, None
        if self._track and request is not None:
            self._unacknowledged.append((self._accepted, request))
        return request

    def acknowledge(self, total: int) -> list[TcpDataRequest]:
        """The peer's TCP has all octets before stream offset `total`; the requests that are wholly there."""
        done = []
        while self._unacknowledged and self._unacknowledged[0][0] <= total:
            done.append(self._unacknowledged.popleft()[1])
        return done

    def give_up(self) -> tuple[list[TcpDataRequest], list[TcpDataRequest]]:
        """Forget everything; returns what was not acknowledged and what was not wholly accepted, in order."""
        unacknowledged = [request for _, request in self._unacknowledged]
        unaccepted = [*([self._current] if self._current else []), *self._waiting]
        self._waiting.clear()
        self._unacknowledged.clear()
        self._current, self._rest = None, memoryview(b"")
        self._octets = self._accepted = 0
        return unacknowledged, unaccepted
