"""The client of a script: it reads and writes the built-in meter on loopback, in every way of associating."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.encoding import data_values as d
from cosemscope.application.protection.sealing import CipheringForm
from cosemscope.live.client.client_refused import MeterError, UnknownObjectError
from cosemscope.live.client.counter_book import CounterBook
from cosemscope.live.client.meter_access import MeterAccess
from cosemscope.live.client.meter_client import connect_meter
from tests.helpers.coroutines import run
from tests.helpers.loopback_meter import loopback_meter
from tests.live.client.accesses import READING, managing

_THEN = datetime(2030, 2, 3, 4, 5, 6, tzinfo=UTC)
_ENERGY = "1.0.1.8.0.255"
_PROFILE = "1.0.99.1.0.255"


def test_the_public_client_reads_what_it_may() -> None:
    """A value with its unit, the clock, the devices; what it may not is refused in a sentence."""

    async def work() -> None:
        async with loopback_meter() as address, connect_meter(*address) as meter:
            value = await meter.read(_ENERGY)
            assert value.unit == "Wh"
            assert value.number is not None
            assert value.number > 0
            assert [one.sap for one in await meter.devices()] == [1, 2]
            assert (await meter.read("active energy import (+A)")).reference == value.reference
            with pytest.raises(MeterError, match=r"1\.0\.2\.8\.0\.255 .*: the server answers"):
                await meter.read("1.0.2.8.0.255")
            assert meter.last_seconds > 0

    run(work())


@pytest.mark.parametrize(
    ("mechanism", "form", "suite"),
    [
        *[(mechanism, CipheringForm.GLOBAL, 0) for mechanism in (2, 3, 4, 5, 6)],
        (5, CipheringForm.GLOBAL, 1),
        (5, CipheringForm.GLOBAL, 2),
        (7, CipheringForm.GLOBAL, 1),
        (7, CipheringForm.GLOBAL, 2),
        *[(5, form, 0) for form in CipheringForm],
    ],
)
def test_every_way_to_associate(mechanism: int, form: CipheringForm, suite: int) -> None:
    """Mechanisms 2 to 7, suites 0 to 2, each form of ciphering: the whole object list, with a write."""

    async def work() -> None:
        access = managing(mechanism, form, suite)
        async with (
            loopback_meter(mechanism=mechanism, suite=suite) as address,
            connect_meter(*address, client=18, access=access) as meter,
        ):
            assert len(await meter.objects()) > 20
            assert (await meter.read(_ENERGY)).unit == "Wh"
            await meter.write("0.0.1.0.0.255", d.octet_string(d.date_time_octets(_THEN)))
            value = (await meter.read("0.0.1.0.0.255")).value
            assert value is not None
            assert value.value[:4] == d.date_time_octets(_THEN)[:4]

    run(work())


def test_every_attribute_of_the_list_in_one_call() -> None:
    """With-list, splitting and blocks happen by themselves."""

    async def work() -> None:
        async with (
            loopback_meter(max_pdu=256) as address,
            connect_meter(*address, client=17, access=READING) as meter,
        ):
            references = [
                entry.attribute(member)
                for entry in await meter.objects()
                for member, right in entry.attributes.items()
                if right.readable and entry.class_id != 7
            ]
            values = await meter.read_references(references)
            assert [one.reference for one in values] == references
            assert [one for one in values if one.refusal is not None] == []

    run(work())


@pytest.mark.parametrize(
    ("how", "count"), [({"last": 3}, 3), ({"first_entry": 2, "last_entry": 5}, 4), ({"last": 200}, 200)]
)
def test_rows_of_a_profile(how: dict[str, Any], count: int) -> None:
    """The last n and entries, with units, in blocks where they are long."""

    async def work() -> None:
        async with loopback_meter() as address, connect_meter(*address, client=17, access=READING) as meter:
            table = await meter.profile(_PROFILE, **how)
            assert len(table.rows) == count
            assert table.problems == ()
            assert "Wh" in table.units
            assert all(len(row) == len(table.titles) for row in table.rows)

    run(work())


def test_a_method_is_called() -> None:
    """The disconnector disconnects, and says so."""

    async def work() -> None:
        async with (
            loopback_meter() as address,
            connect_meter(*address, client=18, access=managing()) as meter,
        ):
            await meter.act("0.0.96.3.10.255", 1, d.integer(0))
            assert (await meter.read("0.0.96.3.10.255", 2)).value == d.boolean(False)

    run(work())


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("active energy", "may be"),
        ("no such thing", "no object of this meter is called"),
        ("1.0.1.8.0", "six numbers"),
        ("1.0.1.8.0.256", "at most 255"),
        ("128.0.250.0.0.255", "its class is not known"),
    ],
)
def test_what_means_no_object(what: str, words: str) -> None:
    """Names that mean none, or several, end in a sentence."""

    async def work() -> None:
        async with loopback_meter() as address, connect_meter(*address, client=17, access=READING) as meter:
            with pytest.raises(UnknownObjectError, match=words):
                await meter.read(what)

    run(work())


def test_counters_are_kept_learnt_and_never_used_twice() -> None:
    """The first association learns the meter's counter, the next goes on behind the last one."""

    async def work() -> None:
        book, access = CounterBook(), managing()
        async with loopback_meter() as address:
            seen = []
            for _ in range(2):
                async with connect_meter(*address, client=18, access=access) as meter:
                    seen.append(meter.association.client.counter)
                    await meter.read(_ENERGY)
                    seen.append(meter.association.client.counter)
            assert seen == sorted(set(seen))
            assert book.next_counter(access.title, f"{address}/1") == seen[-1] + 1  # that of the release

    run(work())


