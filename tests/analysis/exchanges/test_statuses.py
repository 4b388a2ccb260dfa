"""How exchanges end: each status by made traffic, with times, octets and blocks as they were sent."""

from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.connection_ends import ConnectionEnds
from cosemscope.analysis.exchanges.statuses import SILENCE, ExchangeStatus, statuses
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.capture.files.reader import open_capture
from tests.helpers.shared import shared
from tests.helpers.wire import ACK, FIN, MILLISECOND, RST, Tcp, Wire, analyse, wpdu

GET = bytes.fromhex("c001c100030100010800ff0200")
ANSWER = bytes.fromhex("c401c1000600001391")
REFUSED = bytes.fromhex("c401c10104")
EXCEPTION = bytes.fromhex("d80101")
AARQ, AARE = bytes.fromhex("6003a10100"), bytes.fromhex("6103a10100")
ABRT = bytes.fromhex("6403800100")
RLRQ, RLRE = bytes.fromhex("6203800100"), bytes.fromhex("6303800100")
EVENT = bytes.fromhex("c20000010000600100ff020600000004")
UNCONFIRMED_SET = bytes.fromhex("c10181000300010800ff0200" + "0600000000")
BLOCK_1, BLOCK_2 = bytes.fromhex("c402c1000000000100020102"), bytes.fromhex("c402c10100000002000403040506")
NEXT = bytes.fromhex("c002c100000001")


def asked(octets: bytes, invoke_id: int = 1) -> bytes:
    return wpdu(octets[:2] + bytes([0xC0 | invoke_id]) + octets[3:])


def answered(octets: bytes, invoke_id: int = 1) -> bytes:
    return wpdu(octets[:2] + bytes([0xC0 | invoke_id]) + octets[3:], 1, 16)


def ended(wire: Wire, folder: Path) -> list[str]:
    """The status of each exchange of a wire."""
    return status_words(analyse(wire, folder))


def status_words(analysis: Analysis) -> list[str]:
    """The status of each exchange of an analysis."""
    exchanges = analysis.pair()
    ends = ConnectionEnds(analysis.packets, analysis.packet_streams, analysis.streams)
    last = int(analysis.packets["time"][-1])
    return [ExchangeStatus(number).word for number in statuses(exchanges, analysis.wpdus, ends, last)]


BLOCK_3 = BLOCK_2[:7] + b"\x03" + BLOCK_2[8:]
CLIENT, SERVER = 0, 1
SAID = {
    "unfinished, answered by the next": [
        *((CLIENT, asked(GET)), (SERVER, wpdu(BLOCK_1, 1, 16)), (SERVER, wpdu(BLOCK_3, 1, 16))),
        *((CLIENT, asked(GET)), (SERVER, answered(ANSWER))),
    ],
    "answered": [(CLIENT, asked(GET)), (SERVER, answered(ANSWER))],
    "error": [(CLIENT, asked(GET)), (SERVER, answered(REFUSED))],
    "error by exception": [(CLIENT, asked(GET)), (SERVER, wpdu(EXCEPTION, 1, 16))],
    "unasked": [(SERVER, answered(ANSWER))],
    "notification": [(SERVER, wpdu(EVENT, 1, 16))],
    "unconfirmed": [(CLIENT, wpdu(UNCONFIRMED_SET))],
    "unfinished": [(CLIENT, asked(GET))],
    "unanswered, answered": [(CLIENT, asked(GET)), (CLIENT, asked(GET)), (SERVER, answered(ANSWER))],
    "unanswered, answered by the next under its invoke-id": [
        (CLIENT, asked(GET)),
        (SERVER, answered(BLOCK_1)),
        (CLIENT, asked(GET)),
        (SERVER, answered(ANSWER)),
    ],
    "unanswered, unfinished": [(CLIENT, asked(GET)), (CLIENT, wpdu(RLRQ))],
    "unanswered, answered by the release": [
        (CLIENT, wpdu(AARQ)),
        (CLIENT, wpdu(RLRQ)),
        (SERVER, wpdu(RLRE, 1, 16)),
    ],
    "unanswered, unfinished by another association": [(CLIENT, asked(GET)), (CLIENT, wpdu(AARQ))],
}


