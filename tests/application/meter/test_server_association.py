"""Associations with the built-in meter: who is let in, how, and with which words others are refused."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.acse_apdus import Aarq, Abrt, Diagnostic, Rlre, Rlrq
from cosemscope.application.encoding.apdus import encode, parse
from cosemscope.application.encoding.carrier_apdus import GeneralBlockTransfer
from cosemscope.application.encoding.data_values import NULL_DATA, octet_string
from cosemscope.application.encoding.initiate_apdus import ConfirmedServiceError, InitiateRequest
from cosemscope.application.encoding.notifications import ExceptionResponse
from cosemscope.application.encoding.service_parts import SelectedAttribute
from cosemscope.application.meter.built_in_meter import (
    MANAGING_CLIENT,
    PUBLIC_CLIENT,
    READING_CLIENT,
    BuiltInMeter,
)
from cosemscope.application.protection.sealing import CipheringForm
from cosemscope.application.protection.unsealing import UnsealError
from cosemscope.application.transfer.general_block_machine import GeneralBlockMachine
from tests.application.meter_session import (
    INVOKE,
    KEYS,
    NOW,
    PASSWORD,
    TITLE,
    MeterSession,
    name,
    plan,
    session,
)

CLOCK = name(8, "0.0.1.0.0.255", 2)
GET_CLOCK = g.GetRequestNormal(INVOKE, CLOCK)
NOT_ALLOWED = ExceptionResponse(1, 1)


def test_nothing_is_served_before_an_association() -> None:
    client = MeterSession(BuiltInMeter(plan(), NOW))
    assert client.say(GET_CLOCK) == NOT_ALLOWED
    assert client.associate().result == 0
    assert client.say(GET_CLOCK).result.plain[:2] == b"\x07\xe9"
    assert client.say(Rlrq()) == Rlre()
    assert client.say(GET_CLOCK) == NOT_ALLOWED


def test_an_abort_ends_the_association_without_an_answer() -> None:
    client = session()
    assert client.say(Abrt(0)) is None
    assert client.say(GET_CLOCK) == NOT_ALLOWED


def test_an_association_belongs_to_its_connection() -> None:
    meter = BuiltInMeter(plan(), NOW)
    one, other = (MeterSession(meter, link=link) for link in ("one", "other"))
    one.associate()
    assert other.say(GET_CLOCK) == NOT_ALLOWED
    meter.link_closed("one")
    assert one.say(GET_CLOCK) == NOT_ALLOWED


def test_a_wport_without_a_logical_device_is_not_answered() -> None:
    assert MeterSession(BuiltInMeter(plan(), NOW), device=3).octets(encode(Aarq(1))) is None


@pytest.mark.parametrize(
    ("wport", "aarq", "diagnostic"),
    [
        (77, {}, 1),
        (PUBLIC_CLIENT, {"context": 2}, 2),
        (PUBLIC_CLIENT, {"context": 3}, 2),
        (PUBLIC_CLIENT, {"mechanism": 1}, 11),
        (READING_CLIENT, {}, 12),
        (READING_CLIENT, {"mechanism": 1}, 13),
        (READING_CLIENT, {"mechanism": 1, "calling_authentication_value": b"another"}, 13),
        (MANAGING_CLIENT, {"context": 3, "mechanism": 5}, 3),
        (MANAGING_CLIENT, {"context": 3, "mechanism": 5, "calling_ap_title": TITLE}, 13),
    ],
)
def test_refusals_say_why(wport: int, aarq: dict[str, Any], diagnostic: int) -> None:
    client = MeterSession(BuiltInMeter(plan(), NOW), wport)
    initiate = encode(InitiateRequest(0xFFFFFF, 0))
    answer = client.octets(encode(Aarq(**{"context": 1, "user_information": initiate} | aarq)))
    assert answer is not None
    aare = parse(answer)
    assert (aare.result, aare.diagnostic) == (1, Diagnostic(1, diagnostic))


@pytest.mark.parametrize(
    ("initiate", "value"),
    [
        (InitiateRequest(0xFFFFFF, 0, dlms_version=5), 1),
        (InitiateRequest(0, 0), 2),
        (InitiateRequest(0xFFFFFF, 11), 3),
    ],
)
def test_what_cannot_be_agreed_on_is_told(initiate: InitiateRequest, value: int) -> None:
    client = MeterSession(BuiltInMeter(plan(), NOW))
    aare = parse(client.octets(encode(Aarq(1, encode(initiate)))) or b"")
    assert aare.result == 1
    assert parse(aare.user_information) == ConfirmedServiceError(1, 6, value)


def test_conformance_and_sizes_are_agreed_on() -> None:
    client = session()
    assert client.agreed.max_pdu_size == 1024
    client.associate(conformance=0x000010)  # get
    assert client.agreed.conformance == 0x000010
    assert client.say(g.SetRequestNormal(INVOKE, CLOCK, None, NULL_DATA)) == ExceptionResponse(1, 2)


# HLS and ciphering.


def _elliptic(suite: int) -> tuple[KeySet, KeySet, KeySet]:
    """Keys of a meter with suite 1 or 2, the client's own, and what the meter knows of the client."""
    curve, size = (ec.SECP256R1(), 16) if suite == 1 else (ec.SECP384R1(), 32)
    meter, client = (ec.derive_private_key(number, curve) for number in (12345, 67890))
    shared = {"encryption": bytes(range(size)), "authentication": bytes(range(100, 100 + size))}
    return (
        KeySet("meter", signing_private=meter, hls_secret=b"secret", **shared),
        KeySet("client", signing_private=client, hls_secret=b"secret", **shared),
        KeySet("the client's", title=TITLE, signing_public=client.public_key()),
    )


