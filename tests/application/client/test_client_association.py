"""The client's association against a played meter: every mechanism, protection and transfer, and faults."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.client.association_parameters import (
    LOGICAL_NAME_CONFORMANCE,
    AssociationParameters,
    GatewayPath,
    MessageKey,
    conformance_of,
)
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_events import (
    AnswerUnmatched,
    ApduRejected,
    AssociationAborted,
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    NotificationReceived,
    RequestAnswered,
    RequestFailed,
    RequestProgress,
    TransmitApdu,
    Unmatched,
)
from cosemscope.application.client.client_states import ClientState
from cosemscope.application.client.request_plans import PlanError
from cosemscope.application.client.service_operations import (
    Act,
    Get,
    act,
    attribute,
    get,
    method,
    set_value,
    set_values,
)
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.acse_apdus import Aare, Abrt, Diagnostic, Rlrq
from cosemscope.application.encoding.apdus import encode, parse
from cosemscope.application.encoding.carrier_apdus import GatewayRequest, GatewayResponse
from cosemscope.application.encoding.data_values import Data, array, long_unsigned, octet_string, unsigned
from cosemscope.application.encoding.initiate_apdus import ConfirmedServiceError, InitiateResponse
from cosemscope.application.encoding.notifications import (
    DataNotification,
    DataNotificationConfirm,
    ExceptionResponse,
)
from cosemscope.application.protection.sealing import CipheringForm, Sealer, SealError
from cosemscope.transport.errors import LocalProtocolError
from tests.application.played_meter import STOC, TITLE, PlayedMeter
from tests.application.played_session import PlayedSession, only

_CLIENT = b"CLI\0\0\0\0\1"
_KEYS = KeySet(
    "meter", encryption=bytes(range(16)), authentication=bytes(range(16, 32)), hls_secret=b"secret"
)
_LONG_KEYS = KeySet(
    "meter", encryption=bytes(range(32)), authentication=bytes(range(32, 64)), hls_secret=b"secret"
)
_CLOCK = attribute(8, bytes.fromhex("0000010000ff"), 2)
_ENERGY = attribute(3, bytes.fromhex("0100010800ff"), 2)
_PROFILE = attribute(7, bytes.fromhex("0100630100ff"), 2)
_RESET = method(3, bytes.fromhex("0100010800ff"), 1)
_CAPTURED = array(long_unsigned(number) for number in range(400))


def _session(meter: dict[str, Any] | None = None, **parameters: Any) -> PlayedSession:
    session = PlayedSession(AssociationParameters(**parameters), PlayedMeter(**meter or {}))
    session.meter.values |= {_CLOCK: octet_string(bytes(12)), _ENERGY: unsigned(5), _PROFILE: _CAPTURED}
    session.meter.returns[_RESET] = unsigned(1)
    return session


def _associated(meter: dict[str, Any] | None = None, **parameters: Any) -> PlayedSession:
    session = _session(meter, **parameters)
    only(session.associate(), AssociationOpened)
    assert session.client.state is ClientState.ASSOCIATED
    return session


def _ciphered(form: CipheringForm = CipheringForm.GLOBAL, **more: Any) -> PlayedSession:
    meter = {"keys": _KEYS, "form": form, "mechanism": 5, **more}
    dedicated = bytes(16) if form.dedicated else None
    return _associated(
        meter,
        mechanism=5,
        challenge=b"to the server",
        keys=_KEYS,
        title=_CLIENT,
        form=form,
        dedicated_key=dedicated,
        counter=7,
    )


# Associating.


def test_without_authentication() -> None:
    """The public client: an AARQ that the decoder reads, and what was negotiated."""
    session = _session({"conformance": conformance_of(19, 20), "long": 300})
    opened = only(session.associate(), AssociationOpened)
    assert (opened.conformance, opened.max_pdu_size) == (conformance_of(19, 20), 300)
    assert opened.server_title == session.client.server_title == TITLE
    decoded = decode_apdu(session.sent[0])
    assert decoded.problems == ()
    assert decoded.root.name == "AARQ"


@pytest.mark.parametrize("suite", [0, 1, 2])
@pytest.mark.parametrize("form", CipheringForm)
@pytest.mark.parametrize("mechanism", range(8))
def test_mechanisms_forms_and_suites(mechanism: int, form: CipheringForm, suite: int) -> None:
    """Whatever the client proves itself with, and whatever it ciphers with: it reads afterwards."""
    keys = _LONG_KEYS if suite == 2 else _KEYS
    curve = ec.SECP384R1() if suite == 2 else ec.SECP256R1()
    first, second = (ec.derive_private_key(seed, curve) for seed in (21, 22))
    own, theirs = (
        KeySet("client", _CLIENT, signing_private=first),
        KeySet("meter", TITLE, signing_private=second),
    )
    signed = mechanism == 7
    meter = {
        "mechanism": mechanism,
        "password": b"sesam",
        "keys": keys,
        "peer": KeySet("client", signing_public=first.public_key()) if signed else None,
        "own": theirs if signed else None,
        "suite": suite,
        "form": form,
    }
    session = _associated(
        meter,
        mechanism=mechanism,
        password=b"sesam",
        challenge=b"to the server!",
        keys=keys,
        own=own if signed else KeySet("none"),
        peer=KeySet("meter", signing_public=second.public_key()) if signed else KeySet("none"),
        title=_CLIENT,
        suite=suite,
        form=form,
        dedicated_key=bytes(range(len(keys.encryption or b""))) if form.dedicated else None,
        counter=7,
    )
    (result,) = session.results(get(_ENERGY))
    assert result.value == unsigned(5)
    assert session.meter.client_counters == sorted(set(session.meter.client_counters))
    assert session.client.counter > max(session.meter.client_counters) >= 7
    assert not any(apdu[0] in (0xC0, 0xC4) for apdu in session.sent + session.received)
    name = apdu_name(session.sent[-1][0])
    assert name == (form.value if form.general else f"{'ded' if form.dedicated else 'glo'}-get-request")


@pytest.mark.parametrize("mechanism", [1, 2, 3, 4, 5, 6])
def test_authentication_in_clear(mechanism: int) -> None:
    """Without ciphering, too."""
    session = _associated(
        {"mechanism": mechanism, "password": b"sesam", "keys": _KEYS},
        mechanism=mechanism,
        password=b"sesam",
        challenge=b"to the server!",
        keys=_KEYS,
        title=_CLIENT,
    )
    assert session.results(get(_ENERGY))[0].value == unsigned(5)


def _refused(session: PlayedSession) -> Any:
    refusal = only(session.associate(), AssociationRefused).refusal
    assert session.client.state is ClientState.INACTIVE
    assert session.client.deadline is None
    return refusal


def test_refusals_of_the_server_have_words_and_advice() -> None:
    """A wrong password, another mechanism."""
    refusal = _refused(_session({"mechanism": 1, "password": b"sesam"}, mechanism=1, password=b"other"))
    assert (refusal.kind, refusal.code) == ("user diagnostic", 13)
    assert "authentication-failure" in refusal.words
    assert "check password or keys" in refusal.advice
    assert "client wPort" in _refused(_session({"mechanism": 5, "keys": _KEYS})).advice


def test_a_server_that_cannot_prove_itself_is_refused() -> None:
    """A wrong answer to the client's challenge, and none."""
    for fault, words in (("wrong_proof", "f(CtoS) of HLS-MD5 is wrong"), ("no_proof", "gives no answer")):
        session = _session({"mechanism": 3, "keys": _KEYS}, mechanism=3, challenge=b"challenge", keys=_KEYS)
        setattr(session.meter, fault, True)
        assert words in _refused(session).words


