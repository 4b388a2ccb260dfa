"""What is refused in a list is told with its own object, not with that of the first item."""

from pathlib import Path

import pytest

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.objects.object_table import ObjectView
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import CLIENT as CLIENT_TITLE
from tests.helpers.association_ends import KEYS
from tests.helpers.association_ends import METER as METER_TITLE
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION
from tests.helpers.wire import Tcp, Wire, analyse, wpdu

ONE, TWO, THREE = "1.0.1.8.0.255", "1.0.2.8.0.255", "0.0.96.1.0.255"
ITEMS = [(3, ONE, 2), (3, TWO, 2), (1, THREE, 2)]
DESCRIPTORS = b"".join(a.attribute(*item) for item in ITEMS)
LONG = a.structure(a.octet_string(bytes(50)), a.double_long_unsigned(1))
GET_LIST = a.get_list_request(0xC1, ITEMS)
ANSWERS = a.get_list_response(0xC1, [LONG, 4, LONG])
BODY = ANSWERS[3:]
VALUES = [a.double_long_unsigned(number) for number in (1, 2, 3)]
SET_LIST = (
    b"\xc1\x04\xc1\x03" + b"".join(a.attribute(*item) + b"\0" for item in ITEMS) + b"\x03" + b"".join(VALUES)
)
ACTION_LIST = b"\xc3\x03\xc1\x03" + b"".join(a.attribute(*item) for item in ITEMS) + b"\x03\0\0\0"
ACCESS = a.access_request(1, ITEMS)
LISTED = {
    "get": ([GET_LIST, ANSWERS], "get-response: item 2, 1.0.2.8.0.255:2: object-undefined"),
    "get in blocks": (
        [
            GET_LIST,
            a.get_block(0xC1, False, 1, BODY[:40]),
            a.get_next(0xC1, 1),
            a.get_block(0xC1, True, 2, BODY[40:]),
        ],
        "get-response: item 2, 1.0.2.8.0.255:2: object-undefined",
    ),
    "set": (
        [SET_LIST, b"\xc5\x05\xc1\x03\x00\x03\x00"],
        "set-response: item 2, 1.0.2.8.0.255:2: read-write-denied",
    ),
    "action": (
        [ACTION_LIST, b"\xc7\x03\xc1\x03\x00\x00\x03\x00\x00\x00"],
        "action-response: item 2, 1.0.2.8.0.255:2: read-write-denied",
    ),
}


def found(said: list[bytes], folder: Path, keys: KeyTable = NO_KEYS) -> tuple[Associations, list[str]]:
    """The walked capture of what is said, requests and answers in turn, and the sentences of its errors."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for number, octets in enumerate(said):
        tcp.say(number % 2, wpdu(octets, *((1, 16) if number % 2 else (16, 1))))
    associations = Associations(analyse(wire, folder), keys)
    find_items(associations, workers=1)
    items = associations.analysis.expert_items
    columns = (items[name].tolist() for name in ("kind", "amount", "words"))
    return associations, [items.sentence(*one) for one in zip(*columns, strict=True)]


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("ciphered", [False, True])
def test_an_error_names_the_object_of_its_item(name: str, ciphered: bool, tmp_path: Path) -> None:
    """Expert items, the exchange and its answer, whatever the service, in blocks and ciphered."""
    said, sentence = LISTED[name]
    if ciphered:
        client = a.Cipher(CLIENT_TITLE, ENCRYPTION, AUTHENTICATION)
        meter = a.Cipher(METER_TITLE, ENCRYPTION, AUTHENTICATION)
        said = [(meter if number % 2 else client).general_glo(octets) for number, octets in enumerate(said)]
    associations, sentences = found(said, tmp_path, KEYS)
    assert [one for one in sentences if "item 2" in one] == [sentence]
    analysis = associations.analysis
    insights = Insights(analysis, beside=associations)
    last = AskedRows(analysis, analysis.pair()["last_response"], insights)
    told = (("exchange.obis", TWO), ("obis", TWO), ("exchange.attribute", 2), ("value", None))
    for field, value in told:
        assert FIELDS[field].jsons(last) == [value]


def test_the_one_that_was_asked_first_is_named_where_nothing_tells_otherwise(tmp_path: Path) -> None:
    """A list whose first item is refused, and one that is refused as a whole."""
    for answer in (a.get_list_response(0xC1, [4, LONG, LONG]), a.exception_response(1, 2)):
        associations, _ = found([GET_LIST, answer], tmp_path)
        last = AskedRows(associations.analysis, associations.analysis.pair()["last_response"])
        assert FIELDS["exchange.obis"].jsons(last) == [ONE]


def test_access_names_the_object_of_what_it_refuses(tmp_path: Path) -> None:
    """Its results stand behind its data."""
    answer = bytearray(a.access_response(1, [VALUES[0], a.NULL, VALUES[2]]))
    answer[-3] = 4  # the second result of three, each a choice and a code
    associations, told = found([ACCESS, bytes(answer)], tmp_path)
    assert "access-response: item 2, 1.0.2.8.0.255:2: object-undefined" in told
    last = AskedRows(associations.analysis, associations.analysis.pair()["last_response"])
    assert FIELDS["exchange.obis"].jsons(last) == [TWO]


@pytest.mark.parametrize(
    ("request_hex", "answer_hex", "sentence"),
    [
        ("050302fa0802fa1002fa18", "0c03000600000001010400060000000" + "1", "item 2, short name 0xfa10"),
        ("060202fa0802fa100206000000010600000002", "0d02000103", "item 2, short name 0xfa10"),
    ],
)
def test_services_of_short_names_name_the_short_name(
    request_hex: str, answer_hex: str, sentence: str, tmp_path: Path
) -> None:
    """There is no logical name to tell."""
    _, told = found([bytes.fromhex(request_hex), bytes.fromhex(answer_hex)], tmp_path)
    assert sum(sentence in one for one in told) == 1


def test_items_that_were_written_in_vain_have_no_values(tmp_path: Path) -> None:
    """The object view: only what was accepted is a value of its attribute."""
    said, _ = LISTED["set"]
    associations, _ = found(said, tmp_path)
    view = ObjectView(associations.analysis)
    view.complete()
    readings = view.readings
    told = {
        view.attributes[int(readings["attribute"][one])].instance: (
            int(readings["result"][one]),
            int(readings["value"][one]) >= 0,
        )
        for one in range(len(readings))
    }
    assert told == {a.obis(ONE): (0, True), a.obis(TWO): (3, False), a.obis(THREE): (0, True)}
