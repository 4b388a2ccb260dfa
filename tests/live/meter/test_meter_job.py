"""Meters on loopback sockets: read over TCP and UDP, in a fleet, pushing, and doing wrong as ordered."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.application.encoding.apdus import parse
from cosemscope.application.encoding.data_values import enum, integer, octet_string, structure
from cosemscope.application.encoding.get_set_action import ActionRequestNormal, SetRequestNormal
from cosemscope.application.encoding.notifications import DataNotification
from cosemscope.capture.events import Trouble
from cosemscope.capture.files.reader import open_capture
from cosemscope.live.commands.live_events import ApduDiscarded
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.live.links.udp_link import connect_udp, serve_udp
from cosemscope.live.meter.fault_orders import FaultKind, parse_fault
from cosemscope.live.meter.meter_events import FaultsOrdered, MeterPushed, OrderFaults, PushNow
from cosemscope.live.meter.meter_job import MeterJob
from tests.application.meter_session import MeterSession, name
from tests.helpers.coroutines import run, until
from tests.helpers.tshark import complaints
from tests.live.meter.meters import AARQ, GET_CLOCK, GET_NAME, READING_AARQ, maker, metering

QUICK = LinkOptions(answer_timeout=0.6, wpdu_timeout=0.2)
NAME = b"CSM0000000001001"


async def device_name(link: Any) -> bytes:
    await link.request(AARQ)
    found: bytes = parse(await link.request(GET_NAME)).result.value
    return found


def test_it_is_read_over_tcp_and_udp_and_recorded(tmp_path: Path) -> None:
    path = tmp_path / "meter.pcapng"

    async def work() -> None:
        recorder = Recorder(path)
        async with metering(recorder=recorder) as meters:
            (address,) = meters.addresses
            async with connect_tcp(*address) as tcp, connect_udp(*address) as udp:
                assert await device_name(tcp) == await device_name(udp) == NAME
        recorder.close()

    run(work())
    assert complaints(path) == []
    with open_capture(path) as reader:
        assert len(Analysis(reader).run().wpdus) == 8


def test_an_association_ends_with_its_connection() -> None:
    async def work() -> None:
        async with metering() as meters:
            for _ in range(2):
                async with connect_tcp(*meters.addresses[0]) as link:
                    assert await link.request(GET_CLOCK) == bytes.fromhex("d80101")
                    await link.request(AARQ)
                    assert parse(await link.request(GET_CLOCK)).result.tag == 9

    run(work())


def test_a_wport_that_it_does_not_have_is_told() -> None:
    async def work() -> None:
        async with metering() as meters, connect_tcp(*meters.addresses[0], remote_wport=9) as link:
            await link.send(AARQ)
            told = await meters.event(ApduDiscarded)
            assert told.advice == "the meter's logical devices are at wPorts 1 and 2"

    run(work())


@pytest.mark.parametrize("by_address", [False, True])
def test_a_fleet_is_as_many_meters(by_address: bool) -> None:
    async def work() -> None:
        async with metering(fleet=20, by_address=by_address, number=7) as meters:
            assert len(set(meters.addresses)) == 20
            assert len({address.host for address in meters.addresses}) == (20 if by_address else 1)

            async def ask(address: LinkAddress) -> bytes:
                async with connect_tcp(*address) as link:
                    return await device_name(link)

            names = await asyncio.gather(*map(ask, meters.addresses))
            assert names == [f"CSM{number:010d}001".encode() for number in range(7, 27)]

    run(work())


def test_addresses_or_ports_are_counted_up() -> None:
    counted = MeterJob(address="127.0.0.255:4059", fleet=2, by_address=True).addresses()
    assert counted == [LinkAddress("127.0.0.255", 4059), LinkAddress("127.0.1.0", 4059)]
    counted = MeterJob(address="4059", fleet=2).addresses()
    assert counted == [LinkAddress("127.0.0.1", 4059), LinkAddress("127.0.0.1", 4060)]


# Faults.


async def _lost(link: TcpLink) -> None:
    with pytest.raises(LinkError) as failure:
        await link.request(GET_CLOCK)
    assert failure.value.fault is Fault.TIMEOUT


async def _cut(link: TcpLink) -> None:
    with pytest.raises(LinkError) as failure:
        await link.request(GET_CLOCK)
    assert failure.value.fault is Fault.TRUNCATED


async def _exchanged(link: TcpLink) -> None:
    await link.send(GET_CLOCK)
    with pytest.raises(LinkError) as failure:  # it is for a wPort that nobody has here
        await link.receive()
    assert failure.value.fault is Fault.TIMEOUT
    assert link.core.counters.wpdus_discarded == 1


async def _late(link: TcpLink) -> None:
    begun = time.monotonic()
    await link.request(GET_CLOCK)
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("loss", _lost),
        ("wrong-length", _cut),
        ("close-in-wpdu", _cut),
        ("exchanged-wports", _exchanged),
        ("delay=200ms", _late),
    ],
)
def test_what_is_ordered_goes_wrong_and_ends_when_it_is_taken_back(fault: str, seen: Any) -> None:
    async def work() -> None:
        async with metering() as meters:
            (address,) = meters.addresses
            async with connect_tcp(*address, options=QUICK) as link:
                await link.request(AARQ)
                meters.tell(OrderFaults(faults=(fault,)))
                told = await meters.event(FaultsOrdered)
                assert told.faults == (str(parse_fault(fault)),)
                await seen(link)
            meters.tell(OrderFaults(faults=()))
            await meters.event(FaultsOrdered, 1)
            async with connect_tcp(*address, options=QUICK) as link:
                assert await device_name(link) == NAME

    run(work())


def test_a_second_connection_is_refused_when_that_is_ordered() -> None:
    async def work() -> None:
        faults = (parse_fault(FaultKind.ONE_CONNECTION.value),)
        async with metering(faults=faults) as meters, connect_tcp(*meters.addresses[0]) as first:
            await first.request(AARQ)
            with pytest.raises(LinkError):
                async with connect_tcp(*meters.addresses[0]) as second:
                    await second.request(AARQ)
            assert "1 connection is open" in (await meters.event(Trouble)).message
            assert await first.request(GET_CLOCK)

    run(work())


def test_a_long_value_comes_with_a_hole_when_blocks_are_lost() -> None:
    async def work() -> None:
        faults = (parse_fault("block-lost"),)
        async with (
            metering(faults=faults) as meters,
            connect_tcp(*meters.addresses[0], local_wport=17) as link,
        ):
            await link.request(READING_AARQ)
            listed = bytes.fromhex("c001c1000f0000280000ff0200")
            first = parse(await link.request(listed))
            second = parse(await link.request(bytes.fromhex("c002c100000001")))
            assert (first.number, second.number) == (1, 3)

    run(work())


def test_half_a_wpdu_and_garbage_hurt_nobody_else() -> None:
    async def work() -> None:
        async with metering() as meters:
            (address,) = meters.addresses
            broken = []
            for octets in (
                b"\0\1\0\x10",
                b"\0\1\0\x10\0\1\xff\xff\x60",
                b"GET / HTTP/1.1\r\n\r\n",
                bytes(3000),
            ):
                reader, writer = await asyncio.open_connection(*address)
                writer.write(octets)
                broken.append((reader, writer))
            async with connect_tcp(*address) as link:
                assert await device_name(link) == NAME
            for _, writer in broken:
                writer.close()

    run(work())


def test_many_connections_are_served_and_more_are_refused() -> None:
    async def work() -> None:
        async with metering(limit=50) as meters:
            (address,) = meters.addresses
            served = refused = 0

            async def ask() -> None:
                nonlocal served, refused
                try:
                    async with connect_tcp(*address) as link:
                        read = await device_name(link)
                        served += read == NAME
                        await until(lambda: served + refused >= 200 or served >= 50)
                except LinkError:
                    refused += 1

            await asyncio.gather(*(ask() for _ in range(200)))
            assert served >= 50
            assert served + refused == 200

    run(work())


def test_a_failure_over_one_datagram_is_told_and_the_next_is_answered() -> None:
    async def work() -> None:
        told: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        made = maker()

        def make(number: int, now: float) -> Any:
            meter = made.make(number, now)
            receive = meter.receive

            def failing(apdu: bytes, *rest: Any) -> list[bytes]:
                if apdu == b"fail":
                    raise RuntimeError("out of order")
                return receive(apdu, *rest)

            meter.receive = failing  # type: ignore[method-assign]
            return meter

        async with (
            metering(made_by=made._replace(make=make)) as meters,
            connect_udp(*meters.addresses[0]) as one,
            connect_udp(*meters.addresses[0]) as other,
        ):
            await one.send(b"fail")
            assert await device_name(other) == NAME
        assert "failed over a datagram" in told[0]["message"]

    run(work())


# Pushes.


def test_it_pushes_when_its_time_has_come_and_when_told() -> None:
    async def work() -> None:
        came: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(link: TcpLink) -> None:
            came.put_nowait(await link.receive())

        async with serve_tcp(port=0, local_wports=None, handler=take) as listener:
            to = str(listener.address)
            made_by = maker(push_to=to, push_interval=0.2)
            async with metering(push_to=to, push_every=0.2, made_by=made_by) as meters:
                assert isinstance(parse(await came.get()), DataNotification)
                pushed = await meters.event(MeterPushed)
                assert (pushed.remote, pushed.transport) == (to, "tcp")
            async with metering(push_to=to, made_by=maker(push_to=to)) as meters:
                meters.tell(PushNow(push=True))
                bodies = [parse(await came.get()).body.value for _ in range(2)]
                assert sorted(map(len, bodies)) == [3, 5]

    run(work())


def test_a_client_sets_where_pushes_go_on_this_computer_only() -> None:
    async def work() -> None:
        setup = name(40, "0.0.25.9.0.255", 3)
        push = ActionRequestNormal(0xC1, name(40, "0.0.25.9.0.255", 1, method=True), integer(0))
        async with serve_udp(port=0, local_wports=None) as listener, metering() as meters:
            endpoint_meter: list[Any] = []
            made = maker(ciphered=False, mechanism=3)

            def keep(number: int, now: float) -> Any:
                endpoint_meter.append(made.make(number, now))
                return endpoint_meter[-1]

            async with metering(made_by=made._replace(make=keep)) as pushing:
                async with connect_tcp(*pushing.addresses[0]) as link:
                    await link.request(AARQ)
                (meter,) = endpoint_meter
                client = MeterSession(meter, 18)
                client.now = time.time()
                assert client.associate().result == 0
                for to in (str(listener.address), "192.0.2.9:4059"):
                    where = structure(enum(1), octet_string(to.encode()), enum(0))
                    assert client.say(SetRequestNormal(0xC1, setup, None, where)).result == 0
                    assert client.say(push).answer.code == 0
                    if "192" not in to:
                        assert isinstance(parse((await listener.receive(5)).data), DataNotification)
                assert "--push-to 192.0.2.9:4059 allows it" in (await pushing.event(Trouble)).message
            assert meters.events(Trouble) == []

    run(work())


# What can be no job.


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ({"mechanism": 1}, "HLS has 2 to 7"),
        ({"mechanism": 7}, "needs --suite 1 or 2"),
        ({"suite": 3}, "there are 0, 1 and 2"),
        ({"max_pdu": 10}, "64 to 65535"),
        ({"fleet": 9999}, "5000 at most"),
        ({"limit": 257}, "256 associations at most"),
        ({"push_every": 5.0}, "--push-to says where"),
        ({"address": "127.0.0.1:65000", "fleet": 1000}, "end behind 65535"),
        ({"address": "localhost:4059", "fleet": 2, "by_address": True}, "name an IP address"),
        ({"address": "host:port:x"}, "host"),
        ({}, ""),
    ],
)
def test_what_makes_no_meter_is_told(words: dict[str, Any], trouble: str) -> None:
    found = MeterJob(**words).trouble()
    assert trouble in found
    assert bool(found) is bool(trouble)