def test_a_client_with_the_wrong_secret_is_told() -> None:
    """The meter does not take its answer."""
    other = replace(_KEYS, hls_secret=b"another")
    refusal = _refused(
        _session({"mechanism": 3, "keys": _KEYS}, mechanism=3, challenge=b"challenge", keys=other)
    )
    assert "does not take the client's answer" in refusal.words
    assert "HLS secret" in refusal.advice


def _answered(aare: Any, **parameters: Any) -> Any:
    """The refusal that this answer to the AARQ leads to."""
    client = ClientAssociation(AssociationParameters(**parameters))
    client.associate(0)
    return str(only(client.receive(encode(aare), 1), AssociationRefused).refusal)


def test_answers_that_are_no_association() -> None:
    """Errors of the initiate service, exceptions, and AAREs that do not fit what was asked."""
    agreed = encode(InitiateResponse(0, 0))
    error = encode(ConfirmedServiceError(1, 6, 2))
    assert "incompatible-conformance" in _answered(Aare(1, 1, Diagnostic(1, 1), error))
    assert "propose other services" in _answered(Aare(1, 1, Diagnostic(1, 1), error))
    assert "incompatible-conformance" in _answered(Aare(1, 0, Diagnostic(1, 0), error))
    assert "service-not-supported" in _answered(ExceptionResponse(1, 2))
    assert "no-common-acse-version" in _answered(Aare(1, 2, Diagnostic(2, 2)))
    assert "there is none" in _answered(Aare(1, 0, Diagnostic(1, 0)))
    assert "asks for HLS" in _answered(Aare(1, 0, Diagnostic(1, 14), agreed))
    hls = {"mechanism": 3, "challenge": b"challenge", "keys": _KEYS}
    assert "asks for no HLS" in _answered(Aare(1, 0, Diagnostic(1, 0), agreed), **hls)
    assert "without a challenge" in _answered(Aare(1, 0, Diagnostic(1, 14), agreed), **hls)
    ciphered = {"keys": _KEYS, "title": _CLIENT, "form": CipheringForm.GLOBAL}
    assert "in clear" in _answered(Aare(3, 0, Diagnostic(1, 0), agreed), **ciphered)
    other = Sealer(replace(_KEYS, encryption=bytes(16)), TITLE).seal(agreed, 1)
    words = _answered(Aare(3, 0, Diagnostic(1, 0), other, responding_ap_title=TITLE), **ciphered)
    assert "does not open" in words
    assert "check the keys" in words
    assert "aborted" in _answered(Abrt(1))
    mirrored = Aare(1, 0, Diagnostic(1, 14), agreed, responding_authentication_value=b"challenge")
    assert "sent back" in _answered(mirrored, **hls)
    challenged = Aare(1, 0, Diagnostic(1, 14), agreed, responding_authentication_value=STOC)
    assert "no HLS secret" in _answered(challenged, mechanism=3, challenge=b"challenge")