@pytest.mark.parametrize("ciphered", [False, True])
@pytest.mark.parametrize("mechanism", [2, 3, 4, 5, 6])
def test_each_mechanism_leads_to_an_association(mechanism: int, ciphered: bool) -> None:
    client = session(MANAGING_CLIENT, mechanism=mechanism, ciphered=ciphered)
    assert client.get(8, "0.0.1.0.0.255")[:4] == bytes.fromhex("07e90c01")
    assert client.get(15, "0.0.40.0.0.255", 8) == 2


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("mechanism", [5, 7])
def test_suites_1_and_2(suite: int, mechanism: int) -> None:
    keys, own, known = _elliptic(suite)
    meter = BuiltInMeter(plan(keys=keys, clients=(known,), suite=suite, mechanism=mechanism), NOW)
    client = MeterSession(meter, MANAGING_CLIENT, keys=own)
    assert client.associate().result == 0
    assert client.get(64, "0.0.43.0.0.255", 3) == suite


@pytest.mark.parametrize("form", CipheringForm)
def test_an_answer_is_protected_as_its_request_was(form: CipheringForm) -> None:
    keys = replace(KEYS, dedicated=bytes(range(0x60, 0x70)))
    client = MeterSession(BuiltInMeter(plan(), NOW), MANAGING_CLIENT, keys=keys, form=form)
    client.associate()
    request = client.seal(encode(GET_CLOCK))
    answer = client.octets(request)
    assert answer is not None
    pairs = {0xC8: 0xCC, 0xD0: 0xD4}
    assert answer[0] == pairs.get(request[0], request[0])
    assert parse(client.open(answer)).result.plain[:2] == b"\x07\xe9"


def test_a_wrong_proof_ends_the_association() -> None:
    client = MeterSession(BuiltInMeter(plan(mechanism=3, ciphered=False), NOW), MANAGING_CLIENT)
    client.keys = KeySet("another", hls_secret=b"another secret")
    with pytest.raises(AssertionError):
        client.associate()
    assert client.say(GET_CLOCK) == NOT_ALLOWED


def test_in_an_association_nothing_is_left_to_prove() -> None:
    client = session(MANAGING_CLIENT, mechanism=3, ciphered=False)
    assert client.act(15, "0.0.40.0.0.255", 1) == 4


def test_replayed_counters_are_refused_with_the_one_expected() -> None:
    client = session(MANAGING_CLIENT)
    sealed = client.seal(encode(GET_CLOCK))
    assert (client.octets(sealed) or b"")[0] == 0xCC
    assert client.octets(sealed) == encode(ExceptionResponse(1, 6, client.counter))
    assert client.get(8, "0.0.1.0.0.255")


def test_the_security_setup_tells_both_titles() -> None:
    client = session(MANAGING_CLIENT)
    assert client.get(64, "0.0.43.0.0.255", 4) == TITLE
    assert client.get(64, "0.0.43.0.0.255", 5) == client.meter.plan.title


def test_the_public_client_learns_the_counter() -> None:
    client = session(MANAGING_CLIENT)
    public = MeterSession(client.meter)
    public.associate()
    assert public.get(1, "0.0.43.1.0.255") == client.counter - 1


def test_wrong_keys_and_too_little_protection_are_refused() -> None:
    client = session(MANAGING_CLIENT)
    assert client.octets(encode(GET_CLOCK)) == encode(ExceptionResponse(1, 1))
    client.keys = KeySet("other", encryption=bytes(16), authentication=bytes(16))
    assert client.octets(client.seal(encode(GET_CLOCK))) == encode(ExceptionResponse(1, 5))
    aare = client.associate()
    assert aare.result == 1
    assert parse(aare.user_information or b"") == ConfirmedServiceError(1, 0, 6)


def test_no_counter_of_the_meter_is_used_twice() -> None:
    client = session(MANAGING_CLIENT)
    used = [client.octets(client.seal(encode(GET_CLOCK))) for _ in range(50)]
    counters = [int.from_bytes((answer or b"")[3:7], "big") for answer in used]
    assert counters == sorted(set(counters))


# What is no APDU.


