"""The spool: whole blocks always, nothing lost, readable by others, errors in words."""

import errno
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.spool import spool_file
from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.capture.spool.spool_writer import SpoolWriter
from tests.helpers.tshark import tshark

SECOND = 1_000_000_000


def blocks(octets: bytes) -> list[tuple[int, bytes]]:
    """Kind and body of each block; fails on anything that is not a row of whole blocks."""
    found = []
    at = 0
    while at < len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        assert length % 4 == 0
        assert at + length <= len(octets), "half a block at the end"
        assert struct.unpack_from("<I", octets, at + length - 4) == (length,)
        found.append((kind, octets[at + 8 : at + length - 4]))
        at += length
    return found


def options(encoded: bytes) -> dict[int, bytes]:
    found = {}
    at = 0
    while at < len(encoded):
        code, length = struct.unpack_from("<HH", encoded, at)
        if code == 0:
            break
        found[code] = encoded[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
    return found


def packets(path: Path) -> list[tuple[int, int, int, bytes, dict[int, bytes]]]:
    """Interface, time, original length, octets, options of each packet."""
    found = []
    for kind, body in blocks(path.read_bytes()):
        if kind == 6:
            interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
            end = 20 + captured + -captured % 4
            found.append(
                (interface, high << 32 | low, original, body[20 : 20 + captured], options(body[end:]))
            )
    return found


def test_a_section_names_its_program_and_interfaces(tmp_path: Path) -> None:
    """Who wrote the file, and that an interface is synthetic, must be readable from the file alone."""
    path = tmp_path / "spool.pcapng"
    with SpoolWriter(path, application="Tester 1") as spool:
        assert spool.add_interface("relay", description="synthetic frames", capture_filter="port 4059") == 0
        assert spool.add_interface("raw", link_type=101, snap_length=100) == 1
    (header, one, two, *_rest) = blocks(path.read_bytes())
    assert header[0] == 0x0A0D0D0A
    assert options(header[1][16:])[4] == b"Tester 1"
    assert struct.unpack_from("<HHI", one[1]) == (1, 0, 262144)
    assert options(one[1][8:]) == {2: b"relay", 3: b"synthetic frames", 9: b"\x09", 11: b"\0port 4059"}
    assert struct.unpack_from("<HHI", two[1]) == (101, 0, 100)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**64 - 1), st.binary(max_size=70), st.none() | st.text(max_size=30)),
        max_size=20,
    ),
    st.sampled_from((0, 100, 4096)),
)
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_there(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[int, bytes, str | None]], buffer: int
) -> None:
    """Times to the nanosecond, octets and comments come back unchanged, however they are buffered."""
    path = tmp_path_factory.mktemp("spool") / "spool.pcapng"
    with SpoolWriter(path, buffer=buffer) as spool:
        spool.add_interface("any")
        for time, octets, comment in wanted:
            spool.write(time, octets, comment=comment)
        assert spool.packets == len(wanted)
    assert spool.size == path.stat().st_size
    found = [(time, octets, options.get(1, b"").decode()) for _, time, _, octets, options in packets(path)]
    assert found == [(time, octets, comment or "") for time, octets, comment in wanted]


def test_a_reader_of_the_growing_file_sees_whole_blocks_at_once(tmp_path: Path) -> None:
    """Without a buffer, a packet is in the file, whole, when `write` returns."""
    path = tmp_path / "spool.pcapng"
    spool = SpoolWriter(path)
    spool.add_interface("lo")
    for number in range(50):
        spool.write(number, bytes(number))
        assert len(packets(path)) == number + 1
    spool.close()


def test_a_buffered_spool_writes_whole_blocks_when_full_or_flushed(tmp_path: Path) -> None:
    """Buffering may delay blocks, never cut them."""
    path = tmp_path / "spool.pcapng"
    spool = SpoolWriter(path, buffer=1000)
    spool.add_interface("lo")
    seen = {len(packets(path))}
    for number in range(100):
        spool.write(number, bytes(60))
        seen.add(len(packets(path)))
    assert 1 < len(seen) < 20
    spool.write(0, b"last")
    spool.flush()
    assert packets(path)[-1][3] == b"last"
    spool.close()


def test_the_snap_length_cuts_and_keeps_the_true_length(tmp_path: Path) -> None:
    """A cut packet must not look as if it had been that short on the wire."""
    path = tmp_path / "spool.pcapng"
    with SpoolWriter(path) as spool:
        spool.add_interface("short", snap_length=10)
        spool.write(1, bytes(range(30)))
        spool.write(2, b"abc", original=1500)
    assert [(original, octets) for _, _, original, octets, _ in packets(path)] == [
        (30, bytes(range(10))),
        (1500, b"abc"),
    ]