def test_a_broken_aare_is_a_refusal() -> None:
    """It says at which octet, and nobody waits for another."""
    client = ClientAssociation(AssociationParameters())
    client.associate(0)
    refusal = only(client.receive(b"\x61\x02\xa2\x01", 1), AssociationRefused).refusal
    assert "the AARE is broken: expected" in refusal.words


def test_missing_keys_are_said_before_anything_is_sent() -> None:
    """No system title, no key."""
    with pytest.raises(SealError, match="system title"):
        ClientAssociation(AssociationParameters(form=CipheringForm.GLOBAL, keys=_KEYS))
    with pytest.raises(SealError, match="encryption key of 16"):
        ClientAssociation(AssociationParameters(form=CipheringForm.GLOBAL, title=_CLIENT))
    with pytest.raises(SealError, match="challenge of 8 to 64 octets, 0 are given"):
        ClientAssociation(AssociationParameters(mechanism=3))


def test_a_pre_established_association() -> None:
    """Nothing is sent to have it."""
    session = _session(pre_established=True)
    only(session.associate(), AssociationOpened)
    assert session.sent == []
    assert session.results(get(_ENERGY))[0].value == unsigned(5)


def test_states_refuse_what_they_do_not_allow() -> None:
    """Nothing has changed then."""
    client = ClientAssociation(AssociationParameters())
    for wish in (client.release, client.abort, lambda now: client.request(get(_ENERGY), now)):
        with pytest.raises(LocalProtocolError, match="not allowed in the state: not associated"):
            wish(0)
    client.associate(0)
    with pytest.raises(LocalProtocolError, match="AARQ sent"):
        client.associate(0)
    assert client.state is ClientState.ASSOCIATION_PENDING


