"""General-block-transfer in exchanges: whoever sends it, it is one APDU with one body and many rows."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.connection_ends import ConnectionEnds
from cosemscope.analysis.exchanges.statuses import ExchangeStatus, statuses
from cosemscope.analysis.expert.run import find_column_items
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.expert_items import KINDS
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import CLIENT as CLIENT_TITLE
from tests.helpers.association_ends import KEYS
from tests.helpers.association_ends import METER as METER_TITLE
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION
from tests.helpers.wire import Tcp, Wire, analyse, wpdu

UP, DOWN = 0, 1
Said = tuple[int, bytes]
ENERGY, CLOCK = "1.0.1.8.0.255", "0.0.1.0.0.255"
VALUE = a.octet_string(bytes(range(40)))
GET, OTHER = a.get_request(0xC1, 3, ENERGY), a.get_request(0xC2, 8, CLOCK)
ANSWER, ANSWER_2 = a.get_response(0xC1, VALUE), a.get_response(0xC2, VALUE)
SET, DONE = a.set_request(0xC3, 1, CLOCK, 2, VALUE), a.set_response(0xC3)
PUSH = a.data_notification(7, b"", a.structure(VALUE, VALUE))
EVENT = a.event_notification(b"", 1, CLOCK, 2, VALUE)


def block(number: int, octets: bytes, *, last: bool = False, ack: int = 0, window: int = 1) -> bytes:
    """A general-block-transfer: streaming where a window has more than one block."""
    control = (0x80 if last else 0) | (0x40 if window > 1 else 0) | window
    return bytes((0xE0, control)) + number.to_bytes(2, "big") + ack.to_bytes(2, "big") + a.sized(octets)


def blocks(apdu: bytes, count: int = 3, *, ack: int = 0, window: int = 1) -> list[bytes]:
    """An APDU in so many blocks."""
    size = -(-len(apdu) // count)
    parts = [apdu[at : at + size] for at in range(0, len(apdu), size)]
    return [
        block(number, part, last=number == len(parts), ack=ack, window=window)
        for number, part in enumerate(parts, 1)
    ]


def bare(ack: int) -> bytes:
    """An acknowledgement."""
    return block(1, b"", last=True, ack=ack)


def acknowledged(side: int, sent: Sequence[bytes]) -> list[Said]:
    """Blocks of a side, each but the last acknowledged by the other one."""
    said: list[Said] = []
    for number, octets in enumerate(sent, 1):
        said += [(side, octets), (1 - side, bare(number))]
    return said[:-1]


def spoken(said: Sequence[Said]) -> Wire:
    """A connection on which this is said."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for side, octets in said:
        tcp.say(side, wpdu(octets, *((1, 16) if side else (16, 1))))
    return wire


def analysed(said: Sequence[Said], folder: Path, keys: KeyTable = NO_KEYS) -> Analysis:
    """A connection on which this is said, walked with the keys."""
    analysis = analyse(spoken(said), folder)
    complete(Associations(analysis, keys))
    analysis.pair_anew()
    return analysis


def told(analysis: Analysis) -> list[tuple[str, str, str, int]]:
    """Service, object, status and blocks of each exchange."""
    table = analysis.exchanges
    ends = ConnectionEnds(analysis.packets, analysis.packet_streams, analysis.streams)
    found = statuses(table, analysis.wpdus, ends, int(analysis.packets["time"][-1]))
    return [
        (
            apdu_name(int(table["service"][one])),
            dotted(int(table["obis"][one]).to_bytes(6, "big")) if table["class_id"][one] >= 0 else "",
            ExchangeStatus(found[one]).word,
            int(table["blocks"][one]),
        )
        for one in range(len(table))
    ]


def up(*apdus: bytes) -> list[Said]:
    return [(UP, apdu) for apdu in apdus]


def down(*apdus: bytes) -> list[Said]:
    return [(DOWN, apdu) for apdu in apdus]


