"""The whole engine on real captures, and that all its ways give the same rows."""

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.framing import Framing
from tests.helpers.shared import shared
from tests.helpers.wire import (
    Tcp,
    Wire,
    analyse,
    contents,
    found_items,
    get_request,
    get_response,
    rows,
    wpdu,
)

REAL = {
    "DLMS_list.pcap": (15, {"AARQ": 1, "AARE": 1, "get-request": 2, "get-response": 2, "RLRQ": 1, "RLRE": 1}),
    "XmlDemo.pcap": (58, {"AARQ": 1, "AARE": 1, "get-request": 6, "get-response": 6}),
    "Output.pcap": (
        264,
        {
            "AARQ": 1,
            "AARE": 1,
            "RLRQ": 1,
            "RLRE": 1,
            "get-request": 129,
            "get-response": 129,
            "access-request": 1,
            "access-response": 1,
        },
    ),
    "Output-Ciphered-HLS.pcap": (
        266,
        {
            "AARQ": 1,
            "AARE": 1,
            "RLRQ": 1,
            "RLRE": 1,
            "glo-action-request": 1,
            "glo-action-response": 1,
            "glo-get-request": 129,
            "glo-get-response": 129,
            "unknown (0x00)": 2,
        },
    ),
    "original_data.pcapng": (218, {}),
    "data7.pcapng": (284, {}),
    "udp-hdlc.pcap": (51, {}),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_real_captures_hold_what_is_known_of_them(name: str, one_by_one: bool) -> None:
    """Counts of captures that others made; nothing in them is missing, skipped or sent twice."""
    packets, tags = REAL[name]
    with open_capture(shared(f"captures/{name}")) as reader:
        counts = Analysis(reader, one_by_one=one_by_one).run().statistics()
    assert counts["packets"] == packets
    assert counts["apdu_tags"] == tags
    assert counts["wpdus"] == sum(tags.values())
    assert [counts[key] for key in ("missing_bytes", "skipped_bytes", "truncated_wpdus", "conflicts")] == [
        0
    ] * 4


@pytest.mark.parametrize(
    ("name", "frames", "framing"),
    [
        ("original_data.pcapng", 198, Framing.HDLC),
        ("udp-hdlc.pcap", 40, Framing.HDLC),  # the 41st has a wrong check sequence
    ],
)
def test_hdlc_without_wrapper_is_named(name: str, frames: int, framing: Framing) -> None:
    """HDLC is recognised on TCP and UDP, and its right frames are counted."""
    with open_capture(shared(f"captures/{name}")) as reader:
        analysis = Analysis(reader).run()
    assert analysis.streams["framing"].tolist() == [framing]
    assert analysis.statistics()["hdlc_frames"] == frames


def test_the_neighbours_of_a_dlms_stream_are_not_taken_for_it() -> None:
    """TLS beside DLMS is named TLS, and wPorts of 0 on both sides are a session all the same."""
    with open_capture(shared("captures/XmlDemo.pcap")) as reader:
        analysis = Analysis(reader).run()
        found = [session for peers in analysis.sessions() for session in peers.streams if session.wpdus]
        tree = [(pair.client_wport, pair.server_wport, pair.wpdus) for pair in found[0].wports]
    assert Framing.TLS in analysis.streams["framing"].tolist()
    assert len(found) == 1
    assert tree == [(0, 0, 14)]


def _busy_wire(seed: int, *, handshake: bool = True) -> Wire:
    """Several connections at once with splits, swaps, repeats, overlaps, shared segments and loss."""
    draw = np.random.default_rng(seed)
    wire = Wire()
    connections = [Tcp(wire, ("10.0.0.1", 50000 + n), isn=(int(draw.integers(1 << 32)), n)) for n in range(6)]
    for connection in connections:
        if handshake:
            connection.handshake()
    for number in range(150):
        connection = connections[int(draw.integers(len(connections)))]
        request, answer = get_request(number), get_response(number, int(draw.integers(8, 300)))
        connection.say(0, request if draw.random() > 0.1 else request + get_request(number + 1000))
        _say_somehow(connection, answer, int(draw.integers(12)), draw)
    for connection in connections[:4]:
        connection.close()
    return wire


def _say_somehow(connection: Tcp, octets: bytes, manner: int, draw: Any) -> None:
    at = connection.sent[1]
    cut = int(draw.integers(1, len(octets)))
    number = connection.identification[1] + 1
    if manner < 5:
        connection.say(1, octets)
    elif manner == 5:
        connection.say(1, octets, [cut])
    elif manner == 6:
        connection.packet(1, at + cut, octets[cut:], identification=number + 1)
        connection.packet(1, at, octets[:cut], identification=number)
        connection.identification[1] += 2
    elif manner == 7:
        connection.say(1, octets, [cut])
        connection.packet(1, at, octets[:cut])
    elif manner == 8:
        connection.packet(1, at, octets[:cut])
        connection.packet(1, at + cut // 2, octets[cut // 2 :])
    elif manner == 9:
        connection.packet(1, at + cut, octets[cut:])  # the first part is not in the capture
    elif manner == 10:
        connection.say(1, octets + get_response(7)[:9])
        connection.say(1, get_response(7)[9:])
    else:
        connection.say(1, octets, list(range(1, min(12, len(octets)))))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("handshake", [True, False])
def test_both_ways_and_all_batch_sizes_give_the_same_rows(seed: int, handshake: bool, tmp_path: Path) -> None:
    """The vectorised path, the packet-by-packet path, and any cut into batches: same rows, same items."""
    wire = _busy_wire(seed, handshake=handshake)
    plain = analyse(wire, tmp_path)
    for records, one_by_one in ((65536, True), (7, False), (64, False), (1, True)):
        other = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        assert rows(other) == rows(plain)
        assert found_items(other) == found_items(plain)
        for name in other.streams.names:
            assert other.streams[name].tolist() == plain.streams[name].tolist(), name


def _odd_octets(draw: random.Random) -> bytes:
    """WPDUs, damaged ones, other framings, and noise."""
    whole = draw.choice([get_request, get_response])(draw.getrandbits(16), draw.randrange(7, 80))
    place = draw.randrange(len(whole))
    damaged = whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :]
    others = [
        draw.randbytes(draw.randrange(1, 60)),
        b"\0\1" * draw.randrange(1, 20),
        wpdu(b"", draw.getrandbits(16)),
    ]
    return draw.choice([whole, whole, whole, whole, damaged, *others, bytes.fromhex("7ea0070303938c117e")])


def _wild_wire(seed: int) -> Wire:
    """Anything at all: noise, jumps, holes, ends in the middle, ports used again, cut packets."""
    draw = random.Random(seed)
    wire = Wire(snap=draw.choice([1 << 18, 1 << 18, 60, 75]))
    connections = [Tcp(wire, ("10.0.0.1", 50000 + n), isn=(draw.getrandbits(32), 5)) for n in range(3)]
    for _ in range(draw.randrange(5, 120)):
        connection, side, manner = draw.choice(connections), draw.randrange(2), draw.random()
        octets, sent = _odd_octets(draw), connection.sent[side]
        if manner < 0.4:
            connection.say(side, octets)
        elif manner < 0.5:
            connection.say(side, octets, [len(octets) // 3] if len(octets) > 3 else ())
        elif manner < 0.6:
            connection.packet(side, max(0, sent + draw.randrange(-60, 60)), octets)
        elif manner < 0.7:
            connection.packet(
                side, draw.choice([-5, 0, sent, draw.getrandbits(26)]), octets, flags=draw.choice([0, 16])
            )
        elif manner < 0.75:
            connection.sent[side] += draw.randrange(1, 100)
        elif manner < 0.8:
            connection.packet(side, sent, flags=draw.choice([1, 2, 3, 4, 17, 18, 20]))
        elif manner < 0.88:
            connection.isn = draw.choice([connection.isn, [draw.getrandbits(32), 7]])
            connection.handshake()
        else:
            wire.udp(("10.0.0.5", draw.choice([1, 4059])), ("10.0.0.6", 2), octets)
    return wire


@pytest.mark.parametrize("seed", range(25))
def test_nothing_on_the_wire_breaks_the_engine_or_parts_its_ways(seed: int, tmp_path: Path) -> None:
    """Noise included, both ways and all batch sizes give the same rows, items and streams."""
    wire = _wild_wire(seed)
    plain = analyse(wire, tmp_path)
    for records, one_by_one in ((65536, True), (7, False), (1, seed % 2 == 0)):
        other = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        assert rows(other) == rows(plain)
        assert found_items(other) == found_items(plain)
        for name in other.streams.names:
            assert other.streams[name].tolist() == plain.streams[name].tolist(), name


@st.composite
def _carriage(draw: st.DrawFn) -> tuple[list[bytes], list[tuple[int, int]], int]:
    """WPDUs of one direction, and the segments that carry them, in any order, some twice."""
    sizes = draw(st.lists(st.integers(0, 60), min_size=1, max_size=12))
    # The first WPDU is one that recognition believes; the others may hold anything.
    wpdus = [get_request(0)] + [
        get_request(number, size) if size > 6 else get_request(number, 2) for number, size in enumerate(sizes)
    ]
    total = sum(map(len, wpdus))
    cuts = sorted(draw(st.sets(st.integers(1, total - 1), max_size=14)))
    pieces = list(zip([0, *cuts], [*cuts, total], strict=True))
    extra = draw(st.lists(st.tuples(st.integers(0, total - 1), st.integers(1, 40)), max_size=4))
    pieces += [(start, min(total, start + length)) for start, length in extra]
    order = draw(st.permutations(range(len(pieces))))
    return wpdus, [pieces[place] for place in order], draw(st.sampled_from([1, 2, 5, 65536]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_carriage(), st.booleans(), st.integers(0, 0xFFFFFFFF))
def test_any_split_order_and_repetition_gives_the_same_wpdus(
    tmp_path: Path, carriage: tuple[list[bytes], list[tuple[int, int]], int], one_by_one: bool, isn: int
) -> None:
    """However TCP carries the octets, and wherever its numbers wrap: the same WPDUs, in their order."""
    wpdus, pieces, records = carriage
    octets = b"".join(wpdus)
    wire = Wire()
    connection = Tcp(wire, isn=(isn, 5)).handshake()
    for start, stop in pieces:
        connection.packet(0, start, octets[start:stop], ack=0)
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
    assert contents(analysis) == wpdus
    assert analysis.statistics()["missing_bytes"] == 0
    assert analysis.statistics()["skipped_bytes"] == 0
    assert analysis.statistics()["conflicts"] == 0


def test_a_file_that_grows_gives_the_rows_of_the_whole_file(tmp_path: Path) -> None:
    """Live and offline are one code: fed in small pieces, cut anywhere, the rows are those of the file."""
    wire = _busy_wire(3)
    whole = analyse(wire, tmp_path)
    octets = (tmp_path / "wire.pcap").read_bytes()
    growing = tmp_path / "growing.pcap"
    growing.write_bytes(octets[:10])
    reader = open_capture(growing, follow=True)
    analysis = Analysis(reader)
    with growing.open("ab") as file:
        for start in range(10, len(octets), 777):
            file.write(octets[start : start + 777])
            file.flush()
            while analysis.step():
                pass
    analysis.finish()
    assert rows(analysis) == rows(whole)
    assert found_items(analysis) == found_items(whole)


def test_a_file_cut_anywhere_is_analysed_to_where_it_ends(tmp_path: Path) -> None:
    """No cut makes the engine fail, and what it finds is a beginning of what the whole file holds."""
    wire = _busy_wire(5)
    everything = set(contents(analyse(wire, tmp_path)))
    octets = (tmp_path / "wire.pcap").read_bytes()
    for stop in range(24, len(octets), 997):
        part = tmp_path / "part.pcap"
        part.write_bytes(octets[:stop])
        with open_capture(part) as reader:
            analysis = Analysis(reader).run()
            found = [row for row in range(len(analysis.wpdus)) if not analysis.wpdus["marks"][row] & 1]
            assert {analysis.octets(row) for row in found} <= everything


def test_progress_is_that_of_the_file(tmp_path: Path) -> None:
    """`progress` ends at the size of the file."""
    _busy_wire(1).capture(tmp_path / "a.pcap")
    shutil.copy(tmp_path / "a.pcap", tmp_path / "b.pcap")
    with open_capture(tmp_path / "b.pcap") as reader:
        analysis = Analysis(reader)
        assert analysis.progress[0] < analysis.progress[1]
        analysis.run()
        assert analysis.progress == ((tmp_path / "b.pcap").stat().st_size,) * 2