def test_release() -> None:
    """In clear, and with the ciphered initiate that a ciphered association asks for."""
    session = _associated()
    assert only(session.follow(session.client.release(0)), AssociationReleased).note == ""
    assert session.client.state is ClientState.INACTIVE
    only(session.associate(), AssociationOpened)
    ciphered = _ciphered()
    ciphered.follow(ciphered.client.release(0))
    information = parse(ciphered.sent[-1]).user_information
    assert information[0] == 0x21
    assert isinstance(ciphered.meter.requests[-1], Rlrq)


def test_a_server_without_release() -> None:
    """An exception, silence, a broken RLRE, the end of the connection: released, with a note."""
    ends = (
        lambda client: client.receive(encode(ExceptionResponse(1, 2)), 1),
        lambda client: client.time_out(100),
        lambda client: client.link_lost(1),
        lambda client: client.receive(bytes.fromhex("630e800100be0f040e0800065f1f0400401e1d01000007"), 1),
    )
    said = ("service-not-supported", "no answer came", "connection is gone", "the RLRE is broken")
    for end, words in zip(ends, said, strict=True):
        client = _associated().client
        client.release(0)
        assert words in only(end(client), AssociationReleased).note


# Reading, writing, invoking.


def test_one_attribute_one_method() -> None:
    """GET, SET and ACTION of one."""
    session = _associated()
    assert session.results(get(_ENERGY))[0].value == unsigned(5)
    assert session.results(set_value(_ENERGY, unsigned(6)))[0].refusal is None
    assert session.meter.values[_ENERGY] == unsigned(6)
    assert session.results(act(_RESET, unsigned(0)))[0].value == unsigned(1)
    assert session.meter.acted == [(_RESET, unsigned(0))]
    assert [request.invoke & 15 for request in session.meter.requests[1:]] == [1, 2, 3]


def test_refused_parts_have_words() -> None:
    """Of a list each part has its own."""
    session = _associated()
    unknown = attribute(3, bytes(6), 2)
    good, bad = session.results(get(_ENERGY, unknown))
    assert good.value == unsigned(5)
    assert "object-undefined" in str(bad.refusal)
    assert "object list" in str(bad.refusal)
    (acted,) = session.results(act(method(3, bytes(6), 1)))
    assert acted.refusal is not None
    assert acted.refusal.kind == "action-result"


def test_lists_are_one_request() -> None:
    """With multiple references negotiated; without, one each."""
    session = _associated()
    assert len(session.results(get(_ENERGY, _CLOCK))) == 2
    assert isinstance(session.meter.requests[-1], g.GetRequestWithList)
    session.results(set_values([(_ENERGY, unsigned(1)), (_CLOCK, octet_string(b"x"))]))
    assert isinstance(session.meter.requests[-1], g.SetRequestWithList)
    session.results(Act((_RESET, _RESET), (Data(0), unsigned(1))))
    assert isinstance(session.meter.requests[-1], g.ActionRequestWithList)
    single = _associated({"conformance": conformance_of(19, 20, 23)})
    events = single.ask(get(_ENERGY, _CLOCK))
    assert len(only(events, RequestAnswered).results) == 2
    assert [type(one) for one in single.meter.requests[1:]] == [g.GetRequestNormal] * 2
    assert only(events, RequestProgress).steps == 1


def test_lists_are_split_to_the_negotiated_size() -> None:
    """No request is longer than the server takes; the results stay in order."""
    session = _associated({"long": 128})
    names = [attribute(1, bytes((0, 0, 96, 1, number, 255)), 2) for number in range(40)]
    session.meter.values |= {name: unsigned(number) for number, name in enumerate(names)}
    results = session.results(get(*names))
    assert [one.value for one in results] == [unsigned(number) for number in range(40)]
    assert max(map(len, session.sent[1:])) <= 128
    assert 4 <= len(session.meter.requests[1:]) <= 6
    results = session.results(set_values((name, unsigned(7)) for name in names))
    assert all(one.refusal is None for one in results)
    assert max(map(len, session.sent[1:])) <= 128
    assert {session.meter.values[name] for name in names} == {unsigned(7)}


