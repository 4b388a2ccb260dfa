"""GET, SET, ACTION and ACCESS of the built-in meter: lists, blocks both ways, and what is refused."""

import pytest

from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.apdus import encode, encode_data, parse, parse_data
from cosemscope.application.encoding.carrier_apdus import GeneralBlockTransfer
from cosemscope.application.encoding.data_values import NULL_DATA, Data, octet_string, structure
from cosemscope.application.encoding.notifications import (
    AccessAction,
    AccessGet,
    AccessOutcome,
    AccessRequest,
    AccessSet,
    ExceptionResponse,
)
from cosemscope.application.encoding.octet_codecs import write_count
from cosemscope.application.encoding.octet_reader import OctetReader
from cosemscope.application.encoding.service_parts import (
    DATA_RESULTS,
    DataAccessError,
    Datablock,
    SelectedAttribute,
    SelectiveAccess,
)
from cosemscope.application.meter.built_in_meter import MANAGING_CLIENT, PUBLIC_CLIENT, READING_CLIENT
from cosemscope.application.meter.meter_server import MOST_ASSOCIATIONS
from cosemscope.application.protection.sealing import CipheringForm
from tests.application.meter_session import INVOKE, MeterSession, name, session

CLOCK, LIST = name(8, "0.0.1.0.0.255", 2), name(15, "0.0.40.0.0.255", 2)
MESSAGE = name(1, "0.0.96.13.0.255", 2)
DISCONNECT = name(70, "0.0.96.3.10.255", 1, method=True)
LONG = bytes(index % 251 for index in range(3000))


class Overheard(MeterSession):
    """A client that counts the octets of what it is answered."""

    sizes: list[int]

    def octets(self, apdu: bytes) -> bytes | None:
        answer = super().octets(apdu)
        self.sizes = [*getattr(self, "sizes", ()), len(answer or b"")]
        return answer


def managing() -> MeterSession:
    return session(MANAGING_CLIENT)


@pytest.mark.parametrize(
    ("class_id", "instance", "member", "code"),
    [
        (8, "0.0.1.1.0.255", 2, 4),
        (3, "0.0.1.0.0.255", 2, 9),
        (8, "0.0.1.0.0.255", 99, 4),
        (15, "0.0.40.0.0.255", 7, 3),
    ],
)
def test_what_cannot_be_read_is_refused(class_id: int, instance: str, member: int, code: int) -> None:
    found = session(READING_CLIENT).result(name(class_id, instance, member))
    assert found == DataAccessError(code)


def test_a_client_sees_what_its_level_allows() -> None:
    assert session(PUBLIC_CLIENT).result(name(3, "1.0.2.8.0.255", 2)) == DataAccessError(4)
    reader = session(READING_CLIENT)
    assert reader.get(3, "1.0.2.8.0.255") > 0
    assert reader.set(1, "0.0.96.13.0.255", 2, octet_string(b"x")) == 3
    assert reader.act(70, "0.0.96.3.10.255", 1) == 3


def test_no_response_is_longer_than_the_client_takes() -> None:
    for wport in (READING_CLIENT, MANAGING_CLIENT):
        client = Overheard(session(wport).meter, wport)
        client.counter = 100
        client.associate(pdu=200)
        client.sizes = []
        assert len(client.get(15, "0.0.40.0.0.255")) > 20
        assert max(client.sizes) <= 200
        assert sorted(client.sizes)[1] > 180
        assert len(client.sizes) > 5


def test_a_list_comes_in_blocks_where_it_is_long() -> None:
    client = managing()
    client.associate(pdu=512)
    attributes = tuple(SelectedAttribute(one) for one in (CLOCK, LIST, name(3, "1.0.9.8.0.255", 2)))
    response = client.say(g.GetRequestWithList(INVOKE, attributes))
    assert isinstance(response, g.GetResponseWithDatablock)
    results = client.joined(response, lambda octets: DATA_RESULTS.read(OctetReader(octets)))
    assert [type(one) for one in results] == [Data, Data, DataAccessError]
    short = client.say(g.GetRequestWithList(INVOKE, attributes[::2]))
    assert short.results[1] == DataAccessError(4)


