"""Compressed captures: recognised by content, unpacked as needed, bounded, and readable as far as they go."""

import gzip
import os
from pathlib import Path

import pytest
import zstandard

from cosemscope.capture.files import compression, growing_copy
from cosemscope.capture.files.reader import CaptureError, open_capture
from cosemscope.capture.octets import OctetFile
from tests.helpers.captured import read_file, records_of
from tests.helpers.files import Record, pcap

START = 1_700_000_000_000_000_000
RECORDS = [Record(START + n * 1000, os.urandom(60)) for n in range(4_000)]
WHOLE = pcap(RECORDS)


def zstd(octets: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(octets)


def frames(octets: bytes) -> bytes:
    """Several frames, as `zstd` makes of several files, and one to be skipped before them."""
    skippable = b"\x53\x2a\x4d\x18\x05\0\0\0hello"
    return skippable + zstd(octets[:1000]) + skippable + zstd(octets[1000:])


def members(octets: bytes) -> bytes:
    """Several gzip members, and zeros behind them as tapes have them."""
    return gzip.compress(octets[:1000]) + gzip.compress(b"") + gzip.compress(octets[1000:]) + bytes(512)


def unchecked(octets: bytes) -> bytes:
    """Two frames without a check sum, which is optional."""
    pack = zstandard.ZstdCompressor(write_checksum=False).compress
    return pack(octets[:1000]) + pack(octets[1000:])


def hollow(octets: bytes) -> bytes:
    """Frames without contents before, between and behind others, with a check sum and without."""
    nothing = zstd(b"") + unchecked(b"")
    return nothing + unchecked(octets[:1000]) + nothing + zstd(octets[1000:]) + nothing


@pytest.mark.parametrize("pack", [gzip.compress, zstd, unchecked, frames, members, hollow])
def test_compressed_captures_are_read_like_plain_ones(tmp_path: Path, pack) -> None:
    """Whatever the file is called; addresses are those of the unpacked file."""
    plain, _ = read_file(tmp_path / "plain", WHOLE)
    (tmp_path / "x.pcap").write_bytes(pack(WHOLE))
    with open_capture(tmp_path / "x.pcap") as reader:
        assert records_of(reader) == plain
        assert reader.octets(0, 24) == WHOLE[:24]
        assert reader.problems == []
        assert reader.finished
        assert reader.position == reader.size == (tmp_path / "x.pcap").stat().st_size


@pytest.mark.parametrize("pack", [gzip.compress, zstd, unchecked, members])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.9999])
def test_a_compressed_file_cut_short_gives_what_came_before(tmp_path: Path, pack, share: float) -> None:
    """And says so."""
    packed = pack(WHOLE).rstrip(b"\0")
    found, reader = read_file(tmp_path / "x", packed[: int(len(packed) * share)])
    assert len(found) > 4_000 * share - 3_000
    assert [record.octets for record in found[:-1]] == [record.octets for record in RECORDS[: len(found) - 1]]
    assert "ends too soon" in reader.problems[-1].message


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_damage_in_a_compressed_file_is_told(tmp_path: Path, pack) -> None:
    """What was unpacked before it stays."""
    packed = bytearray(pack(WHOLE))
    packed[-6] ^= 0xFF
    found, reader = read_file(tmp_path / "x", bytes(packed))
    assert len(found) > 1_000
    assert "damaged" in reader.problems[-1].message


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("records", [20, 4_000])
def test_a_wrong_check_sum_costs_no_packet(tmp_path: Path, pack, records: int) -> None:
    """It stands behind everything: all there is has been unpacked by then, of a small file too."""
    packed = bytearray(pack(pcap(RECORDS[:records])))
    packed[-5 if pack is gzip.compress else -1] ^= 0xFF
    found, reader = read_file(tmp_path / "x", bytes(packed))
    assert [record.octets for record in found] == [record.octets for record in RECORDS[:records]]
    assert "damaged" in reader.problems[-1].message


@pytest.mark.parametrize("pack", [gzip.compress, zstd, unchecked])
def test_octets_behind_the_end_cost_no_packet(tmp_path: Path, pack) -> None:
    """They are told."""
    found, reader = read_file(tmp_path / "x", pack(pcap(RECORDS[:20])) + b"more")
    assert len(found) == 20
    assert "damaged" in reader.problems[-1].message


@pytest.mark.parametrize(("setting", "words"), [("window", "memory"), ("dictionary", "dictionary")])
def test_what_zstandard_needs_to_unpack_is_named(tmp_path: Path, setting: str, words: str) -> None:
    """A window larger than what is granted, a dictionary that is not at hand: neither is damage."""
    if setting == "window":
        parameters = zstandard.ZstdCompressionParameters(window_log=28)
        packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        packed = packer.compress(WHOLE) + packer.flush()
    else:
        trained = zstandard.train_dictionary(4096, [record.octets * 3 for record in RECORDS[:400]])
        packed = zstandard.ZstdCompressor(dict_data=trained).compress(WHOLE)
    with pytest.raises(CaptureError, match=words):
        read_file(tmp_path / "x", packed)


@pytest.mark.parametrize("pack", [gzip.compress, zstd, unchecked])
@pytest.mark.parametrize("bound", ["RATIO_FREE", "MAX_COPIED"])
def test_a_bomb_ends_in_an_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pack,
    bound: str,
) -> None:
    """The temporary file stays within the bound, the packets before the bomb stay readable."""
    monkeypatch.setattr(growing_copy if bound == "MAX_COPIED" else compression, bound, 1 << 20)
    monkeypatch.setattr(compression, "MAX_RATIO", 40)
    made: list[OctetFile] = []
    temporary = OctetFile.temporary
    monkeypatch.setattr(OctetFile, "temporary", lambda: made.append(temporary()) or made[-1])
    (tmp_path / "x").write_bytes(pack(pcap(RECORDS[:100]) + bytes(64 << 20)))
    with open_capture(tmp_path / "x") as reader:
        found = records_of(reader)
        assert len(found) == 100
        assert "not taken for a capture" in reader.problems[-1].message
        assert [file.size <= (1 << 20) + (1 << 20) for file in made] == [True]
        assert reader.finished


def test_a_full_disk_ends_in_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is never filled to the last octet."""
    monkeypatch.setattr(growing_copy, "MIN_FREE_DISK", 1 << 60)
    with pytest.raises(CaptureError, match="disk has no room"):
        read_file(tmp_path / "x", gzip.compress(WHOLE))


def test_compressed_octets_that_are_no_capture(tmp_path: Path) -> None:
    """Named by their first octets, not by the compression's."""
    with pytest.raises(CaptureError, match="68 65 6c 6c"):
        read_file(tmp_path / "x", gzip.compress(b"hello"))
    with pytest.raises(CaptureError, match="ends too soon"):
        read_file(tmp_path / "x", gzip.compress(WHOLE)[:11])


@pytest.mark.parametrize("pack", [zstd, unchecked, frames])
def test_long_runs_of_one_octet(tmp_path: Path, pack) -> None:
    """Blocks that hold one octet for many, between others."""
    octets = [bytes(250_000), bytes(range(256)) * 40, b"\xff" * 250_000, b"x", bytes(250_000)]
    whole = pcap([Record(1_700_000_000_000_000_000 + n, each) for n, each in enumerate(octets)])
    packed = pack(whole)
    assert len(packed) < len(whole) // 50
    found, reader = read_file(tmp_path / "x", packed)
    assert [record.octets for record in found] == octets
    assert reader.problems == []
    assert reader.position == len(packed)