@pytest.mark.parametrize("ciphered", [False, True])
def test_service_blocks_both_ways(ciphered: bool) -> None:
    """GET, SET and ACTION that take many blocks, each no longer than was negotiated."""
    meter = {"long": 160, "blocks": True}
    session = _ciphered(**meter) if ciphered else _associated(meter)
    begin = len(session.sent)
    assert session.results(get(_PROFILE))[0].value == _CAPTURED
    answered = session.results(get(_PROFILE, _ENERGY))
    assert [one.value for one in answered] == [_CAPTURED, unsigned(5)]
    target = attribute(7, bytes(6), 3)
    assert session.results(set_value(target, _CAPTURED))[0].refusal is None
    assert session.meter.values[target] == _CAPTURED
    session.meter.returns[_RESET] = _CAPTURED
    assert session.results(act(_RESET, _CAPTURED))[0].value == _CAPTURED
    assert session.meter.acted[-1] == (_RESET, _CAPTURED)
    assert max(map(len, session.sent[begin:])) <= 160
    assert max(map(len, session.received)) <= 160
    kinds = {type(one) for one in session.meter.requests}
    assert {g.SetRequestWithFirstDatablock, g.ActionRequestWithFirstPblock, g.GetRequestNext} <= kinds
    assert g.ActionRequestNextPblock in kinds


@pytest.mark.parametrize("ciphered", [False, True])
def test_general_block_transfer_both_ways(ciphered: bool) -> None:
    """Where no service has blocks of its own, the whole APDU goes in blocks, ciphered before."""
    meter = {"long": 160, "conformance": LOGICAL_NAME_CONFORMANCE & ~conformance_of(11, 12, 13)}
    session = _ciphered(**meter) if ciphered else _associated(meter)
    begin = len(session.sent)
    assert session.results(get(_PROFILE))[0].value == _CAPTURED
    target = attribute(7, bytes(6), 3)
    assert session.results(set_value(target, _CAPTURED))[0].refusal is None
    assert session.meter.values[target] == _CAPTURED
    session.meter.returns[_RESET] = _CAPTURED
    assert session.results(act(_RESET, _CAPTURED))[0].value == _CAPTURED
    assert max(map(len, session.sent[begin:] + session.received)) <= 160
    assert {apdu[0] for apdu in session.received} >= {0xE0}


def test_what_is_too_long_without_blocks_is_refused() -> None:
    """Before anything is sent."""
    session = _associated({"long": 160, "conformance": conformance_of(19, 20, 23)})
    with pytest.raises(PlanError, match="the server takes 160, and neither block transfer with SET nor"):
        session.client.request(set_value(_PROFILE, _CAPTURED), 0)
    with pytest.raises(PlanError, match="names no attribute"):
        session.client.request(Get(()), 0)


# Answers that do not fit.


def _asked(**parameters: Any) -> tuple[PlayedSession, bytes]:
    """A session whose client waits for an answer to a GET with invoke-id 1, and that answer."""
    session = _associated(**parameters)
    session.client.request(get(_ENERGY), 10)
    return session, encode(g.GetResponseNormal(0x41, unsigned(9)))


def test_doubled_answers_are_named() -> None:
    """The same answer once more."""
    session, answer = _asked()
    assert isinstance(session.hear(answer)[0], RequestAnswered)
    unmatched = only(session.hear(answer), AnswerUnmatched)
    assert unmatched.kind is Unmatched.DOUBLED
    assert "GET response with invoke-id 1 came again" in unmatched.sentence


def test_late_answers_are_named_and_do_not_answer_the_next_request() -> None:
    """What comes after its request was given up."""
    session, answer = _asked()
    assert session.client.deadline == 20
    assert session.client.time_out(19) == ()
    failed = only(session.client.time_out(20), RequestFailed)
    assert "no answer came within 10 s" in failed.refusal.words
    session.client.request(get(_ENERGY), 20)
    assert only(session.hear(answer), AnswerUnmatched).kind is Unmatched.LATE
    assert session.client.deadline is not None


def test_unasked_answers_are_named() -> None:
    """Of another invoke-id, or of another kind."""
    session, _ = _asked()
    other = only(session.hear(encode(g.GetResponseNormal(0x45, unsigned(9)))), AnswerUnmatched)
    assert other.kind is Unmatched.UNASKED
    assert "waiting for an answer: 1" in other.sentence
    kind = only(session.hear(encode(g.SetResponseNormal(0x41, 0))), AnswerUnmatched)
    assert "a GET response is due under this invoke-id" in kind.sentence


