"""IP fragments: any order, overlaps, both IP versions, and bounds on what waits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.packets import fragments
from cosemscope.capture.packets.fragments import TIMEOUT, Fragment, Reassembly
from tests.helpers.captured import columns_of, table_of
from tests.helpers.files import Record, pcap
from tests.helpers.packets import MORE_FRAGMENTS, ethernet, gtp, ipv4, ipv6, ipv6_fragment, udp

START = 1_700_000_000_000_000_000
DATA = bytes(range(256)) * 5
WHOLE = udp(DATA)


def v4(start: int, stop: int, number: int = 1) -> bytes:
    more = MORE_FRAGMENTS if stop < len(WHOLE) else 0
    return ethernet(ipv4(WHOLE[start:stop], 17, fragment=more | start // 8, number=number))


def v6(start: int, stop: int, number: int = 1) -> bytes:
    inner = ipv6_fragment(WHOLE[start:stop], 17, start, stop < len(WHOLE), number)
    return ethernet(ipv6(inner, 44), 0x86DD)


def tunnelled(start: int, stop: int, number: int = 1) -> bytes:
    more = MORE_FRAGMENTS if stop < len(WHOLE) else 0
    inner = ipv4(WHOLE[start:stop], 17, fragment=more | start // 8, number=number)
    return ethernet(ipv4(gtp(inner), 17))


def payloads(path: Path, *records: Record) -> list[bytes]:
    """The payloads of the rows with octets; both ways of reading agree."""
    path.write_bytes(pcap(records))
    table, rows = table_of(path)
    other, same = table_of(path, one_by_one=True, max_records=2)
    assert rows == same
    assert columns_of(table) == columns_of(other)
    return [row.payload for row in rows if row.payload]


@given(
    st.permutations([(0, 400), (400, 800), (800, 1280), (1280, len(WHOLE))]),
    st.sampled_from([v4, v6, tunnelled]),
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 60)), max_size=4),
)
def test_fragments_in_any_order(tmp_path_factory: pytest.TempPathFactory, order, make, more) -> None:
    """With repeated and overlapping ones among them, the datagram comes once, at its last missing piece."""
    pieces = [(at * 8, min(at * 8 + size * 8, 1280)) for at, size in more if at * 8 < 1280] + list(order)
    path = tmp_path_factory.mktemp("fragments") / "x"
    found = payloads(path, *(Record(START, make(*piece)) for piece in pieces))
    assert DATA in found
    assert {payload for payload in found if payload != DATA and make is not tunnelled} == set()


def test_of_overlapping_octets_the_first_stay(tmp_path: Path) -> None:
    """As for TCP: a later fragment cannot rewrite what was there."""
    head, tail = WHOLE[:16], WHOLE[16:]
    evil = udp(b"X" * len(DATA))
    packets = [
        ipv4(head, 17, fragment=MORE_FRAGMENTS),
        ipv4(evil[8:32], 17, fragment=MORE_FRAGMENTS | 1),
        ipv4(tail, 17, fragment=2),
    ]
    (found,) = payloads(tmp_path / "x", *(Record(START, ethernet(packet)) for packet in packets))
    assert found == DATA[:8] + b"X" * 16 + DATA[24:]


@pytest.mark.parametrize("make", [v4, v6])
def test_fragments_of_different_datagrams_stay_apart(tmp_path: Path, make) -> None:
    """Told by their identification."""
    pieces = [make(0, 800, 1), make(800, len(WHOLE), 2), make(0, 800, 2), make(800, len(WHOLE), 1)]
    assert payloads(tmp_path / "x", *(Record(START, piece) for piece in pieces)) == [DATA, DATA]


def test_late_fragments_find_nothing(tmp_path: Path) -> None:
    """By the time of the capture; a later datagram with the same number is not mixed up with the old one."""
    late = START + TIMEOUT + 1000
    records = [Record(START, v4(0, 800)), Record(late, v4(800, len(WHOLE)))]
    assert payloads(tmp_path / "x", *records) == []
    assert payloads(tmp_path / "x", *records, Record(late, v4(0, 800))) == [DATA]


def test_an_ipv6_fragment_that_is_whole(tmp_path: Path) -> None:
    """An atomic fragment (RFC 6946) waits for nothing."""
    assert payloads(tmp_path / "x", Record(START, v6(0, len(WHOLE)))) == [DATA]


def test_fragments_cut_by_the_snap_length_are_left_out(tmp_path: Path) -> None:
    """Octets that were not captured are never made up; what there is of a first one is told by itself."""
    cut, rest = [Record(START, v4(*span)[:300], len(v4(*span))) for span in ((0, 800), (800, len(WHOLE)))]
    assert payloads(tmp_path / "x", cut, Record(START, v4(800, len(WHOLE)))) == [DATA[: 300 - 14 - 28]]
    assert payloads(tmp_path / "x", Record(START, v4(0, 800)), rest) == []


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in octets; the oldest are given up and counted."""
    monkeypatch.setattr(fragments, "MAX_WAITING", 10)
    reassembly = Reassembly()
    for number in range(25):
        assert reassembly.add(Fragment(number, 0, False, 17), bytes(8), number) is None
    assert reassembly.given_up == 15
    assert reassembly.incomplete == 25
    monkeypatch.setattr(fragments, "MAX_WAITING_OCTETS", 100_000)
    for number in range(100, 110):
        assert reassembly.add(Fragment(number, 60_000, False, 17), bytes(8), number) is None
    assert reassembly.given_up >= 24
    assert reassembly.add(Fragment(109, 0, False, 17), bytes(60_000), 0) is None
    assert reassembly.add(Fragment(109, 60_008, True, 17), b"end", 0) == bytes(60_008) + b"end"


@pytest.mark.parametrize(
    "fragment", [Fragment(1, 65_528, False, 17), Fragment(1, 0, False, 17), Fragment(1, 65_520, True, 17)]
)
def test_impossible_fragments_are_not_kept(fragment: Fragment) -> None:
    """Beyond the longest datagram, or of a length that no fragment but the last can have."""
    reassembly = Reassembly()
    assert reassembly.add(fragment, bytes(33), 0) is None
    assert reassembly.given_up == 0
    assert reassembly.incomplete == 0
