"""Columns against slow ways: on random traffic the same as one exchange, or one packet, after another."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.apdu.names import tags as t
from cosemscope.capture.packets.packet_row import ACK, SYN
from cosemscope.streams.tables.stream_kinds import RETRANSMISSION
from tests.helpers import traffic_apdus as a
from tests.helpers.planted_faults import ABRT, ANSWER, EVENT, GET, OTHER
from tests.helpers.wire import FIN, MILLISECOND, PSH, RST, Tcp, Wire, analyse, wpdu

ASKS = (a.aarq(), a.RLRQ, GET, OTHER, a.get_next(0xC1, 1))
TELLS = (a.aare(), a.aare(result=1), a.RLRE, ANSWER, EVENT, ABRT, a.exception_response(1, 1))
#: Connection, wPort of the client, side, number of the APDU; beyond the APDUs: an ACK, a repetition, an end.
Step = tuple[int, int, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from((1, 16)), st.integers(0, 1), st.integers(0, 11), st.integers(1, 90)
    ),
    max_size=40,
)


def traffic(steps: list[Step]) -> Wire:
    """Three connections, on which these steps happen."""
    wire = Wire()
    connections = [Tcp(wire, ("10.0.0.1", 50_000 + number)).handshake() for number in range(3)]
    said: dict[tuple[int, int], bytes] = {}
    for number, wport, side, what, wait in steps:
        tcp, apdus = connections[number], TELLS if side else ASKS
        if what < len(apdus):
            octets = wpdu(apdus[what], *((1, wport) if side else (wport, 1)))
            tcp.packet(side, tcp.sent[side], octets, flags=PSH | ACK, wait=wait * MILLISECOND)
            said[number, side] = octets
        elif what == 9 and (number, side) in said:
            again = said[number, side]
            tcp.packet(side, tcp.sent[side] - len(again), again, flags=PSH | ACK, wait=wait * MILLISECOND)
        elif what == 10:
            tcp.packet(side, tcp.sent[side], flags=RST if wait > 80 else FIN | ACK, wait=wait * MILLISECOND)
        else:
            tcp.packet(side, tcp.sent[side], wait=wait * MILLISECOND)
    return wire


def slow_associations(analysis: Analysis) -> list[tuple[int, int]]:
    """The number of each exchange's association, and how many errors that has."""
    exchanges, facts = analysis.exchanges, capture_facts(analysis)
    current: dict[int, int] = {}
    waiting: dict[int, int] = {}  # by pair: AARQs that were given up, and may yet be answered
    latest: dict[int, tuple[int, int]] = {}  # by pair: service and result of the last exchange
    over: set[int] = set()
    numbers, errors, count = [], [], 0
    for exchange in range(len(exchanges)):
        pair, service = int(exchanges["pair"][exchange]), int(exchanges["service"][exchange])
        result = int(exchanges["result"][exchange])
        before, latest[pair] = latest.get(pair), (service, result)
        opens = service in (t.AARQ, t.AARE)
        if service == t.AARQ:
            waiting[pair] = waiting.get(pair, 0) + bool(exchanges["given_up"][exchange])
        elif opens and (waiting.get(pair) or before in ((t.AARQ, result), (t.AARE, result))):
            waiting[pair], opens = max(waiting.get(pair, 0) - 1, 0), False
        if pair not in current or pair in over or opens:
            current[pair] = count
            errors.append(0)
            count += 1
        over.discard(pair)
        if service in (t.RLRQ, t.RLRE, t.ABRT):
            over.add(pair)
        numbers.append(current[pair])
        errors[current[pair]] += facts.statuses[exchange] == ExchangeStatus.ERROR
    return [(number, errors[number]) for number in numbers]


def slow_round_trips(analysis: Analysis) -> list[list[int]]:
    """The shortest time from octets to a packet of the other side that comes next and acknowledges them."""
    packets, streams = analysis.packets, analysis.packet_streams["stream"]
    again = {
        int(packet)
        for packet in analysis.expert_items["packet"][analysis.expert_items["kind"] == RETRANSMISSION.number]
    }
    found = [[-1, -1] for _ in range(len(analysis.streams))]
    latest: dict[int, int] = {}
    for packet in range(len(streams)):
        stream = int(streams[packet])
        before = latest.get(stream)
        latest[stream] = packet
        if before is None or before in again or int(packets["flags"][before]) & SYN:
            continue
        size = int(packets["payload_length"][before])
        end = int(packets["seq"][before]) + size + bool(int(packets["flags"][before]) & FIN)
        other = packets["direction"][before] != packets["direction"][packet]
        if size and other and int(packets["flags"][packet]) & ACK and int(packets["ack"][packet]) == end:
            side = int(packets["direction"][packet]) ^ int(analysis.streams["client_side"][stream])
            passed = int(packets["time"][packet] - packets["time"][before])
            least = found[stream][side]
            found[stream][side] = passed if least < 0 else min(least, passed)
    return found


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from((1, 7, 65_536)))
def test_associations_and_round_trips(steps: list[Step], records: int) -> None:
    """Numbers, errors, and the shortest acknowledgement to each side; one outcome a stream with DLMS."""
    with TemporaryDirectory() as folder:
        analysis = analyse(traffic(steps), Path(folder), records=records)
        facts = capture_facts(analysis)
        table = facts.associations
        errors = table.errors[table.of].tolist()
        assert list(zip(table.of.tolist(), errors, strict=True)) == slow_associations(analysis)
        assert facts.round_trips.data.tolist() == slow_round_trips(analysis)
        carries = set(analysis.pairs["stream"].tolist())
        outcomes = facts.outcomes
        assert all((outcome != 255) for outcome in outcomes.outcome[sorted(carries)].tolist())
        assert int(outcomes.exchanges.sum()) == len(analysis.exchanges) == int(table.exchanges.sum())
