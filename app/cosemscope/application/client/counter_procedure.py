"""Learning the invocation counter as the public client, before an association that is ciphered.

The counter stands in a Data object, 0.0.43.1.e.255 with e the security setup (0 for the first), attribute 2,
which any client may read (IEC 62056-6-2, invocation counter objects). The procedure is an association of its
own over a connection of its own, from the public client's wPort; sans I/O as that is.
"""

from dataclasses import replace

from cosemscope.application.client.association_parameters import PUBLIC_CLIENT, AssociationParameters
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_events import (
    AssociationAborted,
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    ClientEvent,
    RequestAnswered,
    RequestFailed,
)
from cosemscope.application.client.client_states import ClientState
from cosemscope.application.client.refusals import Refusal, at_client
from cosemscope.application.client.service_operations import attribute, get

_DATA = 1


def counter_name(security_setup: int = 0) -> bytes:
    """The logical name of the invocation counter of a security setup."""
    return bytes((0, 0, 43, 1, security_setup, 255))


class CounterProcedure:
    """Associates, reads the counter, releases; `counter` is what was read, or `refusal` says why not.

    It is over when `over` is true: the connection may be closed. `counter` is the last one that the server
    knows of; the next association has to begin above it (`AssociationParameters.counter`).
    """

    def __init__(self, security_setup: int = 0, public: AssociationParameters = PUBLIC_CLIENT) -> None:
        self._name = counter_name(security_setup)
        self._client = ClientAssociation(replace(public, parallel=1))
        self.counter: int | None = None
        self.refusal: Refusal | None = None
        self.over = False

    @property
    def deadline(self) -> float | None:
        """When `time_out` is to be called."""
        return self._client.deadline

    def begin(self, now: float) -> tuple[ClientEvent, ...]:
        """What to send first."""
        return self._follow(self._client.associate(now), now)

    def receive(self, octets: bytes, now: float) -> tuple[ClientEvent, ...]:
        """One APDU has been received."""
        return self._follow(self._client.receive(octets, now), now)

    def time_out(self, now: float) -> tuple[ClientEvent, ...]:
        """The time has come that `deadline` said."""
        return self._follow(self._client.time_out(now), now)

    def link_lost(self, now: float, sentence: str = "the connection is gone") -> tuple[ClientEvent, ...]:
        """The connection has ended."""
        return self._follow(self._client.link_lost(now, sentence), now)

    def _follow(self, events: tuple[ClientEvent, ...], now: float) -> tuple[ClientEvent, ...]:
        """The events, and those of what comes next in the procedure."""
        further: tuple[ClientEvent, ...] = ()
        for event in events:
            match event:
                case AssociationOpened():
                    _, further = self._client.request(get(attribute(_DATA, self._name, 2)), now)
                case RequestAnswered():
                    self._take(event)
                    further = self._client.release(now)
                case RequestFailed():
                    self.refusal = self.refusal or event.refusal
                    if self._client.state is ClientState.ASSOCIATED:
                        further = self._client.release(now)
                case AssociationRefused():
                    self.refusal, self.over = event.refusal, True
                case AssociationReleased() | AssociationAborted():
                    self.over = True
                    if self.counter is None and self.refusal is None:
                        self.refusal = at_client("the counter was not read: the association ended before")
        return events + self._follow(further, now) if further else events

    def _take(self, answered: RequestAnswered) -> None:
        result = answered.results[0]
        value = result.value.value if result.value is not None else None
        if isinstance(value, int) and 0 <= value < 2**32:
            self.counter = value
        else:
            words = "the invocation counter holds no number that a counter can be"
            self.refusal = result.refusal or at_client(words, "check which security setup is in use")
