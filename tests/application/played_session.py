"""A client association and a played meter, joined without a network: every APDU and every event is kept."""

from typing import Any

from cosemscope.application.client.association_parameters import AssociationParameters
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_events import (
    ClientEvent,
    RequestAnswered,
    RequestFailed,
    TransmitApdu,
)
from cosemscope.application.client.service_operations import Operation, PartResult
from tests.application.played_meter import PlayedMeter


class PlayedSession:
    """`sent` are the client's APDUs, `events` all else that it told; time goes on by a second an APDU."""

    def __init__(self, parameters: AssociationParameters, meter: PlayedMeter) -> None:
        self.client = ClientAssociation(parameters)
        self.meter = meter
        self.now = 0.0
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.events: list[ClientEvent] = []

    def follow(self, events: tuple[ClientEvent, ...]) -> list[ClientEvent]:
        """Carry APDUs to and fro until nobody has anything to say; what was told meanwhile."""
        before = len(self.events)
        waiting = list(events)
        while waiting:
            event = waiting.pop(0)
            if not isinstance(event, TransmitApdu):
                self.events.append(event)
                continue
            self.sent.append(event.octets)
            for octets in self.meter.answer(event.octets):
                waiting += self.hear(octets)
        return self.events[before:]

    def hear(self, octets: bytes) -> tuple[ClientEvent, ...]:
        """The client receives an APDU."""
        self.now += 1
        self.received.append(octets)
        return self.client.receive(octets, self.now)

    def associate(self) -> list[ClientEvent]:
        """The association is asked for."""
        return self.follow(self.client.associate(self.now))

    def ask(self, operation: Operation) -> list[ClientEvent]:
        """An operation, and all that is told until it is answered."""
        _, events = self.client.request(operation, self.now)
        return self.follow(events)

    def results(self, operation: Operation) -> tuple[PartResult, ...]:
        """The results of an operation that is answered."""
        answered = only(self.ask(operation), RequestAnswered)
        assert answered.operation == operation
        return answered.results

    def refusal(self, operation: Operation) -> str:
        """Why an operation failed."""
        return str(only(self.ask(operation), RequestFailed).refusal)


def only(events: Any, kind: type) -> Any:
    """The one event of a kind."""
    (found,) = [event for event in events if isinstance(event, kind)]
    return found
