"""The reader: real captures, files that grow, errors for people, addresses from several threads."""

import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.files import reader as reader_module
from cosemscope.capture.files.reader import CaptureError, open_capture
from cosemscope.capture.octets import SIDE, OctetFile
from cosemscope.capture.spool.spool_writer import SpoolWriter
from tests.helpers.captured import Captured, read_file, records_of
from tests.helpers.files import Pcapng, Record, pcap
from tests.helpers.shared import shared
from tests.helpers.tshark import tshark

START = 1_700_000_000_000_000_000
RECORDS = [Record(START + n * 1000, bytes([n % 256]) * (n % 90 + 1)) for n in range(500)]

# Packet counts by the README beside the captures; the two pcapng by a count of their blocks.
REAL = {
    "DLMS_list.pcap": 15,
    "XmlDemo.pcap": 58,
    "Output.pcap": 264,
    "Output-Ciphered-HLS.pcap": 266,
    "original_data.pcapng": 218,
    "data7.pcapng": 284,
    "udp-hdlc.pcap": 51,
}


@pytest.mark.parametrize(("name", "count"), REAL.items())
def test_real_captures_have_all_their_packets(name: str, count: int) -> None:
    """Nothing is lost, nothing is wrong with them."""
    with open_capture(shared("captures") / name) as reader:
        assert len(records_of(reader)) == count
        assert reader.problems == []
        assert reader.finished
        assert reader.position == reader.size


@pytest.mark.parametrize("name", REAL)
def test_real_captures_agree_with_tshark(name: str) -> None:
    """Times to the nanosecond, lengths captured and on the wire."""
    path = shared("captures") / name
    fields = [word for field in ("time_epoch", "cap_len", "len") for word in ("-e", f"frame.{field}")]
    theirs = []
    for line in tshark(path, "-T", "fields", *fields):
        time, captured, length = line.split()
        seconds, fraction = time.split(".")
        theirs.append((int(seconds) * 10**9 + int(fraction.ljust(9, "0")), int(captured), int(length)))
    with open_capture(path) as reader:
        assert [(r.time, len(r.octets), r.original) for r in records_of(reader)] == theirs


@pytest.mark.parametrize("name", [name for name in REAL if name.endswith(".pcap")])
def test_real_captures_agree_with_dpkt(name: str) -> None:
    """The octets of every packet."""
    path = shared("captures") / name
    with path.open("rb") as file, open_capture(path) as reader:
        assert [r.octets for r in records_of(reader)] == [octets for _, octets in dpkt.pcap.Reader(file)]


