"""Peers that other people wrote talk to our server and our client over the wrapper.

Each conversation is an association, a short GET, a GET in blocks, and a release. A peer that shares none of
our code is the only witness that our reading of the wrapper is the common one.
"""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.objects.object_table import ObjectView
from cosemscope.capture.files.reader import open_capture
from cosemscope.live.check.bench import CheckOptions, CheckVerdict
from cosemscope.live.check.runner import run_checks
from cosemscope.live.commands.ready_made import public_aarq, release_request
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.relay.held_edits import GoOn
from cosemscope.live.relay.relay_events import HeldGone
from tests.helpers.coroutines import run
from tests.helpers.meter import LONG, NAME, VALUES, Meter
from tests.helpers.tshark import complaints
from tests.live.relay.relays import job_for, relaying

StartPeer = Callable[..., "subprocess.Popen[str]"]


def result_of(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What a client script printed, or a failed test with its error output."""
    out, errors = process.communicate(timeout=60)
    if process.returncode:
        pytest.fail(f"the peer ended with {process.returncode}:\n{errors}", pytrace=False)
    result: dict[str, Any] = json.loads(out)
    return result


async def serve_meter(link: TcpLink) -> None:
    meter = Meter()
    while True:
        await link.send(meter.answer(await link.receive()))


@pytest.mark.parametrize("script", ["gurux_client.py", "dlms_cosem_client.py"])
def test_their_client_reads_from_our_server(script: str, start_peer: StartPeer) -> None:
    """Association, short GET, GET in blocks and release, as their client asks."""

    async def work() -> None:
        async with serve_tcp(port=0, handler=serve_meter) as server:
            process = start_peer(script, *server.address)
            result = await asyncio.to_thread(result_of, process)
        assert result["associated"]
        assert result["released"]
        assert result["name"] == VALUES[NAME].decode()
        assert bytes.fromhex(result["long"]) == VALUES[LONG]
        assert result.get("long_requests", 3) == 3  # 1,000 octets in blocks of 400

    run(work())


@pytest.mark.parametrize("script", ["gurux_client.py", "dlms_cosem_client.py"])
@pytest.mark.parametrize("hold", ["", "c0"], ids=["plain", "with a breakpoint"])
def test_their_client_reads_through_our_relay(
    script: str, hold: str, tmp_path: Path, start_peer: StartPeer
) -> None:
    """Nothing of it is other than without; what was recorded has every block. The breakpoint lets all go."""
    path = tmp_path / "relayed.pcapng"

    async def work() -> None:
        recorder = Recorder(path)
        async with serve_tcp(port=0, handler=serve_meter) as server:
            job = job_for(server.address.port, hold=hold, on_match=GoOn() if hold else None)
            async with relaying(job, recorder) as relay:
                process = start_peer(script, *relay.addresses[0])
                result = await asyncio.to_thread(result_of, process)
        recorder.close()
        assert result["associated"]
        assert result["released"]
        assert bytes.fromhex(result["long"]) == VALUES[LONG]
        assert bool(hold) is bool(relay.events(HeldGone))

    run(work())
    assert complaints(path) == []


def test_what_their_client_printed_stands_in_the_objects_of_the_recording(
    tmp_path: Path, start_peer: StartPeer
) -> None:
    """Every value that a Gurux client read from our server is in the object view of what was recorded."""
    path = tmp_path / "recorded.pcapng"
    result: dict[str, Any] = {}

    async def work() -> None:
        recorder = Recorder(path)
        async with serve_tcp(port=0, handler=serve_meter, recorder=recorder) as server:
            process = start_peer("gurux_client.py", *server.address)
            result.update(await asyncio.to_thread(result_of, process))
        recorder.close()

    run(work())
    with open_capture(path) as reader:
        view = ObjectView(Analysis(reader).run())
        view.complete()
        told = {
            one.instance: view.field(int(view.with_value(place)[-1]))
            for place, one in enumerate(view.attributes)
        }
    values = {name: field.value for name, field in told.items() if field is not None}
    assert values[bytes(map(int, NAME.split(".")))] == result["name"].encode()
    assert values[bytes(map(int, LONG.split(".")))] == bytes.fromhex(result["long"])


def get_request(obis: str) -> bytes:
    """GET-Request-Normal for attribute 2 of a Data object."""
    return bytes.fromhex("c001c10001") + bytes(map(int, obis.split("."))) + b"\x02\x00"


async def read(link: TcpLink, obis: str) -> tuple[bytes, int]:
    """The value of an octet-string and the number of blocks that the server made of it (0: none)."""
    await link.send(get_request(obis))
    answer = await link.receive()
    if answer[:2] == b"\xc4\x01":
        assert answer[3] == 0, f"the server refuses: {answer.hex()}"
        return value_of(answer[4:]), 0
    data, blocks = b"", 0
    while True:
        assert answer[:2] == b"\xc4\x02", answer.hex()
        blocks += 1
        last, number = answer[3], answer[4:8]
        data += value_of(b"\x09" + answer[9:])
        if last:
            return value_of(data), blocks
        await link.send(b"\xc0\x02\xc1" + number)
        answer = await link.receive()


def value_of(data: bytes) -> bytes:
    """The content of an octet-string."""
    assert data[0] == 0x09
    octets = data[1] & 0x7F if data[1] & 0x80 else 0
    size = int.from_bytes(data[2 : 2 + octets], "big") if octets else data[1]
    return data[2 + octets : 2 + octets + size]


def gurux_server(start_peer: StartPeer, host: str = "127.0.0.1") -> int:
    process = start_peer("gurux_server.py", host)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        assert process.stderr is not None
        pytest.fail(f"the Gurux server does not start: {process.stderr.read()}", pytrace=False)
    return int(line)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_our_client_reads_from_their_server(host: str, start_peer: StartPeer) -> None:
    """Association, short GET, GET in blocks and release, as their server answers."""

    async def work() -> None:
        async with connect_tcp(host, gurux_server(start_peer, host)) as link:
            await link.send(public_aarq(max_pdu=256))
            aare = await link.receive()
            assert aare[0] == 0x61
            assert bytes.fromhex("a203020100") in aare  # accepted
            assert await read(link, NAME) == (b"GRX0000000000001", 0)
            value, blocks = await read(link, LONG)
            assert value == VALUES[LONG]
            assert blocks == 5
            await link.send(release_request())
            assert (await link.receive())[0] == 0x63

    run(work())


def test_the_check_finds_what_is_wrong_with_their_server(start_peer: StartPeer) -> None:
    """The Gurux server answers split WPDUs, and stumbles over two in one segment; the check says both."""

    async def work() -> None:
        port = gurux_server(start_peer)
        options = CheckOptions(answer=1, quiet=0.2, idle=0.2, pause=0.01)
        report = await run_checks("gurux", LinkAddress("127.0.0.1", port), options)
        verdicts = {result.check.key: result.finding.verdict for result in report.results}
        for key in ("tcp-connect", "one-segment", "split-header", "split-data", "octet-by-octet", "abort"):
            assert verdicts[key] is CheckVerdict.PASSED, key
        assert verdicts["two-in-one"] is CheckVerdict.FAILED
        assert verdicts["udp"] is CheckVerdict.INAPPLICABLE

    run(work())
