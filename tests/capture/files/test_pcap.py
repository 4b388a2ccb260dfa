"""pcap files: every variant, exact times, and what damage leaves readable."""

import struct
from pathlib import Path

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.files.pcap import USUAL_SNAP_LENGTH
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.record_walk import MAX_PROBLEMS
from cosemscope.capture.records import CaptureError
from tests.helpers.captured import Captured, read_file, records_of
from tests.helpers.files import MICRO, MODIFIED, NANO, Record, pcap

START = 1_700_000_000_000_000_000
RECORDS = [Record(START + n * 1_234_567_000, bytes(range(40 + n)), 100 + n) for n in range(20)]


def told(records: list[Record]) -> list[Captured]:
    return [Captured(record.time, record.octets, record.length, 0) for record in records]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [MICRO, NANO, MODIFIED])
def test_every_variant_is_read(tmp_path: Path, order: str, magic: int) -> None:
    """Byte order, time unit and record header follow the magic number."""
    found, reader = read_file(tmp_path / "x", pcap(RECORDS, order=order, magic=magic, link_type=113))
    assert found == told(RECORDS)
    assert [(i.link_type, i.snap_length) for i in reader.interfaces] == [(113, 262_144)]
    assert reader.problems == []
    assert reader.finished


def test_nanoseconds_are_exact(tmp_path: Path) -> None:
    """No time goes through a float: neighbouring nanoseconds stay apart."""
    records = [Record(START + n, b"x") for n in (0, 1, 2, 999_999_999)]
    found, _ = read_file(tmp_path / "x", pcap(records, magic=NANO))
    assert [record.time for record in found] == [record.time for record in records]


def test_upper_bits_of_the_link_type_are_no_part_of_it(tmp_path: Path) -> None:
    """They tell the length of the frame check sequence."""
    _, reader = read_file(tmp_path / "x", pcap(RECORDS, link_type=0x5400_0001))
    assert reader.interfaces[0].link_type == 1