@pytest.mark.parametrize("name", SAID)
def test_statuses_by_what_is_said(name: str, tmp_path: Path) -> None:
    """The exchanges that these WPDUs make end as the name says."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for side, octets in SAID[name]:
        tcp.say(side, octets)
    assert ended(wire, tmp_path) == name.split(" by ")[0].split(", ")


@pytest.mark.parametrize("flag", [FIN, RST])
@pytest.mark.parametrize(("side", "status"), [(CLIENT, "unanswered"), (SERVER, "unfinished")])
def test_who_ends_the_connection_decides(flag: int, side: int, status: str, tmp_path: Path) -> None:
    """An asker that closes went on without its answer; a server that closes broke the exchange off."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, asked(GET))
    tcp.packet(side, tcp.sent[side], flags=flag | ACK)
    assert ended(wire, tmp_path) == [status]


def test_silence_is_no_answer_and_the_end_of_the_capture_is_none_either(tmp_path: Path) -> None:
    """Nothing for longer than the threshold is unanswered; a capture that ends before is unfinished."""
    waits = ((SILENCE, "unfinished"), (SILENCE + MILLISECOND, "unanswered"))
    for wait, status in waits:
        wire = Wire()
        tcp = Tcp(wire).handshake()
        tcp.say(CLIENT, asked(GET))
        tcp.packet(SERVER, tcp.sent[SERVER], wait=wait)
        assert ended(wire, tmp_path) == [status]


#: How far an exchange in blocks came, and what was said last of it.
FAR = {
    "nothing of it": [],
    "a block": [(SERVER, answered(BLOCK_1))],
    "a request for the next one": [(SERVER, answered(BLOCK_1)), (CLIENT, asked(NEXT))],
}
#: What happens then: a wait in ns, and a segment of a side with flags, or octets that it says; the status.
THEN: dict[str, tuple[int, int, int | bytes, str]] = {
    "the capture ends": (0, SERVER, ACK, "unfinished"),
    "silence up to the threshold": (SILENCE - MILLISECOND, SERVER, ACK, "unfinished"),
    "silence beyond the threshold": (SILENCE + MILLISECOND, SERVER, ACK, "unanswered"),
    "its FIN": (0, CLIENT, FIN | ACK, "unanswered"),
    "its RST": (0, CLIENT, RST, "unanswered"),
    "the other side's FIN": (0, SERVER, FIN | ACK, "unfinished"),
    "the other side's RST": (0, SERVER, RST, "unfinished"),
    "silence, and the other side's FIN": (SILENCE + MILLISECOND, SERVER, FIN | ACK, "unanswered"),
    "the next request under its invoke-id": (0, CLIENT, asked(GET), "unanswered"),
    "a request under another one": (0, CLIENT, asked(GET, 2), "unfinished"),
    "release": (0, CLIENT, wpdu(RLRQ), "unanswered"),
    "another association": (0, CLIENT, wpdu(AARQ), "unanswered"),
    "an abort of the other side's": (0, SERVER, wpdu(ABRT, 1, 16), "unfinished"),
    "its abort": (0, CLIENT, wpdu(ABRT), "unanswered"),
    "a push": (0, SERVER, wpdu(EVENT, 1, 16), "unfinished"),
}


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("then", THEN)
def test_an_open_exchange_is_unanswered_where_its_asker_went_on(far: str, then: str, tmp_path: Path) -> None:
    """By the definitions, however far it came; what ends it otherwise leaves it unfinished."""
    wait, side, event, status = THEN[then]
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for sender, octets in [(CLIENT, asked(GET)), *FAR[far]]:
        tcp.say(sender, octets)
    wire.time += wait
    if isinstance(event, int):
        tcp.packet(side, tcp.sent[side], flags=event)
    else:
        tcp.say(side, event)
    assert ended(wire, tmp_path)[0] == status