LOST = blocks(ANSWER, 4, window=4)
REQUEST = ("get-request", ENERGY, "answered")
COURSES = {
    "a request in blocks": ([*acknowledged(UP, blocks(GET)), *down(ANSWER)], [(*REQUEST, 3)]),
    "a request in one block": ([*up(*blocks(GET, 1)), *down(ANSWER)], [(*REQUEST, 1)]),
    "both in blocks": (
        [*acknowledged(UP, blocks(GET)), *acknowledged(DOWN, blocks(ANSWER, ack=3))],
        [(*REQUEST, 6)],
    ),
    "a set in streamed blocks": (
        [*up(*blocks(SET, 5, window=5)), *down(bare(5), DONE)],
        [("set-request", CLOCK, "answered", 5)],
    ),
    "an answer in windows": (
        [*up(GET), *down(*LOST[:2]), *up(bare(2)), *down(*LOST[2:]), *up(bare(4))],
        [(*REQUEST, 4)],
    ),
    "a lost block that comes later": (
        [*up(GET), *down(LOST[0], LOST[2], LOST[3]), *up(bare(1)), *down(LOST[1])],
        [(*REQUEST, 4)],
    ),
    "a lost block of a request": (
        [*up(*(blocks(SET, 4)[at] for at in (0, 1, 3))), *down(bare(2)), *up(blocks(SET, 4)[2]), *down(DONE)],
        [("set-request", CLOCK, "answered", 4)],
    ),
    "repeated blocks": (
        [*up(GET), *down(LOST[0], LOST[0], LOST[1], LOST[2], LOST[1], LOST[3], LOST[3]), *up(OTHER)],
        [(*REQUEST, 4), ("get-request", CLOCK, "unfinished", 0)],
    ),
    "a block that never comes": (
        [*up(GET), *down(LOST[0], LOST[2], LOST[3]), *up(OTHER), *down(ANSWER_2)],
        [("get-request", ENERGY, "unfinished", 3), ("get-request", CLOCK, "answered", 0)],
    ),
    "given up and asked again": (
        [*acknowledged(UP, blocks(GET)[:2]), *acknowledged(UP, blocks(GET)), *down(ANSWER)],
        [("general-block-transfer", "", "unanswered", 2), (*REQUEST, 3)],
    ),
    "a push": (acknowledged(DOWN, blocks(PUSH)), [("data-notification", "", "notification", 3)]),
    "a push amid an exchange": (
        [*up(GET), *down(*blocks(PUSH)), *down(ANSWER)],
        [(*REQUEST, 0), ("data-notification", "", "notification", 3)],
    ),
    "an event": (
        [*down(*blocks(EVENT)), *up(GET), *down(ANSWER)],
        [("event-notification-request", CLOCK, "notification", 3), (*REQUEST, 0)],
    ),
    "both at once": (
        [
            *up(GET, blocks(OTHER)[0]),
            *down(LOST[0]),
            *up(blocks(OTHER)[1]),
            *down(LOST[1], LOST[2]),
            *up(blocks(OTHER)[2]),
            *down(LOST[3], *blocks(ANSWER_2, 2)),
        ],
        [(*REQUEST, 4), ("get-request", CLOCK, "answered", 5)],
    ),
    "pipelined answers": (
        [*up(GET, OTHER), *down(*blocks(ANSWER_2), *blocks(ANSWER))],
        [(*REQUEST, 3), ("get-request", CLOCK, "answered", 3)],
    ),
    "an error": (
        [*acknowledged(UP, blocks(GET)), *down(*blocks(a.get_error(0xC1, 4), 2))],
        [("get-request", ENERGY, "error", 5)],
    ),
    "an exception": (
        [*acknowledged(UP, blocks(GET)), *down(a.exception_response(1, 2))],
        [("get-request", ENERGY, "error", 3)],
    ),
}


@pytest.mark.parametrize("name", COURSES)
def test_a_transfer_is_one_apdu_of_one_exchange(name: str, tmp_path: Path) -> None:
    """Every row of a transfer belongs to one exchange, which is about what the blocks carry."""
    said, wanted = COURSES[name]
    analysis = analysed(said, tmp_path)
    assert told(analysis) == wanted
    assert (analysis.exchanges.of["exchange"] >= 0).all()


