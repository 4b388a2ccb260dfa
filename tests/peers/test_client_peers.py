"""The client of scripts reads a server that other people wrote, in blocks and by lists."""

import subprocess
from collections.abc import Callable

import pytest

from cosemscope.application.encoding.data_values import octet_string
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.meter_access import MeterAccess
from cosemscope.live.client.meter_client import connect_meter
from tests.helpers.coroutines import run
from tests.peers.test_peers import gurux_server


def test_the_gurux_server_is_read_by_name(start_peer: Callable[..., "subprocess.Popen[str]"]) -> None:
    """Logical names without classes, a value in blocks, many at once; its broken RLRE ends nothing badly."""

    async def work() -> None:
        port = gurux_server(start_peer)
        async with connect_meter("127.0.0.1", port, access=MeterAccess(max_pdu_size=256)) as meter:
            name = octet_string(b"GRX0000000000001")
            assert (await meter.read("0.0.42.0.0.255")).value == name
            long = octet_string(bytes(index % 251 for index in range(1000)))
            assert (await meter.read("0.0.96.1.0.255")).value == long
            both = await meter.read_many(["0.0.42.0.0.255", "0.0.42.0.0.255"])
            assert [one.value for one in both] == [name, name]
            # Of a list that does not fit in one APDU it says that it has no elements, and sends them behind.
            with pytest.raises(MeterError, match="the answer is broken"):
                await meter.read_many(["0.0.42.0.0.255", "0.0.96.1.0.255"])

    run(work())
