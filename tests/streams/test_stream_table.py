"""Which packet belongs to which stream, and what a stream's row says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_table import PACKET_FIELDS
from cosemscope.streams.decode_as import DecodeAs
from cosemscope.streams.stream_table import StreamTable, add_counts, first_rows
from cosemscope.streams.tables.framing import Framing
from tests.helpers.made_streams import Made, Sent, flows
from tests.helpers.wire import (
    ACK,
    FIN,
    MILLISECOND,
    RST,
    SYN,
    Tcp,
    Wire,
    analyse,
    contents,
    get_request,
    get_response,
    wpdu,
)

batches = pytest.mark.parametrize("records", [1, 3, 65536])
PUSH = wpdu(b"\x0f\x00\x00\x00\x01\x00\x11\x05", 1, 64)


@batches
def test_a_syn_with_another_number_begins_another_connection(tmp_path: Path, records: int) -> None:
    """Ports are used again: two streams on one flow, each with its own WPDUs."""
    wire = Wire()
    first = Tcp(wire, isn=(100, 200)).handshake()
    first.say(0, get_request(1))
    first.close()
    second = Tcp(wire, isn=(7_000_000, 900)).handshake()
    second.say(0, get_request(2))
    analysis = analyse(wire, tmp_path, records=records)
    assert analysis.streams["instance"].tolist() == [0, 1]
    assert analysis.streams["wpdus"].tolist() == [1, 1]
    assert analysis.streams["packets"].tolist() == [6, 4]
    assert len(analysis.flows) == 1


@batches
def test_a_syn_sent_again_does_not(tmp_path: Path, records: int) -> None:
    """A retransmitted SYN, a retransmitted SYN-ACK, and a SYN behind its SYN-ACK are one connection."""
    wire = Wire()
    connection = Tcp(wire)
    connection.packet(0, -1, flags=SYN)
    connection.packet(0, -1, flags=SYN)
    connection.packet(1, -1, flags=SYN | ACK, ack=0)
    connection.packet(1, -1, flags=SYN | ACK, ack=0)
    connection.packet(0, 0, ack=0)
    connection.say(0, get_request(1))
    swapped = Tcp(wire, ("10.0.0.9", 40000))
    swapped.packet(1, -1, flags=SYN | ACK, ack=0)
    swapped.packet(0, -1, flags=SYN)
    swapped.say(0, get_request(2))
    analysis = analyse(wire, tmp_path, records=records)
    assert len(analysis.streams) == 2
    assert contents(analysis) == [get_request(1), get_request(2)]
    assert [str(analysis.endpoints(stream)[0]) for stream in (0, 1)] == ["10.0.0.1:50000", "10.0.0.9:40000"]


@batches
def test_the_same_number_after_an_end_is_another_connection(tmp_path: Path, records: int) -> None:
    """A restarted meter may begin with the same number again."""
    wire = Wire()
    for _ in range(3):
        wire.time += 5_000 * MILLISECOND
        connection = Tcp(wire).handshake()
        connection.say(0, get_request(1))
        connection.packet(0, connection.sent[0], flags=RST | ACK)
    analysis = analyse(wire, tmp_path, records=records)
    assert analysis.streams["wpdus"].tolist() == [1, 1, 1]
    assert analysis.statistics()["retransmissions"] == 0


@batches
@pytest.mark.parametrize("end", [0, RST | ACK])
def test_a_syn_captured_twice_is_the_same_connection(tmp_path: Path, records: int, end: int) -> None:
    """With the number of the first one, after data, and with its identification even after the end."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1))
    if end:
        connection.packet(0, connection.sent[0], flags=end)
    connection.packet(0, -1, flags=SYN, identification=101)
    connection.say(0, get_request(2))
    analysis = analyse(wire, tmp_path, records=records)
    assert len(analysis.streams) == 1
    assert contents(analysis) == [get_request(1), get_request(2)]