@pytest.mark.parametrize("wport", [PUBLIC_CLIENT, READING_CLIENT, MANAGING_CLIENT])
@given(octets=st.binary(max_size=200))
@settings(deadline=None)
def test_garbage_is_answered_and_never_raises(wport: int, octets: bytes) -> None:
    client = _known(wport)
    answer = client.octets(octets)
    assert answer is None or parse(answer) is not None
    client.associate()


_SESSIONS: dict[int, MeterSession] = {}


def _known(wport: int) -> MeterSession:
    if wport not in _SESSIONS:
        _SESSIONS[wport] = session(wport)
    return _SESSIONS[wport]


@given(places=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=3))
@settings(deadline=None)
def test_changed_octets_of_requests_never_raise(places: list[tuple[int, int]]) -> None:
    client = _known(READING_CLIENT)
    requests: list[Any] = [
        GET_CLOCK,
        Aarq(1, encode(InitiateRequest(0xFFFFFF, 0)), mechanism=1, calling_authentication_value=PASSWORD),
        g.GetRequestWithList(INVOKE, (SelectedAttribute(CLOCK),) * 4),
        g.ActionRequestNormal(INVOKE, name(70, "0.0.96.3.10.255", 1, method=True), NULL_DATA),
    ]
    for request in requests:
        octets = bytearray(encode(request))
        for place, octet in places:
            octets[place % len(octets)] = octet
        answer = client.octets(bytes(octets))
        assert answer is None or parse(answer) is not None


def test_what_is_no_service_of_a_meter_is_told() -> None:
    client = session()
    assert client.octets(b"\xff\x01") == encode(ExceptionResponse(2, 2))
    assert client.octets(b"\xc0\x09") == encode(ExceptionResponse(1, 3))
    assert client.octets(b"") == encode(ExceptionResponse(2, 2))


# General block transfer.

ALL_BUT_GET_BLOCKS = 0xFFFFFF & ~0x001000
LIST = name(15, "0.0.40.0.0.255", 2)


def blocks_of(client: MeterSession, octets: bytes) -> list[GeneralBlockTransfer]:
    answers = client.meter.receive(octets, client.wport, client.device, client.now, client.link)
    found = [parse(answer) for answer in answers]
    assert all(isinstance(each, GeneralBlockTransfer) for each in found)
    return found


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("wport", [READING_CLIENT, MANAGING_CLIENT])
def test_an_answer_comes_in_general_blocks(wport: int, window: int) -> None:
    client = session(wport)
    client.associate(pdu=300, conformance=ALL_BUT_GET_BLOCKS)
    machine = GeneralBlockMachine(window)
    apdu = encode(g.GetRequestNormal(INVOKE, LIST))
    sealed = client.seal(apdu) if client.ciphered else apdu
    waiting = [encode(each) for each in machine.send(sealed, 200)]
    found = None
    rounds = 0
    while waiting:
        rounds += 1
        blocks = [one for octets in waiting for one in blocks_of(client, octets)]
        assert all(len(encode(one)) <= 300 for one in blocks)
        waiting = []
        for block in blocks:
            taken = machine.receive(block)
            found = taken.apdu or found
            waiting += [encode(each) for each in taken.blocks]
    assert found is not None
    listed = parse(client.open(found)).result.plain
    client.associate()
    assert listed == client.get(15, "0.0.40.0.0.255")
    assert rounds >= 6 // window


def test_a_request_may_come_in_general_blocks_and_lose_some() -> None:
    client = session(MANAGING_CLIENT, ciphered=False)
    value = octet_string(bytes(range(256)) * 4)
    request = encode(g.SetRequestNormal(INVOKE, name(1, "0.0.96.13.0.255", 2), None, value))
    pieces = [request[at : at + 100] for at in range(0, len(request), 100)]
    sent = [
        GeneralBlockTransfer(at == len(pieces) - 1, at < len(pieces) - 1, 1, at + 1, 0, piece)
        for at, piece in enumerate(pieces)
    ]
    asked_again = [one for block in (*sent[:3], *sent[4:]) for one in blocks_of(client, encode(block))]
    assert asked_again[-1].acknowledged == 3
    answers = [one for block in sent[3:] for one in blocks_of(client, encode(block))]
    assert parse(answers[-1].octets) == g.SetResponseNormal(INVOKE, 0)
    assert client.get(1, "0.0.96.13.0.255") == value.value


# Faults on demand.


def test_faults_spoil_what_they_name() -> None:
    client = session(MANAGING_CLIENT)
    faults = client.meter.faults
    faults.wrong_tag = 1.0
    with pytest.raises(UnsealError):
        client.result(CLOCK)
    faults.wrong_tag, faults.counter_replay = 0.0, 1.0
    answers = [client.octets(client.seal(encode(GET_CLOCK))) or b"" for _ in range(2)]
    assert answers[0][:7] == answers[1][:7]
    faults.counter_replay, faults.block_lost = 0.0, 1.0
    client.associate(pdu=200)
    first = client.say(g.GetRequestNormal(INVOKE, LIST))
    assert (first.number, client.say(g.GetRequestNext(INVOKE, 1)).number) == (1, 3)
