"""Our client association against a server that other people wrote: it shares none of our code."""

import subprocess
from collections.abc import Callable

from cosemscope.application.client.association_parameters import AssociationParameters
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_events import AssociationOpened, AssociationReleased
from cosemscope.application.client.service_operations import attribute, get
from cosemscope.application.encoding.data_values import octet_string
from cosemscope.live.links.tcp_link import connect_tcp
from tests.helpers.coroutines import run
from tests.peers.association_driver import AssociationDriver
from tests.peers.test_peers import gurux_server

_NAME = attribute(1, bytes((0, 0, 42, 0, 0, 255)), 2)
_LONG = attribute(1, bytes((0, 0, 96, 1, 0, 255)), 2)


def test_the_gurux_server_is_read(start_peer: Callable[..., "subprocess.Popen[str]"]) -> None:
    """Association, one attribute, one in blocks, a list, and release."""

    async def work() -> None:
        port = gurux_server(start_peer)
        async with connect_tcp("127.0.0.1", port) as link:
            driver = AssociationDriver(ClientAssociation(AssociationParameters(max_pdu_size=256)), link)
            client = driver.client
            opened = await driver.until_told(client.associate(0))
            assert isinstance(opened, AssociationOpened), opened
            assert (await driver.results(get(_NAME)))[0].value == octet_string(b"GRX0000000000001")
            before = driver.exchanges
            (long,) = await driver.results(get(_LONG))
            assert long.value == octet_string(bytes(index % 251 for index in range(1000)))
            assert driver.exchanges - before == 5
            both = await driver.results(get(_NAME, _NAME))
            assert [one.value for one in both] == [octet_string(b"GRX0000000000001")] * 2
            released = await driver.until_told(client.release(0))
            # The lengths in its RLRE are too small.
            assert isinstance(released, AssociationReleased)
            assert released.note.startswith("the RLRE is broken")

    run(work())