def test_answers_in_another_order() -> None:
    """Several requests at once are told apart by their invoke-ids; response times are those of each."""
    session = _associated(parallel=3)
    for number in range(4):
        assert session.client.request(get(_ENERGY), number)[0] == number + 1
    later = only(session.client.receive(encode(g.GetResponseNormal(0x43, unsigned(3))), 50), RequestAnswered)
    assert (later.number, later.sent_at, later.answered_at) == (3, 2, 50)
    events = session.client.receive(encode(g.GetResponseNormal(0x41, unsigned(1))), 60)
    assert only(events, RequestAnswered).number == 1


def test_the_fourth_request_waits_for_its_turn() -> None:
    """No more than so many are on their way."""
    session = _associated()
    _, first = session.client.request(get(_ENERGY), 0)
    _, second = session.client.request(get(_CLOCK), 0)
    assert (len(first), second) == (1, ())
    events = session.client.receive(encode(g.GetResponseNormal(0x41, unsigned(1))), 60)
    assert parse(only(events, TransmitApdu).octets) == g.GetRequestNormal(0x42, _CLOCK)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (g.GetResponseWithList(0x41, ()), "0 results came for 1 attributes"),
        (g.GetResponseWithDatablock(0x41, False, 2, b""), "block 2 came where block 1 was due"),
        (g.GetResponseWithDatablock(0x41, True, 1, b"\x11"), "the joined blocks hold no value"),
        (g.GetResponseWithDatablock(0x41, False, 1, bytes(200)), "more than the 100 octets"),
    ],
)
def test_answers_that_do_not_fit_their_request(answer: Any, words: str) -> None:
    """The request fails with what was expected."""
    session, _ = _asked(most_octets=100)
    assert words in only(session.hear(encode(answer)), RequestFailed).refusal.words


def test_a_broken_answer_is_told_at_once() -> None:
    """Where its first octets say whose it is; a list that a common server cuts into blocks is one."""
    session, answer = _asked()
    broken = bytes.fromhex("c40341000000000181f6") + bytes(20)
    failed = only(session.hear(broken), RequestFailed)
    assert "the answer is broken: expected the end of the APDU" in failed.refusal.words
    assert only(session.hear(answer), AnswerUnmatched).kind is Unmatched.DOUBLED
    session.client.request(get(_ENERGY), 20)
    for octets in (b"\xc4\x01\x45\x00", b"\xc5\x01\x42", b"\xc4\x01"):
        assert "expected" in only(session.hear(octets), ApduRejected).sentence
    ciphered = _ciphered()
    ciphered.client.request(get(_ENERGY), 0)
    only(ciphered.hear(b"\xc4\x01\x41\x00"), ApduRejected)
    sealed = ciphered.meter.seal(b"\xc4\x01\x41\x00")
    assert "the answer is broken" in only(ciphered.hear(sealed), RequestFailed).refusal.words


def test_exceptions_answer_the_request_that_waits() -> None:
    """With words and advice; without a request they are told as rejected."""
    session, _ = _asked()
    failed = only(session.hear(encode(ExceptionResponse(2, 6, 77))), RequestFailed)
    assert "invocation counter of 77" in failed.refusal.words
    assert "counter above" in failed.refusal.advice
    assert "nothing was asked" in only(session.hear(encode(ExceptionResponse(2, 2))), ApduRejected).sentence


def test_what_is_rejected_changes_nothing() -> None:
    """Broken octets, APDUs of a client, APDUs of another state; the timeout tells of them."""
    session, answer = _asked()
    for octets, words in [
        (b"\xc4\x01", "expected"),
        (b"", "expected"),
        (encode(g.GetRequestNormal(0x41, _ENERGY)), "nothing that a server sends"),
        (encode(Aare(1, 0, Diagnostic(1, 0))), "not to be expected in the state: associated"),
        (b"\xcc\x12\x30" + bytes(17), "glo-get-response does not open"),
    ]:
        assert words in only(session.hear(octets), ApduRejected).sentence
    assert isinstance(session.hear(answer)[0], RequestAnswered)
    session.client.request(get(_ENERGY), 30)
    session.hear(b"\xff")
    failed = only(session.client.time_out(99), RequestFailed)
    assert "one was rejected: expected the tag of an APDU" in failed.refusal.words


