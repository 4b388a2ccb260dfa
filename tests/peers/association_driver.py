"""Drives a client association of ours over a link: what it wants sent is sent, what comes is received."""

from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_events import (
    ClientEvent,
    RequestAnswered,
    RequestProgress,
    TransmitApdu,
)
from cosemscope.application.client.service_operations import Operation, PartResult
from cosemscope.live.links.tcp_link import TcpLink


class AssociationDriver:
    """An association of `client` over `link`."""

    def __init__(self, client: ClientAssociation, link: TcpLink) -> None:
        self.client = client
        self._link = link
        self.exchanges = 0

    async def until_told(self, events: tuple[ClientEvent, ...]) -> ClientEvent:
        """Send and receive until something is told that is neither to be sent nor progress."""
        waiting = list(events)
        while True:
            while waiting:
                event = waiting.pop(0)
                if isinstance(event, TransmitApdu):
                    await self._link.send(event.octets)
                    self.exchanges += 1
                elif not isinstance(event, RequestProgress):
                    assert not waiting
                    return event
            waiting += self.client.receive(await self._link.receive(), 0)

    async def results(self, operation: Operation) -> tuple[PartResult, ...]:
        """The results of an operation."""
        _, events = self.client.request(operation, 0)
        told = await self.until_told(events)
        assert isinstance(told, RequestAnswered), told
        return told.results