def glo(title: bytes, tag: int, apdu: bytes, general: bool, counter: int) -> bytes:
    cipher = a.Cipher(title, ENCRYPTION, AUTHENTICATION, counter)
    return cipher.general_glo(apdu) if general else cipher.glo(tag, apdu)


@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("opened", [False, True])
def test_ciphered_transfers(general: bool, opened: bool, tmp_path: Path) -> None:
    """What is ciphered as a whole and sent in blocks: opened it names its object, unopened it still pairs."""
    aarq = a.aarq(context=3, title=CLIENT_TITLE)
    aare = a.aare(context=3, title=METER_TITLE)
    asked = glo(CLIENT_TITLE, 0xC8, GET, general, 1)
    answered = glo(METER_TITLE, 0xCC, ANSWER, general, 1)
    said = [*up(aarq), *down(aare), *acknowledged(UP, blocks(asked)), *acknowledged(DOWN, blocks(answered))]
    found = told(analysed(said, tmp_path, KEYS if opened else NO_KEYS))
    unopened = "general-glo-ciphering" if general else "glo-get-request"
    assert found[1:] == [("get-request", ENERGY, "answered", 6) if opened else (unopened, "", "answered", 6)]


def test_a_request_has_been_asked_with_its_last_block(tmp_path: Path) -> None:
    """The response time begins there, and the request stands whole there."""
    analysis = analysed([*acknowledged(UP, blocks(GET)), *down(ANSWER)], tmp_path)
    table, wpdus = analysis.exchanges, analysis.wpdus
    assert (table["request"][0], table["whole_request"][0], table["last_request"][0]) == (0, 4, 4)
    assert table["request_end"][0] == wpdus["time"][4]
    assert (table["requests"][0], table["responses"][0]) == (3, 1)


def test_acknowledgements_are_no_responses(tmp_path: Path) -> None:
    """What a server says of blocks that it got is no answer, and is counted as none."""
    analysis = analysed([*acknowledged(UP, blocks(GET)), *down(bare(3), ANSWER)], tmp_path)
    asked = AskedRows(analysis, analysis.exchanges.first_rows())
    assert FIELDS["exchange.responses"].jsons(asked) == [[7]]
    assert analysis.exchanges["responses"].tolist() == [1]


@pytest.mark.parametrize("hidden", [False, True])
def test_a_push_over_a_connection_that_the_meter_opened(hidden: bool, tmp_path: Path) -> None:
    """Who only acknowledges its blocks is the client, joined or not; a confirmation is the client's too."""
    cipher = a.Cipher(METER_TITLE, ENCRYPTION, AUTHENTICATION)
    pushed = acknowledged(UP, blocks(cipher.general_glo(PUSH) if hidden else PUSH))
    confirmed = [] if hidden else down(bytes.fromhex("1000000007") + bytes(1))
    analysis = analysed([*pushed, *confirmed], tmp_path)
    service = "general-glo-ciphering" if hidden else "data-notification"
    assert told(analysis) == [(service, "", "notification", 3)]
    assert not analysis.client_is_near(slice(0, 1))[0]
    find_column_items(analysis)
    kinds = analysis.expert_items["kind"].tolist()
    assert not {KINDS[word].number for word in ("unanswered", "response-from-client")} & set(kinds)


@pytest.mark.parametrize("name", COURSES)
def test_packet_by_packet_as_at_once(name: str, tmp_path: Path) -> None:
    """Paired while the capture grows, the rows of transfers belong to the same exchanges."""
    said, _ = COURSES[name]
    wire = spoken(said)
    wanted = analyse(wire, tmp_path).pair()
    with open_capture(wire.capture(tmp_path / "growing.pcap")) as reader:
        analysis = Analysis(reader)
        while analysis.step(1):
            analysis.pair()
        analysis.finish()
        found = analysis.pair()
    for name in ("request", "response", "blocks", "final", "cut", "request_end", "response_end"):
        assert found[name].tolist() == wanted[name].tolist()
    assert found.of["exchange"].tolist() == wanted.of["exchange"].tolist()