def test_a_list_of_whole_profiles_ends_somewhere() -> None:
    client = session(READING_CLIENT)
    profile = SelectedAttribute(name(7, "1.0.99.1.0.255", 2))
    response = client.say(g.GetRequestWithList(INVOKE, (profile,) * 200))
    results = client.joined(response, lambda octets: octets)
    assert len(results) < 8_000_000
    assert results.endswith(bytes((1, 250)) * 190)


def test_blocks_are_told_by_number_and_invoke_id() -> None:
    client = session(READING_CLIENT)
    client.associate(pdu=200)
    missing = client.say(g.GetRequestNext(INVOKE, 1))
    assert missing.result == DataAccessError(16)
    client.say(g.GetRequestNormal(INVOKE, LIST))
    assert client.say(g.GetRequestNext(INVOKE, 2)).result == DataAccessError(19)
    client.say(g.GetRequestNormal(INVOKE, LIST))
    assert client.say(g.GetRequestNext(INVOKE + 1, 1)).result == DataAccessError(19)


def test_without_block_transfer_a_long_value_is_refused() -> None:
    client = session(READING_CLIENT)
    client.associate(pdu=200, conformance=0x000010)
    assert client.result(LIST) == DataAccessError(250)
    assert client.say(g.GetRequestWithList(INVOKE, ())) == ExceptionResponse(1, 2)
    assert client.result(CLOCK, SelectiveAccess(1, NULL_DATA)) == DataAccessError(13)


def test_a_value_is_set_in_one_and_in_blocks() -> None:
    client = managing()
    assert client.set(1, "0.0.96.13.0.255", 2, octet_string(b"short")) == 0
    assert client.get(1, "0.0.96.13.0.255") == b"short"
    octets = encode_data(octet_string(LONG))
    pieces = [octets[at : at + 900] for at in range(0, len(octets), 900)]
    blocks = [Datablock(at == len(pieces) - 1, at + 1, piece) for at, piece in enumerate(pieces)]
    first = g.SetRequestWithFirstDatablock(INVOKE, MESSAGE, None, blocks[0])
    assert client.say(first) == g.SetResponseDatablock(INVOKE, 1)
    for block in blocks[1:-1]:
        answer = client.say(g.SetRequestWithDatablock(INVOKE, block))
        assert answer == g.SetResponseDatablock(INVOKE, block.number)
    last = client.say(g.SetRequestWithDatablock(INVOKE, blocks[-1]))
    assert last == g.SetResponseLastDatablock(INVOKE, 0, len(blocks))
    assert client.get(1, "0.0.96.13.0.255") == LONG


def test_several_values_are_set() -> None:
    client = managing()
    attributes = (SelectedAttribute(MESSAGE), SelectedAttribute(name(1, "0.0.42.0.0.255", 2)))
    values = octet_string(b"1"), octet_string(b"2")
    assert client.say(g.SetRequestWithList(INVOKE, attributes, values)).results == (0, 3)
    octets = bytearray()
    write_count(octets, 2)
    for value in values:
        octets += encode_data(value)
    block = Datablock(False, 1, bytes(octets[:3]))
    client.say(g.SetRequestWithListAndFirstDatablock(INVOKE, attributes, block))
    answer = client.say(g.SetRequestWithDatablock(INVOKE, Datablock(True, 2, bytes(octets[3:]))))
    assert answer == g.SetResponseLastDatablockWithList(INVOKE, (0, 3), 2)


def test_lost_and_unasked_blocks_of_set_are_refused() -> None:
    client = managing()
    block = Datablock(True, 2, b"")
    assert client.say(g.SetRequestWithDatablock(INVOKE, block)).result == 18
    client.say(g.SetRequestWithFirstDatablock(INVOKE, MESSAGE, None, Datablock(False, 1, b"\x09")))
    assert client.say(g.SetRequestWithDatablock(INVOKE, Datablock(True, 3, b"\0"))).result == 19
    client.say(g.SetRequestWithFirstDatablock(INVOKE, MESSAGE, None, Datablock(False, 1, b"\x09")))
    assert client.say(g.SetRequestWithDatablock(INVOKE, Datablock(True, 2, b"\5a"))).result == 12


