"""Streams cut into blocks: however they come in pieces, what is whole is handed on, octet for octet."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.capturing.stream_cutter import StreamCutter, StreamError
from cosemscope.capture.spool.chunks import Chunk
from tests.helpers.captured import read_file
from tests.helpers.files import MICRO, MODIFIED, NANO, Pcapng, Record, pcap
from tests.helpers.shared import shared


def cut(octets: bytes, pieces: list[int]) -> list[Chunk]:
    """Feed `octets` in pieces of these lengths, over and over."""
    cutter = StreamCutter()
    chunks = []
    at = turn = 0
    while at < len(octets):
        step = pieces[turn % len(pieces)]
        cutter.add(octets[at : at + step])
        chunks += list(cutter.chunks())
        at, turn = at + step, turn + 1
    assert cutter.position == len(octets)
    assert cutter.waiting == 0
    return chunks


def whole(chunks: list[Chunk]) -> bytes:
    return b"".join(chunk.blocks for chunk in chunks)


RECORDS = [Record(1_700_000_000_123_456_000 + number * 1000, bytes(number)) for number in range(30)]
PIECES = st.lists(st.integers(1, 300), min_size=1, max_size=8)


@given(PIECES, st.sampled_from("<>"), st.sampled_from((MICRO, NANO, MODIFIED)))
def test_pcap_becomes_pcapng_with_the_same_packets(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[int], order: str, magic: int
) -> None:
    """All variants and byte orders, in any pieces: times, octets and link type stay."""
    octets = pcap(RECORDS, order=order, magic=magic, link_type=113)
    chunks = cut(octets, pieces)
    found, reader = read_file(tmp_path_factory.mktemp("stream") / "x.pcapng", whole(chunks))
    assert [(each.time, each.octets) for each in found] == [(each.time, each.octets) for each in RECORDS]
    assert [interface.link_type for interface in reader.interfaces] == [113]
    assert reader.problems == []


def section(order: str) -> bytes:
    """A section of all kinds of blocks, with an interface that comes late."""
    blocks = Pcapng(order)
    return b"".join(
        (
            blocks.section((4, b"somebody")),
            blocks.interface(1, 100, (2, b"eth0"), (9, b"\x09")),
            blocks.enhanced(5, b"abc", (1, b"a comment")),
            blocks.names((1, bytes(4) + b"meter\0")),
            blocks.simple(b"simple"),
            blocks.interface(101, 0, (9, b"\x06")),
            blocks.enhanced(7, b"defgh", interface=1),
            blocks.obsolete(9, b"old"),
            blocks.statistics(0, 9, (5, blocks.number(3, 8)), (7, blocks.number(3, 8))),
            blocks.block(0x0BAD, b"custom"),
        )
    )


@given(PIECES, st.sampled_from(("<", ">", "<>", "><")))
def test_pcapng_goes_through_as_it_is(pieces: list[int], orders: str) -> None:
    """Every octet, with packets counted right and a head for further files that fits what follows."""
    octets = b"".join(map(section, orders))
    chunks = cut(octets, pieces)
    assert whole(chunks) == octets
    assert sum(len(chunk.ends) for chunk in chunks) == 4 * len(orders)
    assert not any(chunk.ends for chunk in chunks if chunk.head)
    heads = [chunk.head for chunk in chunks if chunk.head is not None]
    first = section(orders[0])
    assert (
        heads[2]
        == Pcapng(orders[0]).section((4, b"somebody"))
        + b"".join(chunk.blocks for chunk in chunks if chunk.head)[len(heads[0]) : len(heads[2])]
    )
    assert first.startswith(heads[1])


def test_drops_are_taken_from_the_statistics() -> None:
    """A program that knows one kind of drop and writes it down twice did not lose twice as many."""
    cutter = StreamCutter()
    assert cutter.dropped is None
    cutter.add(section(">"))
    list(cutter.chunks())
    assert cutter.dropped == 3


@pytest.mark.parametrize("name", ["Output.pcap", "data7.pcapng", "udp-hdlc.pcap"])
def test_real_captures(tmp_path: Path, name: str) -> None:
    """Real captures cut to pieces in a stream read as in one file."""
    path = shared(f"captures/{name}")
    plain, _ = read_file(tmp_path / "plain", path.read_bytes())
    found, reader = read_file(tmp_path / "cut.pcapng", whole(cut(path.read_bytes(), [999])))
    assert found == plain
    assert reader.problems == []


@pytest.mark.parametrize(("magic", "parts"), [(MICRO, 2_000_000), (NANO, 2_000_000_000)])
def test_two_seconds_of_fraction_are_damage(tmp_path: Path, magic: int, parts: int) -> None:
    """Less than that is a clock that counts on, and is added to the seconds."""
    made = bytearray(pcap(RECORDS[1:2], magic=magic))
    made[28:32] = (parts - 1).to_bytes(4, "little")
    (found,), _ = read_file(tmp_path / "x.pcapng", whole(cut(bytes(made), [999])))
    assert found.time == 1_700_000_001 * 10**9 + 10**9 - (1000 if magic == MICRO else 1)
    made[28:32] = parts.to_bytes(4, "little")
    with pytest.raises(StreamError, match=f"a packet of 1 octets at {parts} parts of a second"):
        cut(bytes(made), [999])


@pytest.mark.parametrize(
    ("octets", "before", "message"),
    [
        (b"hello world", 0, "neither pcap nor pcapng: it begins with 68 65 6c 6c"),
        (pcap(RECORDS[:3]) + b"\xff" * 16, 3, "damaged at octet 75: it claims a packet of 4294967295 octets"),
        (section("<") + bytes(12), 4, "damaged at octet .*: it claims a block of 0 octets"),
        (section("<")[:8] + bytes(20), 0, "a section without a byte order"),
        (section("<") + b"\x06\0\0\0\xfc\xff\xff\xff" + bytes(4), 4, "a block of 4294967292 octets"),
    ],
)
def test_damage_ends_the_stream_after_what_was_whole(octets: bytes, before: int, message: str) -> None:
    """What cannot be a length is not waited for; packets before it are handed on first."""
    cutter = StreamCutter()
    cutter.add(octets)
    chunks = cutter.chunks()
    packets = 0

    def take() -> None:
        nonlocal packets
        for chunk in chunks:
            packets += len(chunk.ends)

    with pytest.raises(StreamError, match=message):
        take()
    assert packets == before


@given(st.binary(max_size=300), PIECES)
def test_no_octets_break_it(octets: bytes, pieces: list[int]) -> None:
    """Anything may come out of a pipe: it is a StreamError or it is waited for."""
    for start in (b"", pcap([]), section("<")):
        cutter = StreamCutter()
        with suppress(StreamError):
            for at in range(0, len(start + octets), pieces[0]):
                cutter.add((start + octets)[at : at + pieces[0]])
                for chunk in cutter.chunks():
                    assert all(end <= len(chunk.blocks) for end in chunk.ends)
        assert cutter.position + cutter.waiting <= len(start + octets)
