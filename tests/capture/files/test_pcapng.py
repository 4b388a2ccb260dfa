"""pcapng files: sections, interfaces, blocks of every kind, times of every resolution, damage."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.files import pcapng
from cosemscope.capture.files.pcapng import nanoseconds
from cosemscope.capture.files.pcapng_blocks import Blocks, interface_of
from cosemscope.capture.files.reader import CaptureError, open_capture
from cosemscope.capture.records import Interface, Section, Statistics
from tests.helpers.captured import Captured, read_file
from tests.helpers.files import Pcapng

MICROS = 1_700_000_000_123_456
ORDERS = pytest.mark.parametrize("order", ["<", ">"])


@ORDERS
def test_packet_blocks_of_every_kind(tmp_path: Path, order: str) -> None:
    """EPB, SPB and the old PB; a simple block takes the time of the packet before it."""
    b = Pcapng(order)
    octets = b.section() + b.interface(1, 20) + b.simple(b"first") + b.enhanced(MICROS, b"abc", original=9)
    octets += b.simple(bytes(20), 30) + b.obsolete(MICROS + 1, b"old", drops=3) + b.enhanced(MICROS + 2, b"")
    found, reader = read_file(tmp_path / "x", octets)
    assert found == [
        Captured(0, b"first", 5, 0),
        Captured(MICROS * 1000, b"abc", 9, 0),
        Captured(MICROS * 1000, bytes(20), 30, 0),
        Captured(MICROS * 1000 + 1000, b"old", 3, 0),
        Captured(MICROS * 1000 + 2000, b"", 0, 0),
    ]
    assert reader.problems == []


def test_sections_have_their_own_byte_order_and_interfaces(tmp_path: Path) -> None:
    """Interface numbers begin anew in every section, and are told apart in the whole file."""
    octets = b""
    for order, link_type in (("<", 1), (">", 101), ("<", 0)):
        b = Pcapng(order)
        octets += b.section((4, order.encode())) + b.interface(147) + b.interface(link_type)
        octets += b.enhanced(MICROS, order.encode(), interface=1) + b.enhanced(MICROS, b"0")
    found, reader = read_file(tmp_path / "x", octets)
    assert [(record.octets, record.interface) for record in found] == [
        (b"<", 1),
        (b"0", 0),
        (b">", 3),
        (b"0", 2),
        (b"<", 5),
        (b"0", 4),
    ]
    assert [interface.link_type for interface in reader.interfaces] == [147, 1, 147, 101, 147, 0]
    assert [interface.section for interface in reader.interfaces] == [0, 0, 1, 1, 2, 2]
    assert [section.application for section in reader.sections] == ["<", ">", "<"]


@ORDERS
def test_what_blocks_say(tmp_path: Path, order: str) -> None:
    """Interface and section options, names, statistics and comments come through; the unknown is skipped."""
    b = Pcapng(order)
    octets = b.section((2, b"box"), (3, b"os"), (4, b"app"), (1, b"made"), (1, b"twice"))
    octets += b.interface(
        1,
        96,
        (2, b"eth0"),
        (3, "Zähler".encode()),
        (9, b"\x09"),
        (11, b"\0tcp port 4059"),
        (12, b"Linux"),
        (14, b.number(-3600, 8)),
        (15, b"card"),
        (1, b"note"),
    )
    octets += b.block(0x0BAD, b"custom block") + b.block(0x4000_0BAD, bytes(1000)) + b.block(10, b"secrets")
    octets += b.enhanced(0, b"0") + b.enhanced(1, b"1", (2, bytes(4)), (1, b"hello"), (1, b"again"))
    octets += b.names((1, b"\x0a\0\0\x01meter\0other\0"), (2, bytes(15) + b"\x01me\0"), (9, b"x"))
    octets += b.enhanced(2, b"2", (1, b"third \xff"))
    octets += b.statistics(0, 5 << 32, (4, b.number(2**40, 8)), (5, b.number(7, 8)))
    found, reader = read_file(tmp_path / "x", octets)
    shift = -3600 * 10**9
    assert [record.time for record in found] == [shift, shift + 1, shift + 2]
    assert reader.interfaces == [
        Interface(1, 96, "eth0", "Zähler", 10**9, -3600, "tcp port 4059", "Linux", "card", "note", 0)
    ]
    assert reader.sections == [Section("box", "os", "app", "made\ntwice")]
    assert reader.names == {"10.0.0.1": "meter", "::1": "me"}
    assert reader.comments == {1: ("hello", "again"), 2: ("third \ufffd",)}
    assert reader.statistics == {0: Statistics((5 << 32) + shift, received=2**40, dropped=7)}
    assert reader.problems == []


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5),
    st.integers(0, 255),
    st.integers(-(2**63), 2**63 - 1),
)
def test_times_are_exact_in_every_resolution(ticks: list[int], code: int, shift: int) -> None:
    """Both bases, any exponent, any offset: the nanoseconds are those of whole-number arithmetic."""
    b = Pcapng()
    block = b.interface(1, 0, (9, bytes((code,))), (14, b.number(shift, 8)))
    interface = interface_of(Blocks("<"), block, 0)
    exponent = code & 0x7F
    resolution = 2 ** min(exponent, 63) if code & 0x80 else 10 ** min(exponent, 19)
    assert interface.resolution == resolution
    bound = 9_000_000_000
    shift = shift if abs(shift) <= bound else 0
    for tick, time in zip(ticks, nanoseconds(np.array(ticks, np.uint64), interface).tolist(), strict=True):
        seconds = max(-bound, min(bound, min(tick // resolution, bound) + shift))
        assert time == seconds * 10**9 + tick % resolution * 10**9 // resolution


@ORDERS
def test_a_file_cut_anywhere_gives_what_is_there(tmp_path: Path, order: str) -> None:
    """Whole packets stay, the last one is given as far as it goes, the problem has its block's offset."""
    b = Pcapng(order)
    head = [b.section((4, b"app")), b.interface(1, 0, (9, b"\x09"))]
    packets = [bytes([n]) * (5 + n) for n in range(3)]
    blocks = head + [b.enhanced(n, octets, (1, b"note")) for n, octets in enumerate(packets)]
    starts = [sum(map(len, blocks[:n])) for n in range(len(blocks) + 1)]
    whole = b"".join(blocks)
    for size in range(len(whole) + 1):
        if size < 4:
            with pytest.raises(CaptureError):
                read_file(tmp_path / "x", whole[:size])
            continue
        found, reader = read_file(tmp_path / "x", whole[:size])
        complete = sum(1 for start in starts[1:] if start <= size)
        left = size - starts[complete]
        expected = packets[: max(complete - 2, 0)]
        if complete >= 2 and left > 28:
            expected = [*expected, packets[complete - 2][: left - 28]]
        assert [record.octets for record in found] == expected
        assert [problem.offset for problem in reader.problems] == ([starts[complete]] if left else [])


