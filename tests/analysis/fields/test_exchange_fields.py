"""Fields of exchanges stand on every WPDU of theirs, with the times, numbers and words of the exchange."""

from pathlib import Path

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from tests.helpers.wire import ACK, FIN, MILLISECOND, Tcp, Wire, analyse, wpdu

GET = wpdu(bytes.fromhex("c001c100030100010800ff0200"))
OTHER_GET = wpdu(bytes.fromhex("c001c200030100020800ff0200"))
ANSWER = wpdu(bytes.fromhex("c401c1000600001391"), 1, 16)
REFUSED = wpdu(bytes.fromhex("c401c20104"), 1, 16)
EVENT = wpdu(bytes.fromhex("c20000010000600100ff020600000004"), 1, 16)
HEARTBEAT = wpdu(b"")


def test_values_of_each_field(tmp_path: Path) -> None:
    """Two requests in flight, an event and a heartbeat among them, the second refused, then the end."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for side, octets in ((0, GET), (0, OTHER_GET), (1, EVENT), (1, HEARTBEAT), (1, ANSWER), (1, REFUSED)):
        tcp.say(side, octets)
    tcp.packet(0, 0, GET)  # the first segment once more
    asked = AskedRows(analyse(wire, tmp_path), slice(0, 6))

    def values(name: str) -> list[object]:
        return FIELDS[name].jsons(asked)

    assert values("exchange") == [1, 2, 3, None, 1, 2]
    assert values("exchange.status") == ["answered", "error", "notification", None, "answered", "error"]
    assert values("exchange.result") == [
        "success",
        "object-undefined",
        None,
        None,
        "success",
        "object-undefined",
    ]
    assert values("exchange.request") == [1, 2, 3, None, 1, 2]
    assert values("exchange.responses") == [[5], [6], [], [], [5], [6]]
    assert values("exchange.wpdus") == [[1, 5], [2, 6], [3], [], [1, 5], [2, 6]]
    assert values("exchange.obis")[:2] == ["1.0.1.8.0.255", "1.0.2.8.0.255"]
    assert values("exchange.attribute") == [2, 2, 2, None, 2, 2]
    assert values("exchange.invoke_id") == [1, 2, None, None, 1, 2]
    assert values("exchange.response_time")[0] == values("response_time")[4] == "0.004000000"
    assert values("response_time")[:4] == [None] * 4
    assert values("exchange.total_time")[5] == "0.004000000"
    assert values("exchange.blocks") == [0, 0, 0, None, 0, 0]
    assert values("exchange.request_octets")[0] == 13
    assert values("exchange.response_octets")[:3] == [9, 5, 0]
    assert values("exchange.retransmissions") == [1, 0, 0, None, 1, 0]


def test_facts_are_worked_out_anew_when_more_has_come(tmp_path: Path) -> None:
    """What was open is answered later; what nobody answered is known when the asker closes."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, GET)
    tcp.say(1, ANSWER)
    tcp.say(0, OTHER_GET)
    tcp.packet(0, tcp.sent[0], flags=FIN | ACK)
    analysis = analyse(wire, tmp_path, records=0x10000)
    assert FIELDS["exchange.status"].jsons(AskedRows(analysis, slice(0, 3))) == [
        "answered",
        "answered",
        "unanswered",
    ]
    from cosemscope.analysis.engine import Analysis
    from cosemscope.capture.files.reader import open_capture

    seen = []
    with open_capture(tmp_path / "wire.pcap") as reader:
        growing = Analysis(reader)
        while growing.step(1):
            row = AskedRows(growing, slice(0, len(growing.wpdus)))
            seen.append(tuple(FIELDS["exchange.status"].jsons(row)))
    assert ("unfinished",) in seen
    assert ("answered", "answered") in seen
    assert seen[-1] == ("answered", "answered", "unanswered")
    assert wire.step == MILLISECOND