def test_a_given_counter_that_is_refused_changes_nothing() -> None:
    """The next association goes on as if it had not been given."""

    async def work() -> None:
        async with loopback_meter() as address:
            async with connect_meter(*address, client=18, access=managing()):
                pass
            before = CounterBook().next_counter(managing().title, f"{address}/1")
            with pytest.raises(MeterError):
                async with connect_meter(*address, client=18, access=replace(managing(), counter=0)):
                    pass
            assert CounterBook().next_counter(managing().title, f"{address}/1") == before

    run(work())


def test_a_counter_that_the_meter_has_seen_is_said_to_be_that() -> None:
    """Learning mends what a wrong counter broke."""

    async def work() -> None:
        async with loopback_meter() as address:
            async with connect_meter(*address, client=18, access=managing()):
                pass
            CounterBook().begin_at(managing().title, f"{address}/1", 0)
            with pytest.raises(MeterError) as refused:
                async with connect_meter(*address, client=18, access=managing()):
                    pass
            assert "a counter that the meter has seen is refused" in str(refused.value)
            assert "--learn-counter" in str(refused.value)
            async with connect_meter(*address, client=18, access=managing(), learn_counter=True) as meter:
                assert (await meter.read(_ENERGY)).unit == "Wh"

    run(work())


@pytest.mark.parametrize(
    ("client", "access", "words"),
    [
        (17, MeterAccess(1, password=b"wrong"), "password or the authentication is wrong"),
        (17, MeterAccess(), "authentication"),
        (99, MeterAccess(), "client wPort"),
        (18, MeterAccess(5, keys=KeySet("none")), "application context"),
        (18, MeterAccess(5, keys=KeySet("short", encryption=b"short"), ciphering=CipheringForm.GLOBAL), "16"),
    ],
)
def test_refused_associations(client: int, access: MeterAccess, words: str) -> None:
    """Each says what to try."""

    async def work() -> None:
        async with loopback_meter() as address:
            with pytest.raises(MeterError, match=words):
                async with connect_meter(*address, client=client, access=access, learn_counter=False):
                    pass

    run(work())


def test_wrong_keys() -> None:
    """Right in size and wrong: the meter says no, the client says why."""

    async def work() -> None:
        keys = KeySet("wrong", encryption=bytes(16), authentication=bytes(16))
        access = MeterAccess(5, keys=keys, ciphering=CipheringForm.GLOBAL)
        async with loopback_meter() as address:
            with pytest.raises(MeterError, match="key"):
                async with connect_meter(*address, client=18, access=access):
                    pass

    run(work())


def test_over_udp() -> None:
    """The same over datagrams."""

    async def work() -> None:
        async with (
            loopback_meter(max_pdu=512) as address,
            connect_meter(*address, udp=True, client=17, access=READING) as meter,
        ):
            assert (await meter.read(_ENERGY)).unit == "Wh"
            assert len((await meter.profile(_PROFILE, last=50)).rows) == 50

    run(work())
