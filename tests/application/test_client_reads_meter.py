"""Both ends of the application layer together: the client association reads the built-in meter whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cosemscope.apdu.data.dates import moment
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.client.association_parameters import AssociationParameters
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_events import (
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    ClientEvent,
    RequestAnswered,
    TransmitApdu,
)
from cosemscope.application.client.counter_procedure import CounterProcedure
from cosemscope.application.client.service_operations import (
    Get,
    Operation,
    PartResult,
    act,
    attribute,
    get,
    method,
    set_value,
)
from cosemscope.application.encoding.data_values import Data, octet_string
from cosemscope.application.encoding.service_parts import SelectedAttribute
from cosemscope.application.meter.built_in_meter import (
    MANAGING_CLIENT,
    PUBLIC_CLIENT,
    READING_CLIENT,
    BuiltInMeter,
)
from cosemscope.application.object_model.object_lists import OBJECT_LIST, SAP_LIST, object_list, sap_list
from cosemscope.application.object_model.profile_rows import capture_objects, profile_rows
from cosemscope.application.object_model.profile_selections import by_entries, by_range, last_entries
from cosemscope.application.object_model.unit_values import in_units, with_units
from cosemscope.application.protection.sealing import CipheringForm
from tests.application.meter_session import KEYS, NOW, PASSWORD, TITLE, plan

_CHALLENGE = b"challenge of the client"
_PROFILE = bytes.fromhex("0100630100ff")
_ENERGY = attribute(3, bytes.fromhex("0100010800ff"), 2)


class _Reader:
    """A client of a meter, without a network between them."""

    def __init__(self, meter: BuiltInMeter, wport: int, **parameters: Any) -> None:
        self.meter, self.wport = meter, wport
        self.client = ClientAssociation(AssociationParameters(**parameters))
        self.longest_sent = self.longest_received = 0
        self.told: list[ClientEvent] = []

    def follow(self, events: tuple[ClientEvent, ...]) -> Any:
        """Carry APDUs to and fro; the event that was told last."""
        waiting = list(events)
        while waiting:
            event = waiting.pop(0)
            if not isinstance(event, TransmitApdu):
                self.told.append(event)
                continue
            self.longest_sent = max(self.longest_sent, len(event.octets))
            for answer in self.meter.receive(event.octets, self.wport, 1, NOW):
                self.longest_received = max(self.longest_received, len(answer))
                waiting += self.client.receive(answer, NOW)
        return self.told[-1]

    def associate(self) -> "_Reader":
        told = self.follow(self.client.associate(NOW))
        assert isinstance(told, AssociationOpened), told
        return self

    def results(self, operation: Operation) -> tuple[PartResult, ...]:
        _, events = self.client.request(operation, NOW)
        told = self.follow(events)
        assert isinstance(told, RequestAnswered), told
        return told.results

    def value(self, operation: Operation) -> Data:
        (result,) = self.results(operation)
        assert result.value is not None, result
        return result.value


def _managing(
    form: CipheringForm = CipheringForm.GLOBAL, mechanism: int = 5, longest: int = 0xFFFF, **more: Any
) -> _Reader:
    meter = BuiltInMeter(plan(mechanism=mechanism, **more), NOW)
    return _Reader(
        meter,
        MANAGING_CLIENT,
        mechanism=mechanism,
        challenge=_CHALLENGE,
        keys=KEYS,
        title=TITLE,
        form=form,
        dedicated_key=bytes(range(16)) if form.dedicated else None,
        counter=1,
        max_pdu_size=longest,
    ).associate()


def _read_all(reader: _Reader) -> int:
    """Reads every attribute that the object list says is readable, in lists; how many there were."""
    listed = object_list(reader.value(get(OBJECT_LIST)))
    assert listed.problems == ()
    readable = tuple(
        SelectedAttribute(entry.attribute(member))
        for entry in listed.entries
        for member, right in entry.attributes.items()
        if right.readable
    )
    results = reader.results(Get(readable))
    assert [one.reference for one in results] == [one.reference for one in readable]
    assert [one for one in results if one.value is None] == []
    return len(readable)


@pytest.mark.parametrize("form", CipheringForm)
def test_every_readable_attribute_is_read_ciphered(form: CipheringForm) -> None:
    """By lists and blocks, service by service and in envelopes, with global and dedicated keys."""
    reader = _managing(form, longest=400)
    assert _read_all(reader) > 50
    assert reader.longest_sent <= reader.meter.plan.max_pdu
    assert reader.longest_received <= 400
    assert isinstance(reader.follow(reader.client.release(NOW)), AssociationReleased)


@pytest.mark.parametrize("mechanism", [2, 3, 4, 5, 6])
def test_mechanisms(mechanism: int) -> None:
    """Each that goes by keys that both have."""
    assert isinstance(_managing(mechanism=mechanism).value(get(_ENERGY)).value, int)


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("mechanism", [5, 7])
def test_suites_with_elliptic_curves(suite: int, mechanism: int) -> None:
    """Keys of both sizes; signatures of both ends on both curves."""
    curve = ec.SECP256R1() if suite == 1 else ec.SECP384R1()
    own, theirs = ec.derive_private_key(31, curve), ec.derive_private_key(32, curve)
    size = 16 * suite
    keys = KeySet("shared", encryption=bytes(range(size)), authentication=bytes(size), master=bytes(size))
    client = KeySet("client", TITLE, signing_public=own.public_key())
    held = replace(keys, signing_private=theirs)
    meter = BuiltInMeter(plan(keys=held, suite=suite, mechanism=mechanism, clients=(client,)), NOW)
    reader = _Reader(
        meter,
        MANAGING_CLIENT,
        mechanism=mechanism,
        challenge=_CHALLENGE,
        keys=keys,
        own=KeySet("client", TITLE, signing_private=own),
        peer=KeySet("meter", signing_public=theirs.public_key()),
        title=TITLE,
        suite=suite,
        form=CipheringForm.GENERAL_GLOBAL,
        counter=1,
    ).associate()
    assert isinstance(reader.value(get(_ENERGY)).value, int)


def test_clients_in_clear() -> None:
    """The public client, and the one with a password."""
    meter = BuiltInMeter(plan(), NOW)
    public = _Reader(meter, PUBLIC_CLIENT).associate()
    assert [one.sap for one in sap_list(public.value(get(SAP_LIST))).entries] == [1, 2]
    assert _read_all(public) > 5
    reading = _Reader(meter, READING_CLIENT, mechanism=1, password=PASSWORD).associate()
    assert _read_all(reading) > 50


def test_the_counter_is_learnt_and_used() -> None:
    """The public client reads it: one that begins below it is refused, one that begins above it is taken."""
    meter = BuiltInMeter(plan(), NOW)
    how: dict[str, Any] = {"mechanism": 5, "challenge": _CHALLENGE, "keys": KEYS, "title": TITLE}
    how["form"] = CipheringForm.GLOBAL
    _Reader(meter, MANAGING_CLIENT, counter=5000, **how).associate()
    late = _Reader(meter, MANAGING_CLIENT, counter=7, **how)
    assert isinstance(late.follow(late.client.associate(NOW)), AssociationRefused)
    procedure = CounterProcedure()
    waiting = list(procedure.begin(NOW))
    while waiting:
        event = waiting.pop(0)
        if isinstance(event, TransmitApdu):
            for answer in meter.receive(event.octets, PUBLIC_CLIENT, 1, NOW):
                waiting += procedure.receive(answer, NOW)
    assert procedure.over
    assert procedure.counter is not None, procedure.refusal
    assert procedure.counter >= 5000
    again = _Reader(meter, MANAGING_CLIENT, counter=procedure.counter + 1, **how).associate()
    assert again.client.counter > procedure.counter + 1


def test_the_profile_by_range_by_entries_and_its_last_rows() -> None:
    """Columns, rows and times fit the selection."""
    reader = _managing()
    buffer = attribute(7, _PROFILE, 2)
    columns = capture_objects(reader.value(get(attribute(7, _PROFILE, 3))))
    period = reader.value(get(attribute(7, _PROFILE, 4))).value
    in_use = reader.value(get(attribute(7, _PROFILE, 7))).value
    end = datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None)
    ranged = profile_rows(
        reader.value(get(buffer, selection=by_range(end - timedelta(days=1), end))), columns, period
    )
    assert ranged.problems == ()
    assert 90 <= len(ranged.rows) <= 97
    times = [moment(row[0].value) for row in ranged.rows]
    assert times == sorted(times)
    last = profile_rows(reader.value(get(buffer, selection=last_entries(5, in_use))), columns, period)
    assert last.rows == ranged.rows[-5:]
    third = profile_rows(reader.value(get(buffer, selection=by_entries(3, 4, 1, 2))), columns[:2], period)
    assert len(third.rows) == 2


def test_values_in_their_units() -> None:
    """Energy in watt-hours."""
    reader = _managing()
    (energy,) = in_units([_ENERGY], reader.results(with_units([_ENERGY])))
    assert energy.unit == "Wh"
    assert energy.text.endswith("Wh")


def test_writing_and_invoking() -> None:
    """A message is set and read again, in blocks where it is long; the clock is told a time."""
    reader = _managing(max_pdu=256, longest=200)
    messages = attribute(1, bytes.fromhex("0000600d00ff"), 2)
    for text in (b"short", bytes(range(256)) * 4):
        assert reader.results(set_value(messages, octet_string(text)))[0].refusal is None
        assert reader.value(get(messages)) == octet_string(text)
    assert reader.longest_sent <= 256
    assert reader.longest_received <= 200
    clock = reader.value(get(attribute(8, bytes.fromhex("0000010000ff"), 2)))
    shifted = reader.results(act(method(8, bytes.fromhex("0000010000ff"), 6), Data(16, 60)))
    assert shifted[0].refusal is None
    assert reader.value(get(attribute(8, bytes.fromhex("0000010000ff"), 2))) != clock