def test_a_wrong_second_length_costs_no_packet(tmp_path: Path) -> None:
    """Where the first length leads to a block, it is followed, and the problem is told."""
    b = Pcapng()
    blocks = [b.section(), b.interface(), *(b.enhanced(MICROS + n, bytes([n] * 8)) for n in range(5))]
    for index in range(1, 6):
        torn = [*blocks]
        torn[index] = torn[index][:-4] + b"\0\0\1\0"
        found, reader = read_file(tmp_path / "x", b"".join(torn))
        assert len(found) == 5
        assert [problem.offset for problem in reader.problems] == [sum(map(len, blocks[:index]))]


@pytest.mark.parametrize("junk", [b"\xee" * 50, b"\0" * 4096, b"\x06\0\0\0\x24\0\0\0" * 3000])
@ORDERS
def test_octets_that_are_no_blocks_are_skipped(tmp_path: Path, junk: bytes, order: str) -> None:
    """The next block that is followed by another one counts again."""
    b = Pcapng(order)
    before = b.section() + b.interface() + b.enhanced(MICROS, b"before")
    after = b.enhanced(MICROS, b"after1") + b.enhanced(MICROS, b"after2")
    found, reader = read_file(tmp_path / "x", before + junk + after)
    assert [record.octets for record in found] == [b"before", b"after1", b"after2"]
    assert [(p.offset, str(len(junk)) in p.message) for p in reader.problems] == [(len(before), True)]


def test_other_blocks_between_very_many_packets(tmp_path: Path) -> None:
    """Runs of any length, of several kinds, are all found."""
    b = Pcapng()
    octets, expected = [b.section(), b.interface()], []
    for run in (1, 3_000, 2, 1, 5_000, 1, 1):
        for number in range(run):
            expected.append(bytes([number % 256]) * (number % 5))
            octets.append(b.enhanced(MICROS, expected[-1]) if run != 2 else b.simple(expected[-1]))
        octets.append(b.statistics(0, MICROS))
    found, reader = read_file(tmp_path / "x", b"".join(octets))
    assert [record.octets for record in found] == expected
    assert reader.problems == []


def test_packets_of_no_interface_and_too_short_blocks_are_named(tmp_path: Path) -> None:
    """They are skipped one by one, with their offsets."""
    b = Pcapng()
    head = b.section() + b.interface()
    good = b.enhanced(MICROS, b"good")
    stranger = b.enhanced(MICROS, b"stranger", interface=7)
    liar = bytearray(good)
    struct.pack_into("<I", liar, 20, 5)
    found, reader = read_file(tmp_path / "x", head + good + stranger + good + bytes(liar) + good)
    assert [record.octets for record in found] == [b"good"] * 3
    at = len(head + good)
    assert [problem.offset for problem in reader.problems] == [at, at + len(stranger + good)]


def test_a_block_of_gigabytes_is_not_believed(tmp_path: Path) -> None:
    """A length from the file makes nothing big be read or kept."""
    b = Pcapng()
    head = b.section() + b.interface() + b.enhanced(MICROS, b"good")
    octets = head + struct.pack("<II", 6, 0xFFFF_FFF0) + bytes(64) + b.enhanced(MICROS, b"next")
    found, reader = read_file(tmp_path / "x", octets)
    assert [record.octets for record in found] == [b"good", b"next"]
    assert [problem.offset for problem in reader.problems] == [len(head)]