def test_methods_are_invoked_in_one_in_lists_and_in_blocks() -> None:
    client = managing()
    assert client.act(70, "0.0.96.3.10.255", 1) == 0
    assert client.get(70, "0.0.96.3.10.255", 3) == 0
    reconnect = DISCONNECT._replace(member=2)
    response = client.say(g.ActionRequestWithList(INVOKE, (reconnect, CLOCK), (NULL_DATA, NULL_DATA)))
    assert [answer.code for answer in response.answers] == [0, 4]
    assert client.get(70, "0.0.96.3.10.255", 3) == 1
    octets = encode_data(structure(octet_string(b"image"), Data(6, 1000)))
    initiate = name(18, "0.0.44.0.0.255", 1, method=True)
    first = g.ActionRequestWithFirstPblock(INVOKE, initiate, Datablock(False, 1, octets[:4]))
    assert client.say(first) == g.ActionResponseNextPblock(INVOKE, 1)
    rest = g.ActionRequestWithPblock(INVOKE, Datablock(True, 2, octets[4:]))
    assert client.say(rest).answer.code == 0
    assert client.get(18, "0.0.44.0.0.255", 6) == 1
    assert client.say(rest).answer.code == 16


def test_gets_sets_and_actions_in_one_request() -> None:
    client = MeterSession(managing().meter, MANAGING_CLIENT, form=CipheringForm.GENERAL_GLOBAL)
    client.counter = 100
    client.associate()
    specifications = AccessGet(CLOCK), AccessSet(MESSAGE), AccessAction(DISCONNECT), AccessGet(DISCONNECT)
    values = NULL_DATA, octet_string(b"set"), NULL_DATA, NULL_DATA
    response = client.say(AccessRequest(0x40000001, b"", specifications, values))
    wanted = AccessOutcome(1, 0), AccessOutcome(2, 0), AccessOutcome(3, 0), AccessOutcome(1, 0)
    assert response.outcomes == wanted
    assert response.values[0].plain[:2] == b"\x07\xe9"
    assert client.get(1, "0.0.96.13.0.255") == b"set"
    profile = AccessGet(name(7, "1.0.99.1.0.255", 2))
    too_long = client.say(AccessRequest(0x40000001, b"", (profile,), (NULL_DATA,)))
    assert too_long == ExceptionResponse(1, 4)


def test_unconfirmed_requests_are_obeyed_without_an_answer() -> None:
    client = session(MANAGING_CLIENT, ciphered=False)
    request = g.SetRequestNormal(0x01, MESSAGE, None, octet_string(b"quiet"))
    assert client.octets(encode(request)) is None
    assert client.get(1, "0.0.96.13.0.255") == b"quiet"


def test_blocks_joined_are_the_value() -> None:
    client = session(READING_CLIENT)
    client.associate(pdu=100)
    small = client.result(LIST)
    client.associate(pdu=0xFFFF)
    large = client.result(LIST)
    assert encode_data(small) == encode_data(large)
    assert parse_data(encode_data(large)) == large


def test_requests_in_blocks_have_an_end() -> None:
    """Whoever is let in without a password fills no memory: a request of megabytes is refused."""
    client = session(PUBLIC_CLIENT)
    block = Datablock(False, 1, bytes(60_000))
    client.say(g.SetRequestWithFirstDatablock(INVOKE, MESSAGE, None, block))
    answers = [
        client.say(g.SetRequestWithDatablock(INVOKE, block._replace(number=number))) for number in range(2, 8)
    ]
    assert g.SetResponseLastDatablock(INVOKE, 19, 5) in answers
    whole = bytes(10_000)
    refused = None
    for number in range(1, 40):
        octets = encode(GeneralBlockTransfer(False, True, 1, number, 0, whole))
        for answer in client.meter.receive(octets, client.wport, 1, client.now):
            refused = refused or parse(answer)
    assert refused == ExceptionResponse(1, 3)


def test_associations_have_an_end_too() -> None:
    client = session(PUBLIC_CLIENT)
    for number in range(1, 1 + MOST_ASSOCIATIONS):
        client.meter.receive(b"\xc0", 16, 1, client.now, number)
    assert client.say(g.GetRequestNormal(INVOKE, CLOCK)) == ExceptionResponse(1, 1)