@pytest.mark.parametrize("window", [100, 1_000, 30_000])
@pytest.mark.parametrize("limit", [1, 7, 65_536])
def test_windows_and_batches_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int, limit: int
) -> None:
    """Records over window borders, longer than a window, and batches of any size."""
    monkeypatch.setattr(reader_module, "WINDOW", window)
    monkeypatch.setattr(reader_module, "FIRST_WINDOW", window // 2)
    b = Pcapng()
    blocks = [b.enhanced(record.time // 1000, record.octets) for record in RECORDS]
    for whole in (pcap(RECORDS), b.section() + b.interface() + b"".join(blocks)):
        (tmp_path / "x").write_bytes(whole)
        with open_capture(tmp_path / "x") as reader:
            assert records_of(reader, limit) == [Captured(r.time, r.octets, r.length, 0) for r in RECORDS]
            assert reader.problems == []


@given(st.lists(st.integers(1, 400), max_size=40), st.sampled_from(["pcap", "pcapng"]))
def test_a_growing_file_is_followed(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[int], kind: str
) -> None:
    """In pieces of any size, from before its first octet: every packet comes once, as soon as it is whole."""
    records = RECORDS[:40]
    b = Pcapng(">")
    blocks = [b.section(), b.interface(), *(b.enhanced(r.time // 1000, r.octets) for r in records)]
    whole = pcap(records) if kind == "pcap" else b"".join(blocks)
    expected = [Captured(r.time, r.octets, r.length, 0) for r in records]
    path = tmp_path_factory.mktemp("grow") / "x"
    with path.open("wb", buffering=0) as file, open_capture(path, follow=True) as reader:
        found = records_of(reader)
        assert found == []
        at = 0
        for size in [*pieces, len(whole)]:
            file.write(whole[at : at + size])
            at += size
            found += records_of(reader)
            assert found == expected[: len(found)]
            assert reader.read() is None
            assert not reader.finished
        assert found == expected
        assert reader.problems == []


def test_a_followed_file_that_grows_no_more(tmp_path: Path) -> None:
    """Once told so, the reader notes what is missing at its end."""
    path = tmp_path / "x"
    path.write_bytes(pcap(RECORDS[:3])[:-1])
    with open_capture(path, follow=True) as reader:
        assert len(records_of(reader)) == 2
        assert (reader.problems, reader.finished) == ([], False)
        reader.stop_following()
        assert [record.octets for record in records_of(reader)] == [RECORDS[2].octets[:-1]]
        assert reader.read() is None
        assert (len(reader.problems), reader.finished) == (1, True)


def test_a_spool_is_followed_packet_by_packet(tmp_path: Path) -> None:
    """What the spool has flushed is there at the next look, comments included."""
    with open_capture_of_spool(tmp_path / "spool.pcapng") as (spool, reader):
        for number in range(50):
            spool.write(START + number, bytes([number]) * 60, comment="hello" if number == 7 else None)
            spool.flush()
            assert records_of(reader) == [Captured(START + number, bytes([number]) * 60, 60, 0)]
        assert reader.comments == {7: ("hello",)}
        assert [interface.name for interface in reader.interfaces] == ["relay"]


class open_capture_of_spool:  # noqa: N801
    """A spool and the reader that follows it."""

    def __init__(self, path: Path) -> None:
        self.spool = SpoolWriter(path)
        self.spool.add_interface("relay")
        self.spool.flush()
        self.reader = open_capture(path, follow=True)

    def __enter__(self):
        return self.spool, self.reader

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.spool.close()


def test_a_file_that_becomes_shorter_ends_in_a_problem(tmp_path: Path) -> None:
    """Whoever overwrites a capture that is open kills nothing."""
    path = tmp_path / "x"
    path.write_bytes(pcap(RECORDS))
    with open_capture(path, follow=True) as reader:
        assert len(records_of(reader)) == 500
        os.truncate(path, 100)
        assert reader.read() is None
        assert "shorter" in reader.problems[-1].message
        assert reader.finished
        assert reader.octets(50, 1000) == pcap(RECORDS)[50:100]


def test_a_file_that_is_written_anew_and_longer_ends_in_a_problem(tmp_path: Path) -> None:
    """Its octets are not those that were read: it is not gone on with in the middle of the new ones."""
    path = tmp_path / "x"
    path.write_bytes(pcap(RECORDS[:100]))
    with open_capture(path, follow=True) as reader:
        assert len(records_of(reader)) == 100
        path.write_bytes(pcap([Record(7, b"another"), *RECORDS]))
        assert reader.read() is None
        assert "anew" in reader.problems[-1].message
        assert reader.finished


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "empty"),
        (b"\x81\x82\3\4", "81 82 03 04"),
        (b"\xd4\xc3\xb2\xa1\2\0", "6 of 24"),
        (b"\x0a\x0d\x0d", "0a 0d 0d"),
    ],
)
def test_what_is_no_capture_is_refused_in_words(tmp_path: Path, octets: bytes, words: str) -> None:
    """The sentence names the file and what is wrong with it."""
    with pytest.raises(CaptureError, match=words) as caught:
        read_file(tmp_path / "x", octets)
    assert str(tmp_path / "x") in str(caught.value)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    """Missing ones, folders and pipes, by their names; none is waited for."""
    fifo = tmp_path / "fifo"
    if hasattr(os, "mkfifo"):
        os.mkfifo(fifo)
    for path in (tmp_path / "missing", tmp_path, fifo):
        with pytest.raises(CaptureError, match=str(path)):
            open_capture(path)


def test_a_followed_file_that_turns_out_to_be_no_capture(tmp_path: Path) -> None:
    """It is refused as soon as that can be seen."""
    path = tmp_path / "x"
    path.write_bytes(b"\xd4\xc3")
    with open_capture(path, follow=True) as reader:
        assert reader.read() is None
        path.write_bytes(b"\xd4\xc3hello")
        with pytest.raises(CaptureError, match="neither"):
            reader.read()


def test_octets_beyond_the_end_and_after_closing(tmp_path: Path) -> None:
    """Fewer than asked for; after closing, an error in words."""
    _, reader = read_file(tmp_path / "x", pcap(RECORDS))
    with pytest.raises(CaptureError):
        reader.octets(0, 10)
    with open_capture(tmp_path / "x") as reader:
        size = reader.size
        assert reader.octets(size - 3, 10) == RECORDS[-1].octets[-3:]
        assert reader.octets(size + 3, 10) == b""
        assert reader.octets(SIDE, 10) == b""
        assert reader.octets(reader.side.add(b"side"), 10) == b"side"


def test_octets_are_read_from_several_threads(tmp_path: Path) -> None:
    """While one thread reads and adds to the side store, others look at packets."""
    path = tmp_path / "x"
    path.write_bytes(pcap(RECORDS))
    wrong: list[object] = []
    starts, at = [], 24
    for record in RECORDS:
        starts.append(at + 16)
        at += 16 + len(record.octets)
    with open_capture(path) as reader:
        first = reader.side.add(b"first")

        def look() -> None:
            for _ in range(20):
                for start, record in zip(starts[::7], RECORDS[::7], strict=True):
                    if reader.octets(start, len(record.octets)) != record.octets:
                        wrong.append(start)
                if reader.octets(first, 5) != b"first":
                    wrong.append("side")

        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        while (batch := reader.read(3)) is not None:
            reader.side.add(bytes(len(batch)))
        for thread in threads:
            thread.join()
    assert wrong == []


def test_systems_without_positional_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has none: a lock and a seek do the same, whole and followed, file and side store."""
    monkeypatch.delattr(os, "preadv")
    found, _ = read_file(tmp_path / "x", pcap(RECORDS))
    assert len(found) == len(RECORDS)
    found, _ = read_file(tmp_path / "x", gzip.compress(pcap(RECORDS)))
    assert len(found) == len(RECORDS)
    with open_capture(tmp_path / "x") as reader:
        first, second = reader.side.add(b"first"), reader.side.add(b"second")
        assert (reader.octets(first, 5), reader.octets(second, 6)) == (b"first", b"second")


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    """Unpacking leaves nothing behind, even when the process dies: the file never has a name."""

    (tmp_path / "x").write_bytes(gzip.compress(pcap(RECORDS)))
    script = (
        "import os, sys; from cosemscope.capture.files.reader import open_capture; "
        "r = open_capture(sys.argv[1]); r.read(10); os._exit(0)"
    )
    folder = tmp_path / "temporary"
    folder.mkdir()
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(root / "app")}

    subprocess.run([sys.executable, "-c", script, str(tmp_path / "x")], env=environment, check=True)
    assert list(folder.iterdir()) == []


def test_octets_that_come_just_before_the_end_of_following_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that adds its last packet and ends, while a read finds nothing new, must not lose it."""
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap([Record(1, b"first")]))
    with open_capture(path, follow=True) as reader:
        assert reader.read() is not None
        size = OctetFile.size.fget
        assert size is not None

        def interrupted(file: OctetFile) -> int:
            found = int(size(file))
            monkeypatch.undo()
            path.write_bytes(pcap([Record(1, b"first"), Record(2000, b"last")]))
            reader.stop_following()
            return found

        monkeypatch.setattr(OctetFile, "size", property(interrupted))
        assert reader.read() is None
        assert not reader.finished
        batch = reader.read()
        assert batch is not None
        assert batch.time.tolist() == [2000]
        assert reader.read() is None
        assert reader.finished


@pytest.mark.parametrize(
    ("link_type", "name"),
    [
        (147, "USER0"),
        (119, "IEEE 802.11 with Prism header"),
        (230, "IEEE 802.15.4"),
        (4711, "link type 4711"),
    ],
)
def test_packets_that_are_not_opened_are_told(tmp_path: Path, link_type: int, name: str) -> None:
    """By the name of their link type, once, with the place of the first one."""
    path = tmp_path / "x"
    path.write_bytes(pcap([Record(START, b"\x7e\xa0\x07\x03")] * 5, link_type=link_type))
    with open_capture(path) as reader:
        while reader.read(2) is not None:
            pass
        assert [problem.offset for problem in reader.problems] == [24 + 16]
        assert name in reader.problems[0].message


def test_interfaces_without_packets_are_not_told(tmp_path: Path) -> None:
    """A capture on several interfaces declares more than it uses."""
    section = Pcapng()
    blocks = [section.section(), section.interface(1), section.interface(147), section.interface(249)]
    blocks += [section.enhanced(START, b"abc", interface=number) for number in (0, 2, 0, 2)]
    path = tmp_path / "x"
    path.write_bytes(b"".join(blocks))
    with open_capture(path) as reader:
        while reader.read(1) is not None:
            pass
        assert len(reader.problems) == 1
        assert "USB" in reader.problems[0].message
