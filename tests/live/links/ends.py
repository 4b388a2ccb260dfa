"""What the tests of TCP links have at both ends: a server that echoes, an observer, the fault of a link."""

from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.transport.primitives import Primitive

APDU = bytes.fromhex("c001c1000100002a0000ff0200")


async def echo(link: TcpLink) -> None:
    """Answer every APDU with itself, after a tag of its own."""
    while True:
        await link.send(b"\xc4" + await link.receive())


class Primitives:
    """Keeps the primitives that a link's observer is told."""

    def __init__(self) -> None:
        self.seen: list[Primitive] = []

    def __call__(self, link: TcpLink, event: object) -> None:
        if isinstance(event, Primitive):
            self.seen.append(event)

    @property
    def names(self) -> list[str]:
        return [primitive.name for primitive in self.seen]


async def fault_of(link: TcpLink) -> LinkError:
    """The error with which receiving ends."""
    try:
        while True:
            await link.receive()
    except LinkError as error:
        return error