def test_silence_behind_an_abort_is_that_of_no_exchange(tmp_path: Path) -> None:
    """The association has ended, and with it what was open."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, asked(GET))
    tcp.say(SERVER, wpdu(ABRT, 1, 16))
    tcp.packet(CLIENT, tcp.sent[CLIENT], wait=2 * SILENCE)
    assert ended(wire, tmp_path) == ["unfinished", "unconfirmed"]


GLO_GET, GLO_TOLD = bytes.fromhex("c8163000000001" + "55" * 17), bytes.fromhex("cc163000000001" + "55" * 17)
GLO_SET = b"\xc9" + GLO_GET[1:]


@pytest.mark.parametrize(
    ("said", "statuses"),
    [
        ([GLO_GET, GLO_GET, GLO_TOLD, GLO_TOLD], ["answered", "answered"]),
        ([GLO_GET, GLO_TOLD, GLO_GET], ["answered", "unanswered"]),
        ([GLO_GET, GLO_GET, GLO_TOLD], ["answered", "unfinished"]),  # whose answer it is nobody sees
        ([GLO_SET, GLO_GET, GLO_TOLD], ["unfinished", "answered"]),  # it may want none
        (
            [GLO_GET, GLO_GET, GLO_TOLD, RLRQ, RLRE, GLO_GET, GLO_TOLD],
            ["answered", "unfinished", *["answered"] * 2],
        ),
        ([GLO_GET, RLRQ, RLRE, AARQ, AARE, GLO_GET, GLO_TOLD], ["unanswered", *["answered"] * 3]),
    ],
)
def test_of_what_nobody_opens_no_answer_is_missed_that_may_have_come(
    said: list[bytes], statuses: list[str], tmp_path: Path
) -> None:
    """The order of ciphered answers is taken for granted, so that one too few may be anybody's."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for octets in said:
        side = SERVER if octets[0] in (0xCC, 0x61, 0x63) else CLIENT
        tcp.say(side, wpdu(octets, *((1, 16) if side else (16, 1))))
    tcp.packet(CLIENT, tcp.sent[CLIENT], wait=SILENCE + MILLISECOND)
    assert ended(wire, tmp_path) == statuses


def test_an_answer_after_other_traffic_of_the_connection_still_answers(tmp_path: Path) -> None:
    """Connections and invoke-ids do not mix; a late answer under its own id is an answer."""
    wire = Wire()
    first, second = (Tcp(wire, ("10.0.0.1", port)).handshake() for port in (50000, 50001))
    first.say(CLIENT, asked(GET, 1))
    second.say(CLIENT, asked(GET, 1))
    first.say(CLIENT, asked(GET, 2))
    first.say(SERVER, answered(REFUSED, 2))
    second.say(SERVER, answered(ANSWER, 1))
    first.say(SERVER, answered(ANSWER, 1))
    assert ended(wire, tmp_path) == ["answered", "answered", "error"]


@pytest.mark.parametrize("asks_between", [False, True])
def test_a_request_that_was_not_captured_leaves_the_others_paired(asks_between: bool, tmp_path: Path) -> None:
    """Requests behind a hole become complete late: they keep the answers that were captured behind them."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for number in range(10):
        tcp.say(CLIENT, asked(GET))
        if number == 3:
            wire.packets.pop()
        tcp.say(SERVER, answered(ANSWER))
    path = wire.capture(tmp_path / "wire.pcap")
    with open_capture(path) as reader:
        analysis = Analysis(reader)
        while analysis.step(4 if asks_between else 65_536):
            if asks_between:
                analysis.pair()
        analysis.finish()
        exchanges = analysis.pair()
        words = status_words(analysis)
    assert words == ["answered"] * 3 + ["unasked"] + ["answered"] * 6
    spans = exchanges.response_times().tolist()
    assert [spans[number] for number in range(10) if number != 3] == [MILLISECOND] * 9
    numbers = analysis.exchanges.of["exchange"].tolist()
    assert sorted(numbers) == sorted([*range(10), *(number for number in range(10) if number != 3)])


def test_a_release_behind_a_hole_does_not_end_what_was_asked_after_it(tmp_path: Path) -> None:
    """What comes later is a matter of packets: the release has a higher number than the block."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, asked(GET, 2))
    wire.packets.pop()
    for octets in (wpdu(RLRQ), asked(GET, 1)):
        tcp.say(CLIENT, octets)
    tcp.say(SERVER, answered(BLOCK_1))
    assert ended(wire, tmp_path) == ["unfinished", "unfinished"]