@batches
def test_data_of_a_syn_that_was_not_answered_come_again(tmp_path: Path, records: int) -> None:
    """TCP fast open: a SYN with data, the same one without, the data again."""
    wire = Wire()
    connection = Tcp(wire)
    connection.packet(0, -1, get_request(1), flags=SYN)
    connection.sent = [0, 0]
    connection.handshake()
    connection.say(0, get_request(1))
    connection.say(0, get_request(2))
    analysis = analyse(wire, tmp_path, records=records)
    assert contents(analysis) == [get_request(1), get_request(2)]
    assert analysis.streams["retransmissions"].tolist() == [1]


@batches
def test_what_the_old_connection_left_open_ends_with_the_new(tmp_path: Path, records: int) -> None:
    """A WPDU begun in a connection that was replaced is truncated, not joined with the new one's octets."""
    wire = Wire()
    old = Tcp(wire, isn=(100, 200)).handshake()
    old.say(0, get_request(1))
    old.say(0, get_request(2)[:10])
    new = Tcp(wire, isn=(1 << 31, 300)).handshake()
    new.say(0, get_request(3))
    analysis = analyse(wire, tmp_path, records=records)
    assert contents(analysis) == [get_request(1), get_request(2)[:10], get_request(3)]
    assert analysis.wpdus["stream"].tolist() == [0, 0, 1]


def test_streams_are_numbered_by_their_first_packets(tmp_path: Path) -> None:
    """Reused ports and new flows in one batch stand in the order of the capture."""
    wire = Wire()
    a = Tcp(wire, ("10.0.0.1", 1111), isn=(1, 2)).handshake()
    a.say(0, get_request(1))
    Tcp(wire, ("10.0.0.1", 2222)).handshake()
    Tcp(wire, ("10.0.0.1", 1111), isn=(1 << 20, 2)).handshake()
    Tcp(wire, ("10.0.0.1", 3333)).handshake()
    analysis = analyse(wire, tmp_path)
    assert analysis.streams["first_packet"].tolist() == [0, 4, 7, 10]
    assert analysis.streams["flow"].tolist() == [0, 1, 0, 2]


def test_sequence_numbers_wrap(tmp_path: Path) -> None:
    """A stream goes through 2**32 in the middle of a WPDU."""
    wire = Wire()
    connection = Tcp(wire, isn=(0xFFFFFFFF - 30, 0xFFFFFFFF - 10)).handshake()
    for number in range(4):
        connection.say(0, get_request(number), [4])
        connection.say(1, get_response(number))
    analysis = analyse(wire, tmp_path)
    assert len(analysis.wpdus) == 8
    assert analysis.statistics()["retransmissions"] == 0


@pytest.mark.parametrize("answer_first", [False, True])
def test_without_a_start_the_sender_of_requests_is_the_client(tmp_path: Path, answer_first: bool) -> None:
    """Ports say the contrary here; the APDUs are believed."""
    wire = Wire()
    connection = Tcp(wire, ("10.0.0.1", 1000), ("10.0.0.2", 60000))
    connection.say(1, get_response(1)) if answer_first else connection.say(0, get_request(1))
    connection.say(0, get_request(2))
    connection.say(1, get_response(2))
    analysis = analyse(wire, tmp_path)
    assert str(analysis.endpoints(0)[0]) == "10.0.0.1:1000"
    assert analysis.wpdus["direction"].tolist() == ([1, 0, 1] if answer_first else [0, 0, 1])


def test_a_capture_that_begins_in_a_wpdu_finds_the_next(tmp_path: Path) -> None:
    """What came before the first header is skipped and told, in both directions."""
    wire = Wire()
    connection = Tcp(wire)
    connection.say(1, b"\xaa" * 33)
    connection.say(0, get_request(1))
    connection.say(1, get_response(1))
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [get_request(1), get_response(1)]
    assert analysis.statistics()["skipped_bytes"] == 33


