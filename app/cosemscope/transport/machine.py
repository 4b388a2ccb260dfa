"""The state machine of `states.TABLE` at work: where it stands, what an input does to it.

It makes no primitive and calls no socket. What the actions of the table do is for the class that derives
from it to say, in a method for each.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple

from cosemscope.transport.errors import LocalProtocolError
from cosemscope.transport.parameters import Quadruple, ReasonOfFailure
from cosemscope.transport.primitives import TcpDataRequest
from cosemscope.transport.states import TABLE, Action, Connection, Input, Receiving, Row, Sending
from cosemscope.transport.wpdu import BadVersion, Octets, WpduReceived

_NOWHERE: Final = Quadruple("0.0.0.0", 0, "0.0.0.0", 0)


class Occurrence(NamedTuple):
    """An input with what belongs to it."""

    input: Input
    now: float
    quadruple: Quadruple | None = None
    request: TcpDataRequest | None = None
    octets: Octets = b""
    received: WpduReceived | None = None
    reason: ReasonOfFailure = ReasonOfFailure.LINK_LOST
    problem: BadVersion | None = None


class Machine:
    """Three machines that one table rules: the connection, and within it sending and receiving."""

    _do: ClassVar[dict[Action, Callable[[Any, Occurrence], None]]]

    def __init__(self) -> None:
        self._connection = Connection.NO_CONNECTION
        self._sending = Sending.IDLE
        self._receiving = Receiving.IDLE
        self._quadruple = _NOWHERE

    @property
    def connection(self) -> Connection:
        """The state of the connection."""
        return self._connection

    @property
    def sending(self) -> bool:
        """A WPDU is being handed over to TCP: back-pressure, if it lasts."""
        return self._sending is Sending.SENDING

    @property
    def receiving(self) -> bool:
        """A WPDU has begun to arrive and is not whole yet."""
        return self._receiving is Receiving.RECEIVING

    @property
    def state(self) -> str:
        """The state in words: "connected, sending"."""
        busy = (machine.value for machine in (self._sending, self._receiving) if machine.name != "IDLE")
        return ", ".join((self._connection.value, *busy))

    def _row(self, state: Connection | Sending | Receiving, kind: Input) -> Row:
        row = TABLE[state].get(kind)
        if row is None:
            raise LocalProtocolError(f"{kind.value} is not allowed in the state: {self.state}", self.state)
        return row

    def _fire(self, what: Occurrence) -> None:
        """An input to the connection."""
        row = self._row(self._connection, what.input)
        assert isinstance(row.next, Connection)
        was_over = self._connection is Connection.NO_CONNECTION
        if what.quadruple is not None:
            self._quadruple = what.quadruple
        self._connection = row.next
        self._act(row, what)
        if row.next is Connection.NO_CONNECTION and not was_over:
            self._forget()

    def _fire_sending(self, what: Occurrence) -> None:
        row = self._row(self._sending, what.input)
        assert isinstance(row.next, Sending)
        self._sending = row.next
        self._act(row, what)

    def _fire_receiving(self, what: Occurrence) -> None:
        row = self._row(self._receiving, what.input)
        assert isinstance(row.next, Receiving)
        self._receiving = row.next
        self._act(row, what)

    def _act(self, row: Row, what: Occurrence) -> None:
        for action in row.actions:
            self._do[action](self, what)

    def _forget(self) -> None:
        """The connection is over."""
        self._sending, self._receiving = Sending.IDLE, Receiving.IDLE