def test_a_transfer_that_began_before_the_capture_is_unasked_and_has_no_response_time(tmp_path: Path) -> None:
    """A request for the next block is not the request, and no answer either; no time is negative."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(SERVER, answered(BLOCK_1))
    tcp.say(CLIENT, asked(NEXT))
    tcp.say(SERVER, answered(BLOCK_2))
    analysis = analyse(wire, tmp_path)
    assert status_words(analysis) == ["unasked"]
    exchanges = analysis.exchanges
    told = [exchanges[name].item(0) for name in ("request", "last_request", "response", "last_response")]
    assert told == [-1, 1, 0, 2]
    assert exchanges.first_rows().tolist() == [0]
    assert exchanges.response_times().tolist() == exchanges.total_times().tolist() == [-1]
    asked_rows = AskedRows(analysis, exchanges.first_rows())
    assert FIELDS["exchange.responses"].jsons(asked_rows) == [[1, 3]]


@pytest.mark.parametrize(("result", "status"), [("00", "unfinished"), ("01", "error")])
def test_an_answer_that_lacks_octets_is_no_success(result: str, status: str, tmp_path: Path) -> None:
    """What a cut answer would say is not known, unless it has said that it failed; nor when it ended."""
    wire = Wire(snap=40 + 8 + len(GET))
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, asked(GET))
    tcp.say(SERVER, answered(bytes.fromhex(f"c401c1{result}0940") + bytes(64)))
    analysis = analyse(wire, tmp_path)
    assert status_words(analysis) == [status]
    exchanges = analysis.exchanges
    assert exchanges["result"].tolist() == [-1 if status == "unfinished" else 9]
    assert exchanges.response_times().tolist() == [MILLISECOND]
    assert exchanges.total_times().tolist() == [-1]
    words = FIELDS["exchange.result"].jsons(AskedRows(analysis, exchanges.first_rows()))
    assert (words == [None]) == (status == "unfinished")


def test_a_joined_transfer_has_all_its_general_blocks(tmp_path: Path) -> None:
    """The last one counts too, though its first look is that of the answer which the blocks carry."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, asked(GET))
    tcp.say(SERVER, wpdu(bytes.fromhex("e0430001000003") + ANSWER[:3], 1, 16))
    tcp.say(SERVER, wpdu(bytes.fromhex("e0830002000006") + ANSWER[3:], 1, 16))
    analysis = analyse(wire, tmp_path)
    complete(Associations(analysis))
    assert analysis.pair()["blocks"].tolist() == [2]


def test_times_octets_and_blocks_of_an_exchange(tmp_path: Path) -> None:
    """First and last octets as they were seen, octets of APDUs, blocks and rows."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, asked(GET), [5])  # in two segments, a millisecond apart
    begun = wire.time - MILLISECOND
    tcp.say(SERVER, answered(BLOCK_1))
    tcp.say(CLIENT, asked(NEXT))
    tcp.say(SERVER, answered(BLOCK_2))
    exchanges = analyse(wire, tmp_path).pair()
    assert len(exchanges) == 1
    told = {name: exchanges[name].item(0) for name in exchanges.names}
    assert [told[name] - begun for name in ("request_start", "request_end")] == [0, MILLISECOND]
    assert [told[name] - begun for name in ("response_start", "response_end")] == [
        2 * MILLISECOND,
        4 * MILLISECOND,
    ]
    assert (told["requests"], told["responses"], told["blocks"]) == (2, 2, 2)
    assert told["request_octets"] == len(GET) + len(NEXT)
    assert told["response_octets"] == len(BLOCK_1) + len(BLOCK_2)
    assert [told[name] for name in ("request", "response", "last_request", "last_response")] == [0, 1, 2, 3]
    assert (told["class_id"], told["obis"], told["member"], told["invoke_id"]) == (3, 0x0100010800FF, 2, 1)
    assert (told["final"], told["result"]) == (True, 0)


#: Exchanges of the shared captures by status, counted by hand in the lists of their WPDUs. In the ciphered
#: one nobody sees, without its keys, that two of its requests ask for a next block.
COUNTED = {
    "DLMS_list.pcap": {"answered": 4},
    "XmlDemo.pcap": {"answered": 4},
    "Output.pcap": {"answered": 130},  # two of its 129 GET requests ask for a next block
    "Output-Ciphered-HLS.pcap": {"answered": 132},
}


@pytest.mark.parametrize("name", COUNTED)
def test_exchanges_of_real_captures(name: str) -> None:
    """AARQ and AARE, GET with blocks and lists, ciphered services that are not opened."""
    with open_capture(shared(f"captures/{name}")) as reader:
        analysis = Analysis(reader).run()
        exchanges = analysis.pair()
        ends = ConnectionEnds(analysis.packets, analysis.packet_streams, analysis.streams)
        found = statuses(exchanges, analysis.wpdus, ends, int(analysis.packets["time"][-1]))
    assert {
        word: [ExchangeStatus(one).word for one in found].count(word) for word in COUNTED[name]
    } == COUNTED[name]
    assert len(exchanges) == sum(COUNTED[name].values())