@given(
    st.lists(st.tuples(st.integers(0, 2**32 * 10**9 - 1), st.binary(max_size=300)), max_size=30),
    st.sampled_from("<>"),
    st.integers(1, 7),
)
def test_agrees_with_dpkt(tmp_path_factory: pytest.TempPathFactory, packets, order, limit) -> None:
    """Another reader finds the same packets, whatever the batches."""
    path = tmp_path_factory.mktemp("pcap") / "x"
    records = [Record(max(time, 10**9) // 1000 * 1000, octets) for time, octets in packets]
    path.write_bytes(pcap(records, order=order))
    with path.open("rb") as file:
        theirs = [(time, octets) for time, octets in dpkt.pcap.Reader(file)]
    found, reader = read_file(path, path.read_bytes())
    assert [record.octets for record in found] == [octets for _, octets in theirs]
    for record, (time, _) in zip(found, theirs, strict=True):
        assert abs(record.time / 1e9 - float(time)) < 1e-5
    assert reader.problems == []


@pytest.mark.parametrize("magic", [MICRO, MODIFIED])
def test_a_file_cut_anywhere_gives_what_is_there(tmp_path: Path, magic: int) -> None:
    """Whole records stay, the last one is given as far as it goes, the problem has its header's offset."""
    records = RECORDS[:3]
    whole = pcap(records, magic=magic)
    starts = [len(pcap(records[:n], magic=magic)) for n in range(4)]
    header = starts[1] - starts[0] - len(records[0].octets)
    for size in range(len(whole) + 1):
        if size < 24:
            with pytest.raises(CaptureError):
                read_file(tmp_path / "x", whole[:size])
            continue
        found, reader = read_file(tmp_path / "x", whole[:size])
        complete = sum(1 for start in starts[1:] if start <= size)
        left = size - starts[complete]
        assert found[:complete] == told(records)[:complete]
        assert [record.octets for record in found[complete:]] == (
            [records[complete].octets[: left - header]] if left > header else []
        )
        assert [problem.offset for problem in reader.problems] == ([starts[complete]] if left else [])


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_impossible_length_is_skipped_to_the_next_record(tmp_path: Path, order: str) -> None:
    """One damaged length costs one packet; the problem says where and how much was skipped."""
    octets = bytearray(pcap(RECORDS, order=order))
    at = len(pcap(RECORDS[:5]))
    struct.pack_into(order + "I", octets, at + 8, 0xFFFF_0000)
    found, reader = read_file(tmp_path / "x", bytes(octets))
    assert found == told(RECORDS[:5] + RECORDS[6:])
    assert [(p.offset, str(16 + 45) in p.message) for p in reader.problems] == [(at, True)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("claimed", [900, 200_000])
def test_a_length_greater_than_the_packets_is_not_followed(tmp_path: Path, order: str, claimed: int) -> None:
    """Neither into the midst of later records nor beyond the end of the file: only that record is lost."""
    octets = bytearray(pcap(RECORDS, order=order))
    at = 24 + sum(16 + len(record.octets) for record in RECORDS[:5])
    struct.pack_into(order + "I", octets, at + 8, claimed)
    found, reader = read_file(tmp_path / "x", bytes(octets))
    assert found == told(RECORDS[:5] + RECORDS[6:])
    assert [problem.offset for problem in reader.problems] == [at]


@pytest.mark.parametrize("claimed", [71, 200, 1_000])
@pytest.mark.parametrize("number", [0, 1, 6, 19])
def test_damage_costs_the_same_however_many_records_are_read_at_once(
    tmp_path: Path, number: int, claimed: int
) -> None:
    """A length greater than the packet's is not believed where it leads to what is no record."""
    octets = bytearray(pcap(RECORDS))
    at = 24 + sum(16 + len(record.octets) for record in RECORDS[:number])
    struct.pack_into("<II", octets, at + 8, claimed, 60)
    whole, reader = read_file(tmp_path / "x", bytes(octets))
    for most in (1, 2, 7):
        found, other = read_file(tmp_path / "x", bytes(octets), most)
        assert (found, other.problems) == (whole, reader.problems), most


def test_one_bogus_record_does_not_cost_the_rest(tmp_path: Path) -> None:
    """A second file header in the midst looks like a record of another year: what follows is read."""
    octets = pcap(RECORDS) + pcap(RECORDS)[:24] + pcap(RECORDS)[24:]
    found, _ = read_file(tmp_path / "x", octets)
    assert found[:20] == told(RECORDS)
    assert found[-18:] == told(RECORDS[2:])


@pytest.mark.parametrize("junk", [b"\0" * 5_000, b"\xff" * 5_001, b"DLMS" * 70_000])
def test_octets_that_are_no_records_are_skipped(tmp_path: Path, junk: bytes) -> None:
    """Zeros of a lost disk block or anything else between records; the rest is found again."""
    octets = pcap(RECORDS[:5]) + junk + pcap(RECORDS[5:])[24:]
    found, reader = read_file(tmp_path / "x", octets)
    assert found == told(RECORDS)
    assert [problem.offset for problem in reader.problems] == [len(pcap(RECORDS[:5]))]


def test_packets_of_nearly_a_gigabyte_are_not_believed(tmp_path: Path) -> None:
    """A length from the file makes nothing big be read or kept."""
    octets = pcap(RECORDS[:1]) + struct.pack("<IIII", 1_700_000_000, 0, 0x3FFF_FFFF, 0x3FFF_FFFF) + bytes(100)
    found, reader = read_file(tmp_path / "x", octets)
    assert len(found) == 1
    assert len(reader.problems) == 1


def test_packets_longer_than_the_snap_length_are_read(tmp_path: Path) -> None:
    """Many files lie about it; libpcap's own bound counts."""
    records = [Record(START, bytes(USUAL_SNAP_LENGTH))]
    assert read_file(tmp_path / "x", pcap(records, snap=96))[0] == told(records)


def test_a_file_of_nothing_but_damage_ends(tmp_path: Path) -> None:
    """Damaged in very many places: the list of problems is bounded."""
    good = pcap([Record(START, b"12345678")])[24:]
    octets = pcap([]) + (good * 2 + b"\xff" * 20) * 3_000
    found, reader = read_file(tmp_path / "x", octets)
    assert len(found) == 6_000
    assert len(reader.problems) == MAX_PROBLEMS + 1


@given(st.binary(max_size=400), st.integers(0, 2000), st.integers(0, 400))
def test_any_damage_ends(tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int, gone: int) -> None:
    """Whatever is overwritten, inserted or taken out: reading ends, and records before the damage stay."""
    whole = pcap(RECORDS)
    at = 24 + at % (len(whole) - 24)
    found, _ = read_file(tmp_path_factory.mktemp("pcap") / "x", whole[:at] + junk + whole[at + gone :])
    before = sum(1 for n in range(20) if len(pcap(RECORDS[: n + 1])) <= at)
    assert found[:before] == told(RECORDS[:before])


def with_fractions(records: list[Record], fractions: dict[int, int], order: str, magic: int) -> bytes:
    """A file whose records of these numbers have these fractions of a second."""
    octets = bytearray(pcap(records, order=order, magic=magic))
    for number, fraction in fractions.items():
        struct.pack_into(order + "I", octets, len(pcap(records[:number], magic=magic)) + 4, fraction)
    return bytes(octets)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [MICRO, NANO, MODIFIED])
@pytest.mark.parametrize("fraction", [1_000_000_000, 0xFFFF_FFFF])
@pytest.mark.parametrize("numbers", [(0,), (5,), (19,), (3, 4, 9), tuple(range(20))])
def test_fractions_of_more_than_a_second_cost_no_packet(
    tmp_path: Path, order: str, magic: int, fraction: int, numbers: tuple[int, ...]
) -> None:
    """A whole packet with an odd time is read, with that time; one problem tells of all of them."""
    octets = with_fractions(RECORDS, dict.fromkeys(numbers, fraction), order, magic)
    tick = 1 if magic == NANO else 1000
    wanted = [
        record._replace(time=record.time // 10**9 * 10**9 + fraction * tick) if n in numbers else record
        for n, record in enumerate(RECORDS)
    ]
    for limit in (65_536, 1, 3):
        found, reader = read_file(tmp_path / "x", octets, limit)
        assert found == told(wanted)
        ((offset, message, _),) = reader.problems
        assert offset == len(pcap(RECORDS[: numbers[0]], magic=magic))
        assert f"{len(numbers)} packet" in message


def test_fractions_of_a_second_and_more_are_told_in_microseconds(tmp_path: Path) -> None:
    """Nanoseconds in a file that says microseconds: read as they stand, but not without a word."""
    found, reader = read_file(tmp_path / "x", with_fractions(RECORDS, {7: 1_000_000}, "<", MICRO))
    assert found[7].time == RECORDS[7].time // 10**9 * 10**9 + 10**9
    assert len(found) == 20
    assert [problem.offset for problem in reader.problems] == [len(pcap(RECORDS[:7]))]


def test_odd_fractions_before_damage_are_no_packets(tmp_path: Path) -> None:
    """Only the record behind shows that one with an odd time is whole: without it, it is searched past."""
    octets = bytearray(with_fractions(RECORDS, {5: 0xFFFF_FFFF}, "<", MICRO))
    struct.pack_into("<I", octets, len(pcap(RECORDS[:5])) + 8, 44)
    found, reader = read_file(tmp_path / "x", bytes(octets))
    assert found == told(RECORDS[:5] + RECORDS[6:])
    assert [problem.offset for problem in reader.problems] == [len(pcap(RECORDS[:5]))]


def test_records_are_found_behind_damage_where_all_times_are_odd(tmp_path: Path) -> None:
    """The search knows what the fractions of the file are like."""
    octets = with_fractions(RECORDS, dict.fromkeys(range(20), 999_999_999), "<", MICRO)
    at = len(pcap(RECORDS[:5]))
    found, reader = read_file(tmp_path / "x", octets[:at] + bytes(5_000) + octets[at:])
    assert [record.octets for record in found] == [record.octets for record in RECORDS]
    assert len(reader.problems) == 2


def test_a_packet_with_nanoseconds_for_microseconds_is_given_as_far_as_it_goes(tmp_path: Path) -> None:
    """Its time is no reason to lose it."""
    octets = with_fractions(RECORDS, dict.fromkeys(range(20), 999_999_999), "<", MICRO)[:-10]
    found, reader = read_file(tmp_path / "x", octets)
    assert [len(record.octets) for record in found] == [*range(40, 59), 49]
    assert len(reader.problems) == 2


@pytest.mark.parametrize("limit", [65_536, 1, 2, 3])
def test_odd_seconds_and_fractions_are_vouched_for_by_the_first_packet(tmp_path: Path, limit: int) -> None:
    """A packet of another year with an odd fraction stands before one near the first; in any batches."""
    records = [RECORDS[0], *(Record(n * 10**17, RECORDS[n].octets, 99) for n in (1, 2)), *RECORDS[3:5]]
    octets = with_fractions(records, {2: 10**9}, "<", MICRO)
    found, reader = read_file(tmp_path / "x", octets, limit)
    assert [record.octets for record in found] == [record.octets for record in records]
    assert len(reader.problems) == 1


def test_odd_times_in_a_file_that_grows(tmp_path: Path) -> None:
    """Whatever has been written when it is looked at, all packets come in the end."""
    octets = with_fractions(RECORDS, dict.fromkeys(range(0, 20, 3), 10**9), "<", MICRO)
    path = tmp_path / "x"
    path.write_bytes(octets[:24])
    with open_capture(path, follow=True) as reader, path.open("ab", buffering=0) as file:
        found = []
        for at in range(24, len(octets), 37):
            file.write(octets[at : at + 37])
            found += records_of(reader)
        reader.stop_following()
        found += records_of(reader)
    assert [record.octets for record in found] == [record.octets for record in RECORDS]
    assert len(reader.problems) == 1


OLD = [(2, 0), (2, 1), (2, 2), (543, 0)]


def old(records: list[Record], version: tuple[int, int], order: str, swapped: list[bool]) -> bytes:
    """A file of an old version: where `swapped`, the length on the wire stands before the captured one."""
    octets = bytearray(pcap(records, order=order))
    struct.pack_into(order + "HH", octets, 4, *version)
    for number, (record, swap) in enumerate(zip(records, swapped, strict=True)):
        lengths = (len(record.octets), record.length)
        struct.pack_into(
            order + "II", octets, len(pcap(records[:number])) + 8, *(lengths[::-1] if swap else lengths)
        )
    return bytes(octets)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", OLD)
def test_old_versions_have_the_lengths_the_other_way_round(
    tmp_path: Path, order: str, version: tuple[int, int]
) -> None:
    """Up to version 2.2, and in DG/UX's 543.0, the length on the wire comes first."""
    found, reader = read_file(tmp_path / "x", old(RECORDS, version, order, [True] * 20))
    assert found == told(RECORDS)
    assert reader.problems == []


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("swapped", [[True] * 20, [False] * 20, [n % 3 == 0 for n in range(20)]])
def test_version_2_3_has_them_either_way(tmp_path: Path, order: str, swapped: list[bool]) -> None:
    """The shorter length is the captured one, record by record."""
    found, reader = read_file(tmp_path / "x", old(RECORDS, (2, 3), order, swapped))
    assert found == told(RECORDS)
    assert reader.problems == []


@pytest.mark.parametrize("version", [*OLD, (2, 3)])
def test_damage_and_a_cut_in_old_versions(tmp_path: Path, version: tuple[int, int]) -> None:
    """What follows damage is found again, and the last packet is given as far as it goes."""
    octets = bytearray(old(RECORDS, version, "<", [True] * 20))
    at = len(pcap(RECORDS[:5]))
    struct.pack_into("<II", octets, at + 8, 0xFFFF_FF00, 0xFFFF_FF00)
    found, reader = read_file(tmp_path / "x", bytes(octets[:-9]))
    cut = RECORDS[19]._replace(octets=RECORDS[19].octets[:-9], original=119)
    assert found == told([*RECORDS[:5], *RECORDS[6:19], cut])
    assert [problem.offset for problem in reader.problems] == [at, len(pcap(RECORDS[:19]))]


@pytest.mark.parametrize("version", [(2, 2), (2, 3), (543, 0)])
def test_many_records_of_an_old_version(tmp_path: Path, version: tuple[int, int]) -> None:
    """The chain of many records at once is that of the captured lengths too."""
    records = [Record(START + n * 1_000, bytes(60), 80 + n % 7) for n in range(5_000)]
    head = struct.pack("<IHHiIII", MICRO, *version, 0, 0, 65_535, 1)
    out = [head]
    for record in records:
        seconds, rest = divmod(record.time, 10**9)
        out.append(struct.pack("<IIII", seconds, rest // 1000, record.length, 60) + record.octets)
    found, reader = read_file(tmp_path / "x", b"".join(out))
    assert found == told(records)
    assert reader.problems == []