def test_closing_writes_the_counts_of_each_interface(tmp_path: Path) -> None:
    """Received and dropped packets are part of the capture: losses must not be forgotten with the process."""
    path = tmp_path / "spool.pcapng"
    with SpoolWriter(path) as spool:
        spool.add_interface("eth0")
        spool.add_interface("eth1")
        spool.write(5 * SECOND, b"x", interface=1)
        spool.write(7 * SECOND, b"y", interface=1)
        spool.count(1, received=9, dropped=7)
    statistics = [(body[:4], options(body[12:])) for kind, body in blocks(path.read_bytes()) if kind == 5]
    number = struct.Struct("<Q").pack
    assert statistics[0] == (b"\0\0\0\0", {8: number(0)})
    assert statistics[1][1][4] == number(9)
    assert statistics[1][1][5] == number(7)
    assert statistics[1][1][8] == number(2)
    high, low = struct.unpack("<II", statistics[1][1][3])
    assert high << 32 | low == 7 * SECOND


def test_wrong_use_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    """A packet of no interface, or of no time, would make the file unreadable for others."""
    path = tmp_path / "spool.pcapng"
    with SpoolWriter(path) as spool:
        with pytest.raises(ValueError, match="no interface 0"):
            spool.write(0, b"")
        spool.add_interface("lo")
        for time in (-1, 1 << 64):
            with pytest.raises(ValueError, match="no time"):
                spool.write(time, b"")
        assert spool.packets == 0
    with pytest.raises(SpoolError, match="closed"):
        spool.write(0, b"")
    spool.close()


def test_a_comment_too_long_for_an_option_is_cut_between_characters(tmp_path: Path) -> None:
    """An option holds 65535 octets; half a character would be a broken file."""
    path = tmp_path / "spool.pcapng"
    with SpoolWriter(path) as spool:
        spool.add_interface("lo")
        spool.write(0, b"", comment="é" * 40000)
    assert packets(path)[0][4][1].decode() == "é" * 32767


def test_a_place_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    """The user must learn which file and why, before any traffic is lost."""
    with pytest.raises(
        SpoolError, match=r"missing.*spool\.pcapng cannot be created: the folder does not exist"
    ):
        SpoolWriter(tmp_path / "missing" / "spool.pcapng")
    with pytest.raises(SpoolError, match="that is a folder"):
        SpoolWriter(tmp_path)


@pytest.mark.parametrize("buffer", [0, 10_000])
def test_a_full_disk_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int
) -> None:
    """When the disk fills up within a block, the file ends before it; going on later loses nothing."""
    path = tmp_path / "spool.pcapng"
    spool = SpoolWriter(path, buffer=buffer)
    spool.add_interface("lo")
    room = 1000
    write = os.write

    def nearly_full(file: int, octets: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(file, octets[:room])
        room -= done
        return done

    monkeypatch.setattr(spool_file.os, "write", nearly_full)

    def fill() -> None:
        for number in range(1000):
            spool.write(number, bytes(100))

    with pytest.raises(SpoolError, match=r"spool\.pcapng cannot be written: the disk is full\. What was"):
        fill()
    taken = spool.packets
    kept = len(packets(path))
    assert 0 < kept < taken
    room = 10**6
    spool.close()
    assert [time for _, time, *_ in packets(path)] == list(range(taken))


def test_a_really_full_disk(tmp_path: Path) -> None:
    """The same through the operating system, where it has a device that is always full."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(SpoolError, match="the disk is full"):
        SpoolWriter("/dev/full")


def test_tshark_reads_it(tmp_path: Path) -> None:
    """Another program's reader agrees on times, lengths, interfaces and comments."""
    path = tmp_path / "spool.pcapng"
    with SpoolWriter(path) as spool:
        spool.add_interface("one", description="first")
        spool.add_interface("two")
        spool.write(1_700_000_000 * SECOND + 123_456_789, bytes(60), comment="a remark")
        spool.write(1_700_000_001 * SECOND, bytes(61), interface=1, original=99)
    lines = tshark(
        path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.interface_name",
        "-e", "frame.comment",
    )  # fmt: skip
    assert lines == [
        "1700000000.123456789\t60\tone\ta remark",
        "1700000001.000000000\t99\ttwo\t",
    ]
