"""What a live link keeps is a capture that others read without a complaint."""

import asyncio
import socket
from pathlib import Path

import pytest

from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.capture.spool.spool_folder import spool_folder, spool_path
from cosemscope.capture.spool.spool_writer import SpoolWriter
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.live.links.udp_link import connect_udp, serve_udp
from tests.helpers.coroutines import run
from tests.helpers.proxy import FaultProxy, Harm, Then
from tests.helpers.tshark import complaints, tshark

APDU = bytes.fromhex("c001c1000100002a0000ff0200")


async def echo(link: TcpLink) -> None:
    while True:
        await link.send(await link.receive())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_tshark_reads_a_tcp_link_without_a_complaint(host: str, tmp_path: Path) -> None:
    """Handshake, data both ways over many segments, orderly end; all octets that went over the wire."""
    path = tmp_path / "link.pcapng"

    async def work() -> None:
        recorder = Recorder(path)
        async with (
            serve_tcp(host, 0, handler=echo) as server,
            connect_tcp(*server.address, recorder=recorder) as link,
        ):
            for size in (1, 1400, 20000, 65535):
                await link.send(bytes(size))
                assert len(await link.receive()) == size
        recorder.close()

    run(work())
    assert complaints(path) == []
    flags = tshark(path, "-T", "fields", "-e", "tcp.flags.str")
    assert "S" in flags[0]
    assert sum("F" in each for each in flags) == 2
    lengths = map(int, tshark(path, "-T", "fields", "-e", "tcp.len"))
    assert sum(lengths) == 2 * (1 + 1400 + 20000 + 65535 + 4 * 8)
    names = tshark(path, "-T", "fields", "-e", "frame.interface_name")
    assert all("synthetic" in name for name in names)


def test_times_are_those_of_the_events(tmp_path: Path) -> None:
    """Between request and answer the capture shows the pause that the server made."""
    path = tmp_path / "slow.pcapng"

    async def slow(link: TcpLink) -> None:
        apdu = await link.receive()
        await asyncio.sleep(0.2)
        await link.send(apdu)

    async def work() -> None:
        recorder = Recorder(path)
        async with (
            serve_tcp(port=0, handler=slow) as server,
            connect_tcp(*server.address, recorder=recorder) as link,
        ):
            await link.send(APDU)
            await link.receive()
        recorder.close()

    run(work())
    rows = tshark(path, "-Y", "tcp.len > 0", "-T", "fields", "-e", "frame.time_epoch")
    request, answer = map(float, rows)
    assert 0.2 <= answer - request < 2


@pytest.mark.parametrize("then", [Then.RESET, Then.CLOSE, Then.HALF_CLOSE, Then.STALL], ids=lambda t: t.name)
def test_a_broken_link_is_still_a_clean_capture(then: Then, tmp_path: Path) -> None:
    """A reset inside a WPDU leaves a file that tshark does not complain about."""
    path = tmp_path / "broken.pcapng"
    options = LinkOptions(answer_timeout=1, wpdu_timeout=0.1, close_timeout=0.2)

    async def work() -> None:
        recorder = Recorder(path)
        async with serve_tcp(port=0, handler=echo) as server:
            harm = Harm(after=12, then=then)
            async with (
                FaultProxy(("127.0.0.1", server.address.port), downstream=harm) as proxy,
                connect_tcp("127.0.0.1", proxy.port, options=options, recorder=recorder) as link,
            ):
                await link.send(APDU)
                with pytest.raises(LinkError):
                    await link.receive()
        recorder.close()

    run(work())
    assert complaints(path) == []


def test_a_refused_connection_is_a_syn_and_a_reset(tmp_path: Path) -> None:
    """The attempt can be seen in the capture."""
    path = tmp_path / "refused.pcapng"

    async def work() -> None:
        recorder = Recorder(path)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(LinkError):
            async with connect_tcp("127.0.0.1", port, recorder=recorder):
                pass
        recorder.close()

    run(work())
    assert [each.strip("·") for each in tshark(path, "-T", "fields", "-e", "tcp.flags.str")] == ["S", "A·R"]