@given(st.binary(max_size=200), st.integers(0, 2000), st.integers(0, 200), st.sampled_from("<>"))
def test_any_damage_ends(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int, gone: int, order: str
) -> None:
    """Whatever is overwritten, inserted or taken out: reading ends, and packets before the damage stay."""
    b = Pcapng(order)
    blocks = [b.section((1, b"x")), b.interface(1, 0, (2, b"if")), b.names((1, b"\1\2\3\4n\0"))]
    blocks += [b.enhanced(MICROS + n, bytes(range(n * 7)), (1, b"note")) for n in range(8)]
    whole = b"".join(blocks)
    at = 12 + at % (len(whole) - 12)
    found, _ = read_file(tmp_path_factory.mktemp("pcapng") / "x", whole[:at] + junk + whole[at + gone :])
    before = sum(1 for n in range(3, 11) if sum(map(len, blocks[: n + 1])) <= at)
    assert [record.octets for record in found[:before]] == [bytes(range(n * 7)) for n in range(before)]


@pytest.mark.parametrize("damaged", [0, 1, 2])
@pytest.mark.parametrize("length", [1 << 20, 1 << 25])
def test_a_length_beyond_the_end_of_the_file_hides_nothing(tmp_path: Path, damaged: int, length: int) -> None:
    """One wrong bit in a block's length, of a packet or anything else, is no end of the file."""
    section = Pcapng()
    blocks = [section.enhanced(1_700_000_000_000_000 + n, bytes([n]) * 60) for n in range(6)]
    blocks[2] = section.names((1, b"\x0a\0\0\1meter\0"))
    lost = [blocks[1], blocks[2], blocks[4]][damaged]
    broken = lost[:4] + struct.pack("<I", length) + lost[8:]
    head = section.section() + section.interface()
    found, reader = read_file(tmp_path / "x", head + b"".join(broken if b is lost else b for b in blocks))
    wanted = [n for n in (0, 1, 3, 4, 5) if n != [1, None, 4][damaged]]
    assert [record.octets[0] for record in found] == wanted
    assert [problem.offset for problem in reader.problems] == [(head + b"".join(blocks)).index(lost)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from("pposinucSI"), min_size=1, max_size=60), st.integers(1, 9), st.sampled_from("<>")
)
def test_blocks_of_any_kind_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], most: int, order: str
) -> None:
    """Packets come in the order of the file, whatever stands between them, in batches as large as can be."""
    section = Pcapng(order)
    octets = section.section() + section.interface(1, 0, (9, b"\x09"))
    wanted, counted, named = [], -1, {}
    for number, kind in enumerate(kinds):
        data = bytes([number]) * (number % 7 + 1)
        if kind in "pos":
            wanted.append(data)
        if kind == "p":
            octets += section.enhanced(number, data)
        elif kind == "o":
            octets += section.obsolete(number, data)
        elif kind == "s":
            octets += section.simple(data)
        elif kind == "i":
            counted = number
            octets += section.statistics(0, number, (4, section.number(number, 8)))
        elif kind == "n":
            named[f"10.0.0.{number}"] = f"meter{number}"
            octets += section.names((1, bytes([10, 0, 0, number]) + b"meter%d\0" % number))
        elif kind == "S":
            octets += section.section() + section.interface(1, 0, (9, b"\x09"))
        else:
            octets += {"u": section.block(0x7777, data), "c": section.block(0xBAD, bytes(8) + data)}.get(
                kind, section.interface(1)
            )
    path = tmp_path_factory.mktemp("blocks") / "x"
    path.write_bytes(octets)
    with open_capture(path) as reader:
        sizes, found = [], []
        while (batch := reader.read(most)) is not None:
            sizes.append(len(batch))
            starts = zip((batch.offset - batch.base).tolist(), batch.captured.tolist(), strict=True)
            found += [batch.buffer[start : start + size].tobytes() for start, size in starts]
        assert found == wanted
        assert reader.problems == []
        assert reader.names == named
        assert all(size == most for size in sizes[:-1])
        if counted >= 0 and "S" not in kinds:
            assert reader.statistics[0].received == counted


def test_statistics_after_every_packet_are_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks between packets are passed over in NumPy: the work grows with the file, not with its blocks."""
    runs = []
    monkeypatch.setattr(pcapng, "nanoseconds", lambda *words: runs.append(1) or nanoseconds(*words))
    section = Pcapng()
    octets = section.section() + section.interface(1, 0, (9, b"\x09"))
    for number in range(2_000):
        octets += (
            section.enhanced(number, b"octets") + section.statistics(0, number) + section.block(0xBAD, b"")
        )
    found, reader = read_file(tmp_path / "x", octets)
    assert len(found) == 2_000
    assert reader.problems == []
    assert 1 <= len(runs) - 2_000 < 20  # for each row of packets, and for each of the statistics