def test_counters_of_the_server_must_go_up() -> None:
    """An old answer sent again is not taken, and says why."""
    session = _ciphered()
    session.results(get(_ENERGY))
    assert session.client.server_counter == session.meter.counter
    replayed = session.received[-1]
    session.client.request(get(_ENERGY), 0)
    rejected = only(session.hear(replayed), ApduRejected)
    assert "invocation counter is" in rejected.sentence
    assert "sent again" in rejected.sentence


def test_a_ciphered_association_takes_no_answer_in_clear() -> None:
    """Nor one that is only encrypted, where requests are authenticated."""
    session = _ciphered()
    session.client.request(get(_ENERGY), 0)
    answer = encode(g.GetResponseNormal(0x41, unsigned(1)))
    assert "in clear" in only(session.hear(answer), ApduRejected).sentence
    bare = b"\xcc" + bytes((1 + len(answer), 0x00)) + answer
    assert "in clear" in only(session.hear(bare), ApduRejected).sentence
    weak = Sealer(_KEYS, TITLE, authenticated=False).seal(answer, 500)
    assert "not authenticated" in only(session.hear(weak), ApduRejected).sentence


def test_the_end_of_the_connection_fails_all_requests() -> None:
    """Those on their way and those that wait; with what was answered before."""
    for end, words in (
        (lambda client: client.link_lost(5, "the meter closed"), "the meter closed"),
        (lambda client: client.abort(5), "the client gave up"),
        (lambda client: client.receive(encode(Abrt(0)), 5), "aborted"),
    ):
        client = _associated().client
        client.request(get(_ENERGY), 0)
        client.request(get(_CLOCK), 0)
        events = end(client)
        failed = [event for event in events if isinstance(event, RequestFailed)]
        assert [one.number for one in failed] == [1, 2]
        assert all(words in one.refusal.words for one in failed)
        assert words in only(events, AssociationAborted).sentence
        assert client.state is ClientState.INACTIVE


def test_notifications_are_told_at_any_time() -> None:
    """Ciphered or not; one that wants a confirmation gets it."""
    session = _associated()
    push = DataNotification(0x40000001, b"", unsigned(5))
    told = only(session.hear(encode(push)), NotificationReceived)
    assert (told.apdu, told.protected) == (push, False)
    (sent,) = session.client.confirm(push)
    assert isinstance(sent, TransmitApdu)
    assert parse(sent.octets) == DataNotificationConfirm(0x40000001)
    ciphered = _ciphered(CipheringForm.GENERAL_GLOBAL)
    sealed = ciphered.meter.seal(encode(push))
    assert only(ciphered.hear(sealed), NotificationReceived).protected


@pytest.mark.parametrize(
    ("way", "suite"),
    [(way, suite) for way in MessageKey for suite in range(3) if suite or way is not MessageKey.AGREED],
)
def test_general_ciphering(way: MessageKey, suite: int) -> None:
    """With the key that both have, with one that is wrapped, and with one that is agreed."""
    curve = ec.SECP384R1() if suite == 2 else ec.SECP256R1()
    ours, theirs = (ec.derive_private_key(seed, curve) for seed in (41, 42))
    keys = replace(_LONG_KEYS if suite == 2 else _KEYS, master=bytes(32 if suite == 2 else 16))
    form = CipheringForm.GENERAL_GLOBAL
    session = _associated(
        # The meter opens with what both have; its private key stands among its keys.
        {
            "keys": replace(keys, title=TITLE, agreement_private=theirs),
            "form": form,
            "suite": suite,
            "long": 300,
        },
        keys=keys,
        own=KeySet("client", _CLIENT, agreement_private=ours),
        peer=KeySet("meter", TITLE, agreement_public=theirs.public_key()),
        title=_CLIENT,
        suite=suite,
        form=form,
        message_key=way,
        session_key=bytes(range(len(keys.encryption or b""))),
        counter=3,
    )
    session.meter.peers = [KeySet("client", _CLIENT, agreement_public=ours.public_key())]
    assert session.results(get(_ENERGY))[0].value == unsigned(5)
    assert session.sent[-1][0] == 0xDD
    names = [attribute(1, bytes((0, 0, 96, 1, number, 255)), 2) for number in range(40)]
    session.results(set_values((name, unsigned(7)) for name in names))
    assert max(map(len, session.sent)) <= 300
    assert session.meter.client_counters == sorted(set(session.meter.client_counters))


