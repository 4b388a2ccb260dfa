"""Message sequence charts as tests: `>>` feeds the transport layer, `<<` says what it does next.

    book >> submitted(TcpConnectRequest(...))
    book << Open(True, ...)
    book >> after(10)

Every line has to match exactly: feeding while something has come out that no line named fails the test, and
so does ending. Primitives and calls are compared whole.
"""

from collections.abc import Callable
from typing import Any, Protocol

from cosemscope.transport.parameters import Quadruple, ReasonOfFailure
from cosemscope.transport.tcp import TcpTransport


class Core(Protocol):
    def next_event(self) -> Any: ...


Feed = Callable[[Any, float], None]


class Playbook:
    """One end of a chart. Used as a context manager, it checks at the end that nothing is left over."""

    def __init__(self, core: Core, now: float = 0.0) -> None:
        self.core = core
        self.now = now

    def __enter__(self) -> "Playbook":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._nothing_more()

    def _nothing_more(self) -> None:
        event = self.core.next_event()
        assert event is None, f"not in the chart: {event}"

    def __rshift__(self, feed: Feed) -> "Playbook":
        self._nothing_more()
        if isinstance(feed, after):
            self.now += feed.seconds
        feed(self.core, self.now)
        return self

    def __lshift__(self, expected: Any) -> "Playbook":
        event = self.core.next_event()
        assert event == expected, f"the chart has {expected}, but this came: {event}"
        assert type(event) is type(expected)
        return self


def submitted(primitive: Any) -> Feed:
    """A service user hands down a primitive."""
    return lambda core, now: core.submit(primitive, now)


def listening(address: str, port: int) -> Feed:
    return lambda core, now: core.listen(address, port, now)


def established(quadruple: Quadruple) -> Feed:
    """The handshake is done."""
    return lambda core, now: core.opened(quadruple, now)


def not_established(reason: ReasonOfFailure) -> Feed:
    return lambda core, now: core.open_failed(reason, now)


def received(octets: bytes) -> Feed:
    """RECEIVE returns octets."""
    return lambda core, now: core.octets_received(octets, now)


def accepted(count: int) -> Feed:
    """SEND returns the number of octets taken."""
    return lambda core, now: core.octets_sent(count, now)


def acknowledged(total: int) -> Feed:
    """The peer's TCP has acknowledged all octets up to `total`."""
    return lambda core, now: core.octets_acknowledged(total, now)


def fin() -> Feed:
    """RECEIVE meets the peer's FIN."""
    return lambda core, now: core.end_of_stream(now)


def lost(reason: ReasonOfFailure) -> Feed:
    return lambda core, now: core.connection_lost(reason, now)


def closed() -> Feed:
    return lambda core, now: core.closed(now)


class after:  # noqa: N801, reads as a word of the chart
    """Time passes, and timers are looked at."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, core: TcpTransport, now: float) -> None:
        core.handle_timeout(now)