def test_datagrams_of_both_sides(tmp_path: Path) -> None:
    """A listener bound to every address keeps datagrams with an address, and IPv6 as well."""
    path = tmp_path / "udp.pcapng"

    async def work() -> None:
        recorder = Recorder(path)
        async with (
            serve_udp("0.0.0.0", 0, recorder=recorder) as server,
            connect_udp("127.0.0.1", server.address.port) as link,
        ):
            await link.send(APDU)
            await server.reply(await server.receive(1), APDU)
            await link.receive(1)
        async with serve_udp("::1", 0, recorder=recorder) as server, connect_udp(*server.address) as link:
            await link.send(APDU)
            await server.receive(1)
        recorder.close()

    run(work())
    assert complaints(path) == []
    rows = tshark(path, "-T", "fields", "-e", "ip.src", "-e", "ipv6.src", "-e", "udp.length")
    assert [row.split("\t") for row in rows] == [
        ["127.0.0.1", "", "29"],
        ["127.0.0.1", "", "29"],
        ["", "::1", "29"],
    ]


def test_a_full_disk_ends_the_recording_not_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's connection is worth more than its record; the trouble is told once."""
    troubles: list[SpoolError] = []

    async def work() -> None:
        recorder = Recorder(tmp_path / "full.pcapng", on_trouble=troubles.append)
        async with (
            serve_tcp(port=0, handler=echo) as server,
            connect_tcp(*server.address, recorder=recorder) as link,
        ):
            await link.send(APDU)
            await link.receive()

            def fail(*_: object, **__: object) -> None:
                raise SpoolError("the disk is full")

            monkeypatch.setattr(SpoolWriter, "write", fail)
            for _ in range(3):
                await link.send(APDU)
                assert await link.receive() == APDU
        assert recorder.trouble is not None
        recorder.close()

    run(work())
    assert [str(each) for each in troubles] == ["the disk is full"]


def test_a_recording_has_a_bound_and_the_link_none(tmp_path: Path) -> None:
    """Peers that send on and on fill no disk: one sentence says where it ends, and the file is whole."""
    troubles: list[SpoolError] = []
    path = tmp_path / "bounded.pcapng"

    async def work() -> None:
        recorder = Recorder(path, limit=3000, on_trouble=troubles.append)
        async with (
            serve_tcp(port=0, handler=echo) as server,
            connect_tcp(*server.address, recorder=recorder) as link,
        ):
            for _ in range(50):
                await link.send(APDU)
                assert await link.receive() == APDU
        recorder.close()

    run(work())
    (told,) = troubles
    assert "--size" in str(told)
    assert path.stat().st_size < 3200
    assert complaints(path) == []


def test_a_spool_gets_a_name_in_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where recovery looks for it at the next start."""
    monkeypatch.setenv("COSEMSCOPE_SPOOL", str(tmp_path / "spools"))
    path = spool_path("connect")
    assert path.parent == spool_folder() == tmp_path / "spools"
    assert path.name.startswith("connect-")
    assert path.suffix == ".pcapng"


def test_what_is_remarked_is_the_comment_of_the_next_frame(tmp_path: Path) -> None:
    """Once, on the frame with the octets; several remarks stand in one comment."""
    path = tmp_path / "remarked.pcapng"
    recorder = Recorder(path)
    trace = recorder.tcp(LinkAddress("127.0.0.1", 5000), LinkAddress("127.0.0.1", 4059), initiated=True)
    trace.opened()
    trace.remark("one")
    trace.remark("two")
    trace.data(True, APDU)
    trace.data(True, APDU)
    trace.finished(True)
    datagrams = recorder.udp(LinkAddress("::1", 5000), LinkAddress("::1", 4059))
    datagrams.remark("three")
    datagrams.data(True, APDU)
    datagrams.data(True, APDU)
    recorder.close()
    assert complaints(path) == []
    told = tshark(path, "-T", "fields", "-e", "frame.comment")
    assert [words for words in told if words] == ["one; two", "three"]
    assert told[3] == "one; two"