def test_general_ciphering_names_what_is_missing() -> None:
    """The session key, the server's system title."""
    how: dict[str, Any] = {
        "keys": replace(_KEYS, master=bytes(16)),
        "title": _CLIENT,
        "pre_established": True,
    }
    how["form"] = CipheringForm.GENERAL_GLOBAL
    for more, words in (
        ({"message_key": MessageKey.WRAPPED, "server_title": TITLE}, "no session key"),
        ({"message_key": MessageKey.IDENTIFIED}, "needs both system titles"),
    ):
        client = ClientAssociation(AssociationParameters(**how, **more))
        client.associate(0)
        _, events = client.request(get(_ENERGY), 0)
        assert words in only(events, RequestFailed).refusal.words


def test_a_device_behind_a_gateway() -> None:
    """Every APDU has the prefix; what comes of another device is not taken."""
    path = GatewayPath(3, b"\x12\x34")
    client = ClientAssociation(AssociationParameters(gateway=path))
    meter = PlayedMeter(long=200, blocks=True)
    meter.values[_ENERGY] = unsigned(5)
    waiting, told = list(client.associate(0)), []
    while waiting:
        event = waiting.pop(0)
        if not isinstance(event, TransmitApdu):
            told.append(event)
            if isinstance(event, AssociationOpened):
                waiting += client.request(get(_ENERGY), 0)[1]
            continue
        asked = parse(event.octets)
        assert (type(asked), *path) == (GatewayRequest, asked.network_id, asked.device_address)
        for octets in meter.answer(asked.apdu):
            other = client.receive(encode(GatewayResponse(3, b"\x99", octets)), 1)
            assert "of another device: network 3, device 99" in only(other, ApduRejected).sentence
            waiting += client.receive(encode(GatewayResponse(*path, octets)), 1)
    assert only(told, RequestAnswered).results[0].value == unsigned(5)


def test_services_that_are_not_confirmed() -> None:
    """Nothing is awaited; what would take blocks is refused, and so is another state."""
    session = _associated({"long": 160, "blocks": True})
    (sent,) = session.client.tell(set_value(_ENERGY, unsigned(6)))
    assert isinstance(sent, TransmitApdu)
    assert parse(sent.octets).invoke == 0x00
    assert session.client.deadline is None
    with pytest.raises(PlanError, match="cannot be sent in blocks"):
        session.client.tell(set_value(_PROFILE, _CAPTURED))
    with pytest.raises(LocalProtocolError, match="not associated"):
        ClientAssociation(AssociationParameters()).tell(act(_RESET))


def test_silence_while_associating() -> None:
    """The association is refused with what to know."""
    client = ClientAssociation(AssociationParameters(response_timeout=3))
    client.associate(10)
    assert client.deadline == 13
    assert "within 3 s" in only(client.time_out(13), AssociationRefused).refusal.words


def test_counters_end() -> None:
    """A counter that has run out fails the request and says what to do."""
    session = _associated(
        {"keys": _KEYS, "form": CipheringForm.GLOBAL},
        keys=_KEYS,
        title=_CLIENT,
        form=CipheringForm.GLOBAL,
        counter=2**32 - 1,
    )
    assert "the key has to be changed" in session.refusal(get(_ENERGY))


def test_secrets_do_not_show() -> None:
    """Nor in what parameters say of themselves."""
    parameters = AssociationParameters(
        password=b"sesam", keys=replace(_KEYS, hls_secret=b"sesam"), dedicated_key=b"sesam"
    )
    assert "sesam" not in repr(parameters)
