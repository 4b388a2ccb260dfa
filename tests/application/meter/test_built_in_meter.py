"""The built-in meter as a whole: its object list can be read to the last attribute, by every client."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.apdus import encode, parse
from cosemscope.application.encoding.data_values import (
    Data,
    array,
    double_long_unsigned,
    enum,
    integer,
    octet_string,
    structure,
    visible_string,
)
from cosemscope.application.encoding.notifications import DataNotification
from cosemscope.application.encoding.service_parts import DataAccessError
from cosemscope.application.meter.built_in_meter import (
    MANAGING_CLIENT,
    PUBLIC_CLIENT,
    READING_CLIENT,
    BuiltInMeter,
)
from cosemscope.application.meter.objects.clock_object import date_time_of
from tests.application.apdu_values import DATA
from tests.application.meter_session import INVOKE, KEYS, NOW, MeterSession, name, plan, session


@pytest.mark.parametrize("device", [1, 2])
@pytest.mark.parametrize("wport", [PUBLIC_CLIENT, READING_CLIENT, MANAGING_CLIENT])
def test_every_attribute_of_the_object_list_is_as_its_rights_say(wport: int, device: int) -> None:
    client = session(wport, device)
    listed = client.get(15, "0.0.40.0.0.255")
    read = 0
    for class_id, _, instance, (attributes, _) in listed:
        text = ".".join(map(str, instance))
        for member, mode, _ in attributes:
            found = client.result(name(class_id, text, member))
            assert isinstance(found, Data if mode & 1 else DataAccessError), (class_id, text, member)
            read += 1
    classes = {class_id for class_id, _, _, _ in listed}
    least = {1: {1, 8, 15, 17}, 2: {1, 8, 15}}[device]
    whole = {1: {1, 3, 4, 5, 7, 8, 15, 17, 18, 40, 64, 70}, 2: {1, 3, 8, 15}}[device]
    assert classes >= (least if wport == PUBLIC_CLIENT else whole)
    assert read > 3 * len(listed)


def test_devices_and_clients_are_told() -> None:
    client = session(MANAGING_CLIENT)
    devices = client.get(17, "0.0.41.0.0.255")
    assert devices == ((1, b"CSM0000000001001"), (2, b"CSM0000000001002"))
    assert session(PUBLIC_CLIENT, 2).get(1, "0.0.42.0.0.255") == devices[1][1]
    assert client.get(15, "0.0.40.0.2.255", 3) == (17, 1)
    assert client.get(15, "0.0.40.0.0.255", 6) == (2, 16, 756, 5, 8, 2, 5)


def test_registers_move_and_never_back() -> None:
    client = session(READING_CLIENT)
    seen = []
    for hour in range(48):
        client.now = NOW + 3600 * hour
        seen.append([client.get(3, f"1.0.{what}.8.0.255") for what in (1, 2, 3)])
    for column in zip(*seen, strict=True):
        assert list(column) == sorted(column)
        assert column[0] < column[-1]
    assert 2200 < client.get(3, "1.0.32.7.0.255") < 2400
    assert client.get(3, "1.0.32.7.0.255", 3) == (-1, 35)


def test_meters_of_other_numbers_are_other_meters() -> None:
    one, other = session(READING_CLIENT), session(READING_CLIENT, number=2)
    assert one.get(3, "1.0.1.8.0.255") != other.get(3, "1.0.1.8.0.255")
    assert other.meter.plan.title != one.meter.plan.title


def test_the_highest_demand_is_in_the_profile() -> None:
    client = session(READING_CLIENT)
    at = client.get(4, "1.0.1.6.0.255", 5)
    rows = {row[0]: row[2] for row in client.get(7, "1.0.99.1.0.255")}
    times = list(rows)
    energy = rows[at] - rows[times[times.index(at) - 1]]
    assert abs(4 * energy - client.get(4, "1.0.1.6.0.255")) <= 4


def test_the_clock_is_set_and_the_log_tells_it() -> None:
    client = session(MANAGING_CLIENT)
    wanted = date_time_of(NOW + 7200)
    assert client.set(8, "0.0.1.0.0.255", 2, octet_string(wanted)) == 0
    assert client.get(8, "0.0.1.0.0.255") == wanted
    assert client.set(8, "0.0.1.0.0.255", 2, octet_string(b"\xff" * 12)) == 12
    assert client.set(8, "0.0.1.0.0.255", 2, visible_string("now")) == 12
    assert client.act(8, "0.0.1.0.0.255", 6, Data(16, -80)) == 0
    assert client.get(8, "0.0.1.0.0.255") == date_time_of(NOW + 7120)
    assert client.act(8, "0.0.1.0.0.255", 3, integer(0)) == 0
    assert client.get(8, "0.0.1.0.0.255") == date_time_of(NOW + 7140)
    assert [row[1] for row in client.get(7, "0.0.99.98.0.255")] == [2, 4, 4, 4]


def test_an_image_is_transferred_resumed_verified_and_activated() -> None:
    client = session(MANAGING_CLIENT)
    image, identifier = bytes(300), octet_string(b"firmware 2")
    where = 18, "0.0.44.0.0.255"
    assert client.act(*where, 3) == 2
    assert client.act(*where, 1, structure(identifier, double_long_unsigned(len(image)))) == 0

    def send(number: int) -> int:
        octets = octet_string(image[128 * number : 128 * number + 128])
        return client.act(*where, 2, structure(double_long_unsigned(number), octets))

    assert (send(0), send(2)) == (0, 0)
    assert client.get(*where, 4) == 1
    assert client.get(*where, 3) == "101"
    assert client.act(*where, 3) == 250
    assert send(1) == 0
    assert client.get(*where, 4) == 3
    assert send(3) == 12
    assert client.act(*where, 4) == 2
    assert (client.act(*where, 3), client.get(*where, 6)) == (0, 3)
    assert client.get(*where, 7)[0][:2] == (300, b"firmware 2")
    assert (client.act(*where, 4), client.get(*where, 6)) == (0, 6)
    assert client.get(1, "1.0.0.2.0.255") == b"firmware 2"


def test_a_key_is_changed_under_the_master_key() -> None:
    client = session(MANAGING_CLIENT)
    new = bytes(range(0x80, 0x90))

    def change(wrapping: bytes, answered_with: KeySet) -> int:
        wrapped = array([structure(enum(0), octet_string(aes_key_wrap(wrapping, new)))])
        request = g.ActionRequestNormal(INVOKE, name(64, "0.0.43.0.0.255", 2, method=True), wrapped)
        answer = client.octets(client.seal(encode(request)))
        client.keys = answered_with
        return int(parse(client.open(answer or b"")).answer.code)

    assert change(bytes(16), KEYS) == 250
    # The answer is under the new key already.
    assert change(KEYS.master or b"", replace(KEYS, encryption=new)) == 0
    client.counter = 1
    assert client.associate().result == 0
    assert client.get(8, "0.0.1.0.0.255")


def test_pushes_are_due_when_their_time_has_come() -> None:
    meter = BuiltInMeter(plan(push_to="127.0.0.1:4059", push_interval=60.0), NOW)
    assert [len(meter.due(NOW + at)) for at in (0, 59, 60, 61, 120)] == [0, 0, 1, 0, 1]
    push = BuiltInMeter(plan(), NOW)
    client = MeterSession(push, MANAGING_CLIENT)
    client.associate()
    assert client.act(40, "0.0.25.9.0.255", 1, integer(0)) == 250
    where = structure(enum(1), octet_string(b"127.0.0.1:4060"), enum(0))
    assert client.set(40, "0.0.25.9.0.255", 3, where) == 0
    assert client.act(40, "0.0.25.9.0.255", 1, integer(0)) == 0
    (due,) = push.due(NOW)
    assert (due.service, due.destination) == (1, "127.0.0.1:4060")
    told = parse(due.apdu)
    assert isinstance(told, DataNotification)
    assert told.body.plain[1] == b"CSM0000000001001"
    assert len(told.body.plain) == 5


def test_what_is_pushed_can_be_ciphered() -> None:
    meter = BuiltInMeter(plan(push_to="127.0.0.1:4059", push_interval=1.0, push_ciphered=True), NOW)
    meter.due(NOW)
    (due,) = meter.due(NOW + 1)
    assert isinstance(parse(MeterSession(meter).open(due.apdu)), DataNotification)


def test_secrets_are_changed_and_never_shown() -> None:
    client = session(MANAGING_CLIENT, mechanism=3)
    assert client.set(15, "0.0.40.0.2.255", 7, octet_string(b"new password")) == 0
    reader = MeterSession(client.meter, READING_CLIENT)
    assert reader.associate().result == 1
    assert reader.associate(secret=b"new password").result == 0
    assert client.act(15, "0.0.40.0.0.255", 2, octet_string(b"new secret")) == 0
    client.keys = replace(KEYS, hls_secret=b"new secret")
    assert client.associate().result == 0
    assert "password" not in repr(client.meter.plan)


_SCALARS = (
    st.integers(-128, 127).map(integer)
    | st.integers(-900, 32_767).map(lambda value: Data(16, value))
    | st.integers(0, 255).map(enum)
    | st.integers(0, 2**32 - 1).map(double_long_unsigned)
    | st.integers(0, 65_535).map(lambda value: Data(18, value))
    | st.binary(min_size=6, max_size=6).map(octet_string)
    | st.binary(min_size=12, max_size=12).map(octet_string)
    | st.binary(max_size=200).map(octet_string)
)
_STRUCTURES = st.lists(_SCALARS, min_size=2, max_size=4).map(lambda elements: structure(*elements))
data_values = _SCALARS | _STRUCTURES | st.lists(_STRUCTURES, max_size=4).map(array) | DATA


def _changeable() -> list[Reference]:
    """Every attribute and method that the managing client may write or invoke."""
    found = []
    for class_id, _, instance, (attributes, methods) in session(MANAGING_CLIENT).get(15, "0.0.40.0.0.255"):
        found += [Reference(class_id, instance, member) for member, mode, _ in attributes if mode & 2]
        found += [Reference(class_id, instance, member, True) for member, mode in methods if mode]
    return found


@given(st.lists(st.tuples(st.integers(0, 10_000), data_values), min_size=1, max_size=8))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_written_and_invoked_nothing_raises_and_all_can_be_read(
    wishes: list[tuple[int, Data]],
) -> None:
    client = session(MANAGING_CLIENT, ciphered=False, mechanism=3)
    for number, data in wishes:
        target = CHANGEABLE[number % len(CHANGEABLE)]
        if target.method:
            request: object = g.ActionRequestNormal(INVOKE, target, data)
        else:
            request = g.SetRequestNormal(INVOKE, target, None, data)
        client.say(request)
    client.meter.push(NOW)
    client.meter.due(NOW)
    for target in CHANGEABLE:
        for member in range(1, 10):
            client.result(Reference(target.class_id, target.instance, member))
    for text in ("1.0.1.8.0.255", "1.0.1.7.0.255", "1.0.32.7.0.255", "1.0.31.7.0.255"):
        assert client.get(3, text) >= 0
    for text in ("1.0.1.4.0.255", "1.0.1.6.0.255"):
        client.result(name(5, text, 2))
        client.result(name(4, text, 2))


CHANGEABLE = _changeable()


@pytest.mark.parametrize("year", [1990, 2000, 2019, 2050, 2099, 2100, 9999])
def test_a_clock_far_off_leaves_all_readable(year: int) -> None:
    client = session(MANAGING_CLIENT)
    wanted = octet_string(year.to_bytes(2, "big") + bytes.fromhex("0101ff000000000000") + b"\0")
    code = client.set(8, "0.0.1.0.0.255", 2, wanted)
    assert code == (0 if 2000 <= year < 2100 else 12)
    for text in ("1.0.1.8.0.255", "1.0.2.8.0.255", "1.0.3.8.0.255"):
        assert client.get(3, text) >= 0
    assert client.get(4, "1.0.1.6.0.255") >= 0
    assert client.get(5, "1.0.1.4.0.255") >= 0
    rows = client.get(7, "1.0.99.1.0.255")
    assert len(rows) == (0 if year < 2020 and not code else client.get(7, "1.0.99.1.0.255", 7))