def test_a_pushing_meter_is_client_of_the_stream_and_server_of_dlms(tmp_path: Path) -> None:
    """The meter opens the connection; its wPort is the server's all the same."""
    wire = Wire()
    connection = Tcp(wire, ("10.0.0.7", 4059), ("10.0.0.2", 33000)).handshake()
    connection.say(0, PUSH)
    analysis = analyse(wire, tmp_path)
    session = analysis.sessions()[0].streams[0]
    assert str(session.client) == "10.0.0.7:4059"
    assert [(pair.client_wport, pair.server_wport) for pair in session.wports] == [(64, 1)]
    assert session.wports[0].server_name == "Management Logical Device"


def test_counts_and_times_of_a_stream(tmp_path: Path) -> None:
    """Packets and octets are those of the wire, times those of the first and last packet."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1))
    connection.say(1, get_response(1))
    streams = analyse(wire, tmp_path).streams
    assert streams["packets"].tolist() == [5]
    assert streams["octets"].tolist() == [len(get_request(1)) + len(get_response(1))]
    assert streams["last_time"][0] - streams["first_time"][0] == 4 * MILLISECOND
    assert streams["start_seen"].tolist() == [True]


END = pytest.mark.parametrize("end", ["fin", "reset", "both"])


def _end(connection: Tcp, end: str) -> None:
    if end == "both":
        connection.close()
    else:
        connection.packet(0, connection.sent[0], flags=ACK | (FIN if end == "fin" else RST))


@END
@pytest.mark.parametrize("records", [1, 3, 65536])
def test_other_numbers_after_the_end_are_another_connection(tmp_path: Path, records: int, end: str) -> None:
    """The same ports again, their SYN not in the capture: nothing is a retransmission."""
    wire = Wire()
    first = Tcp(wire, isn=(500_000, 900_000)).handshake()
    first.say(0, get_request(1))
    first.say(1, get_response(1))
    _end(first, end)
    second = Tcp(wire, isn=(1_000, 2_000))
    second.say(0, get_request(2))
    second.say(1, get_response(2))
    analysis = analyse(wire, tmp_path, records=records)
    assert contents(analysis) == [get_request(1), get_response(1), get_request(2), get_response(2)]
    assert analysis.wpdus["stream"].tolist() == [0, 0, 1, 1]
    assert analysis.streams["instance"].tolist() == [0, 1]
    assert analysis.statistics()["retransmissions"] == 0


@pytest.mark.parametrize("records", [1, 65536])
def test_a_half_closed_connection_goes_on(tmp_path: Path, records: int) -> None:
    """After the client's FIN the server may send as much as it likes; octets of the client may be late."""
    connection = Tcp(wire := Wire()).handshake()
    connection.say(0, get_request(1))
    connection.packet(0, connection.sent[0], flags=FIN | ACK)
    for number in range(10):
        connection.say(1, get_response(number, 60_000), pieces=[30_000])
    connection.packet(0, 0, get_request(1))
    analysis = analyse(wire, tmp_path, records=records)
    assert len(analysis.streams) == 1
    assert len(analysis.wpdus) == 11
    assert analysis.statistics()["retransmissions"] == 1


@pytest.mark.parametrize("records", [1, 65536])
def test_an_end_is_forgotten_when_a_syn_comes(tmp_path: Path, records: int) -> None:
    """A third connection begins by its SYN, far from where the first ended."""
    wire = Wire()
    for isn in (500_000, 1_000_000, 7):
        connection = Tcp(wire, isn=(isn, isn)).handshake()
        connection.say(0, get_request(isn))
        connection.say(1, get_response(isn))
        connection.close()
    analysis = analyse(wire, tmp_path, records=records)
    assert analysis.wpdus["stream"].tolist() == [0, 0, 1, 1, 2, 2]
    assert len(analysis.streams) == 3


@pytest.mark.parametrize("records", [1, 65536])
def test_times_that_go_back_do_not_end_before_they_begin(tmp_path: Path, records: int) -> None:
    """A clock that was set back: a stream lasts from its least time to its greatest."""
    connection = Tcp(wire := Wire()).handshake()
    connection.say(0, get_request(1))
    wire.time -= 3600 * 10**9
    connection.say(1, get_response(1))
    analysis = analyse(wire, tmp_path, records=records)
    times = sorted(time for time, _ in wire.packets)
    assert analysis.streams["first_time"].tolist() == [times[0]]
    assert analysis.streams["last_time"].tolist() == [times[-1]]


def _assigned(sent: list[Sent], bounds: list[int], ports: tuple[int, int] = (50_000, 4059)) -> StreamTable:
    """The table after these packets, in batches that end at these bounds; `Sent.stream` is the flow."""
    made, packets = Made(sent).packets, Columns(PACKET_FIELDS)
    table = StreamTable(packets, flows(1 + max(one.stream for one in sent), ports), DecodeAs())
    table.assigned, table.turned = [], []
    for start, stop in zip([0, *bounds], [*bounds, len(sent)], strict=True):
        packets.extend(stop - start, **{name: made[name][start:stop] for name in PACKET_FIELDS})
        table.assigned += table.assign(slice(start, stop)).tolist()
        table.turned += table.replaced
    return table


def test_connections_of_one_pair_of_ends_count_on() -> None:
    """Beyond 65,536 of them."""
    count = 65_538
    packets = Columns(PACKET_FIELDS)
    packets.extend(count, protocol=6, flow=0, flags=SYN, seq=np.arange(count), time=np.arange(count))
    table = StreamTable(packets, flows(1), DecodeAs())
    for start in (0, 65_536):
        table.assign(slice(start, min(start + 65_536, count)))
    assert table["instance"].tolist() == list(range(count))


class Plain:
    """A connection as a plain walk sees it: initial numbers, whether it was used, its packets."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.isn: list[int | None] = [None, None]
        self.used = self.ended = False
        self.packets = 0


@given(
    parts=st.lists(
        st.tuples(
            st.integers(-1, 2),
            st.integers(0, 1),
            st.sampled_from([ACK, ACK, SYN, SYN, SYN | ACK, RST, FIN | ACK]),
            st.sampled_from([100, 200]),
            st.booleans(),
        ),
        min_size=1,
        max_size=14,
    ),
    bounds=st.sets(st.integers(0, 14), max_size=4),
)
def test_connections_are_those_of_a_plain_walk(parts: list[tuple], bounds: set[int]) -> None:
    """Which SYN begins another one, which is the same again, packet by packet; all numbers are near."""
    open_: dict[int, Plain] = {}
    expected, connections, replaced, sent = [], [], [], []
    for row, (flow, side, flags, seq, carries) in enumerate(parts):
        flow = min(flow, len(open_))  # flows are numbered by their first packets
        if flow < 0:
            sent.append(Sent(stream=-1, flags=0, protocol=0, time=row))
            expected.append(-1)
            continue
        octets = b"x" if carries else b""
        sent.append(Sent(octets, stream=flow, side=side, flags=flags, seq=seq, ack=300, time=row))
        one = open_.get(flow)
        plain_syn = flags & (SYN | ACK) == SYN
        met = one and one.isn[side] is None and one.isn[1 - side] is not None and not one.used
        again = one and one.isn[side] == seq and not one.ended
        if one is None or (plain_syn and not (again or met)):
            if one is not None:
                replaced.append((one.number, row))
            one = open_[flow] = Plain(len(connections))
            connections.append(one)
        if plain_syn:
            one.isn[side] = seq
        elif flags & SYN:
            one.isn = [
                value if value is not None else wanted
                for value, wanted in zip(one.isn, (seq, 299) if side == 0 else (299, seq), strict=True)
            ]
        one.ended |= bool(flags & (FIN | RST))
        one.used |= (carries and not flags & SYN) or one.ended
        one.packets += 1
        expected.append(one.number)
    table = _assigned(sent, sorted(bound for bound in bounds if bound <= len(sent)))
    assert table.assigned == expected
    assert sorted(table.turned) == sorted(replaced)
    assert table["packets"].tolist() == [one.packets for one in connections]
    assert table["first_packet"].tolist() == [expected.index(one.number) for one in connections]


@pytest.mark.parametrize(
    ("sent", "rtt"),
    [
        ([Sent(flags=SYN, time=5), Sent(side=1, flags=SYN | ACK, time=8), Sent(time=11)], 6),
        # The SYN that was answered is the last before its answer; the answer the first; so is the ACK.
        ([Sent(flags=SYN, time=1), Sent(flags=SYN, time=5), Sent(side=1, flags=18, time=8), Sent(time=9)], 4),
        ([Sent(flags=SYN, time=5), Sent(side=1, flags=18, time=8), Sent(time=9), Sent(time=20)], 4),
        ([Sent(flags=SYN, time=5), Sent(side=1, flags=18, time=8), Sent(side=1, time=9), Sent(time=20)], 15),
        ([Sent(flags=SYN, time=5), Sent(side=1, flags=18, time=8), Sent(flags=RST | ACK, time=9)], -1),
        ([Sent(flags=SYN, time=5), Sent(time=6), Sent(side=1, flags=18, time=8)], -1),
        ([Sent(side=1, flags=18, time=8), Sent(time=9)], -1),
        ([Sent(flags=SYN, time=5), Sent(side=1, flags=18, time=3), Sent(time=2)], 0),  # a clock set back
    ],
)
def test_the_round_trip_of_a_handshake(sent: list[Sent], rtt: int) -> None:
    """From the SYN to the first ACK behind its answer, in ns; the same packet by packet."""
    assert _assigned(sent, [])["rtt"].tolist() == [rtt]
    assert _assigned(sent, list(range(1, len(sent))))["rtt"].tolist() == [rtt]


@pytest.mark.parametrize(
    ("sent", "ports", "client"),
    [
        (Sent(flags=SYN), (4059, 9), 0),
        (Sent(side=1, flags=SYN), (9, 4059), 1),
        (Sent(flags=SYN | ACK), (9, 4059), 1),  # the answer to a SYN: the other side asked
        (Sent(), (9, 4059), 0),  # no start: the side that is not on the DLMS port
        (Sent(), (4059, 9), 1),
        (Sent(), (5, 9), 1),  # the higher port
        (Sent(), (9, 5), 0),
        (Sent(side=1), (9, 9), 1),  # the first sender
        (Sent(), (4059, 4059), 0),
    ],
)
def test_the_client_of_a_stream_by_its_first_packet(sent: Sent, ports: tuple[int, int], client: int) -> None:
    """Until an APDU tells better; a start that was seen stands."""
    table = _assigned([sent], [], ports)
    assert table["client_side"].tolist() == [client]
    assert table["start_seen"].tolist() == [bool(sent.flags & SYN)]
    table.set_client(0, 0xC0, 1 - client)
    assert table["client_side"].tolist() == [client if sent.flags & SYN else 1 - client]


def test_what_the_user_declared_is_set_when_a_stream_begins() -> None:
    """By its number, or its ports; others are undecided."""
    made = Made([Sent(b"x"), Sent(b"x", stream=1)])
    rules = DecodeAs(streams={1: Framing.BARE})
    table = StreamTable(made.packets, flows(2), rules)
    table.assign(slice(0, 2))
    assert table["framing"].tolist() == [Framing.UNDECIDED, Framing.BARE]
    assert table.undecided.tolist() == [True, False]


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(10, 200), st.booleans())
def test_counts_add_up_however_often_an_index_comes(index: list[int], size: int, weighted: bool) -> None:
    """Ones, or weights; few indexes and many go different ways."""
    column = np.arange(size, dtype=np.int64)
    weights = np.arange(len(index)) * 3 if weighted else None
    add_counts(column, np.array(index, np.int64), weights)
    added = [0] * size
    for place, number in enumerate(index):
        added[number] += 3 * place if weighted else 1
    assert column.tolist() == [number + extra for number, extra in enumerate(added)]


@given(st.lists(st.integers(0, 9), max_size=30))
def test_first_rows_are_where_a_number_stands_first(index: list[int]) -> None:
    """Or -1."""
    expected = [index.index(number) if number in index else -1 for number in range(10)]
    assert first_rows(np.array(index, np.int64), 10).tolist() == expected
