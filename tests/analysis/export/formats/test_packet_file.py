"""Exported packets are the captured ones: read back by our reader and by tshark, without complaint."""

import json
from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.exports import Order
from cosemscope.analysis.export.formats.packet_file import write_packets
from cosemscope.analysis.export.tables.packet_choice import chosen_packets
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.packets.packet_row import SYN
from tests.helpers.exported import sample, subject_of, written
from tests.helpers.files import Pcapng, Record, pcap
from tests.helpers.packets import ethernet, ipv4, udp
from tests.helpers.tshark import tshark
from tests.helpers.wire import Tcp, Wire, wpdu

GET = wpdu(bytes.fromhex("c001c100030100010800ff0200"))
ANSWER = wpdu(bytes.fromhex("c401c1000600001391"), 1, 16)
#: Columns of a packet that do not depend on where it lies in its file.
COLUMNS = ("time", "captured", "original", "interface", "protocol", "seq", "ack", "flags", "payload_captured")


def both(
    path: Path, out: Path, rows: list[int] | None, **order: bool
) -> tuple[Analysis, Analysis, np.ndarray]:
    """The analysis of a capture, of what is exported of it, and the packets that were."""
    with subject_of(path, rows) as subject:
        out.write_bytes(written(subject, Order("pcapng", **order)))
        packets = chosen_packets(subject, handshakes=order.get("handshakes", False))
        octets = octets_of(subject.analysis, packets)
        with open_capture(out) as reader:
            again = Analysis(reader).run()
            assert octets_of(again, np.arange(len(again.packets))) == octets
            assert reader.problems == []
        return subject.analysis, again, packets


def octets_of(analysis: Analysis, packets: np.ndarray) -> list[bytes]:
    """The captured octets of these packets."""
    places = (analysis.packets[name][packets].tolist() for name in ("offset", "captured"))
    return list(map(analysis.reader.octets, *places))


@pytest.mark.parametrize("name", ["first-look", "faults", "push"])
@pytest.mark.parametrize("step", [1, 2, 7])
def test_packets_are_those_that_were_captured(tmp_path: Path, name: str, step: int) -> None:
    """Octets, times, interfaces, in the order of the file; tshark has nothing to say against it."""
    path, _ = sample(name)
    out = tmp_path / "out.pcapng"
    with open_capture(path) as reader:
        total = len(Analysis(reader).run().wpdus)
    rows = None if step == 1 else list(range(0, total, step))
    before, after, packets = both(path, out, rows)
    for column in COLUMNS:
        assert np.array_equal(after.packets[column], before.packets[column][packets]), column
    assert len(tshark(out)) == len(packets)
    times = tshark(out, "-T", "fields", "-e", "frame.time_epoch")
    assert [time.replace(".", "") for time in times] == [str(time) for time in after.packets["time"].tolist()]
    if step == 1:
        assert len(after.wpdus) == total
        assert np.array_equal(after.wpdus["time"], before.wpdus["time"])


def test_comments_names_interfaces_and_resolutions_stay(tmp_path: Path) -> None:
    """Of several interfaces with stamps of their own, and several comments on a packet."""
    b = Pcapng()
    frame = ethernet(ipv4(udp(GET), 17))
    seconds = 1_700_000_000
    path, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    path.write_bytes(
        b.section((3, b"OS 1"), (1, "Prüfung".encode()))
        + b.interface(1, 0, (2, b"eth0"), (9, b"\x06"), (11, b"\0tcp port 4059"))
        + b.interface(1, 500, (2, b"eth1"), (3, b"behind the switch"), (9, b"\x03"))
        + b.interface(1, 0, (9, b"\x09"), (14, b.number(3600, 8)))
        + b.names((1, bytes([10, 0, 0, 1]) + b"meter-17\0"), (2, bytes(15) + b"\1host\0"))
        + b.enhanced(seconds * 10**6 + 250, frame, (1, b"first"), (1, b"second\nline"))
        + b.enhanced(seconds * 10**3 + 5, frame, interface=1)
        + b.enhanced((seconds - 3590) * 10**9 + 7, frame, interface=2)
    )
    before, after, _ = both(path, out, None)
    assert after.reader.comments == {0: ("first", "second\nline")} == before.reader.comments
    assert after.reader.names == before.reader.names
    assert after.reader.interfaces == before.reader.interfaces
    assert after.packets["time"].tolist() == before.packets["time"].tolist()
    assert after.reader.sections[0].operating_system == "OS 1"
    assert after.reader.sections[0].comment.startswith("Prüfung")
    assert tshark(out, "-Y", "frame.number == 1", "-T", "fields", "-e", "frame.interface_name") == ["eth0"]


def test_stamps_finer_than_nanoseconds_become_these(tmp_path: Path) -> None:
    """And binary ones: what is written is what is shown."""
    b = Pcapng()
    frame = ethernet(ipv4(udp(GET), 17))
    path, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    path.write_bytes(
        b.section()
        + b.interface(1, 0, (9, b"\x8a"))
        + b.enhanced((1_700_000_000 << 10) + 3, frame)
        + b.interface(1, 0, (9, b"\x0c"))
        + b.enhanced(10_000_000 * 10**12 + 1999, frame, interface=1)
    )
    before, after, _ = both(path, out, None)
    assert after.packets["time"].tolist() == before.packets["time"].tolist()


def connections() -> Wire:
    """Two connections from handshake to end, each with a request and an answer in two segments."""
    wire = Wire()
    for port in (50001, 50002):
        stream = Tcp(wire, ("10.0.0.1", port), ("10.0.0.2", 4059)).handshake()
        stream.say(0, GET)
        stream.say(1, ANSWER[:5])
        stream.say(1, ANSWER[5:])
        stream.close()
    return wire


def test_handshakes_come_on_demand(tmp_path: Path) -> None:
    """Only those of the connections whose WPDUs are left; else the packets with octets alone."""
    path = connections().capture(tmp_path / "wire.pcap")
    before, after, packets = both(path, tmp_path / "bare.pcapng", [1])
    assert len(packets) == 2
    assert len(after.wpdus) == 1
    before, after, packets = both(path, tmp_path / "whole.pcapng", [1], handshakes=True)
    streams = set(before.packet_streams["stream"][packets].tolist())
    assert streams == {int(before.wpdus["stream"][1])}
    assert int(((after.packets["flags"] & SYN) > 0).sum()) == 2
    assert len(packets) >= 5
    assert after.streams["start_seen"].tolist() == [1]


def test_all_fragments_of_a_datagram_come_along(tmp_path: Path) -> None:
    """A WPDU in three IP fragments is whole again in what was exported of it."""
    b = Pcapng()
    apdu = bytes.fromhex("c401c1000982012c") + bytes(300)
    datagram = udp(wpdu(apdu, 1, 16), 4059, 4059)
    pieces = [datagram[at : at + 128] for at in range(0, len(datagram), 128)]
    frames = [
        ethernet(ipv4(piece, 17, number=77, fragment=place * 16 | (place < len(pieces) - 1) << 13))
        for place, piece in enumerate(pieces)
    ]
    other = ethernet(ipv4(udp(GET), 17))
    path, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    blocks = [
        b.enhanced(1_700_000_000_000_000 + place, frame)
        for place, frame in enumerate([other, *frames, other])
    ]
    path.write_bytes(b.section() + b.interface() + b"".join(blocks))
    before, after, packets = both(path, out, [1])
    assert packets.tolist() == [1, 2, 3]
    assert after.wpdus["length"].tolist() == [before.wpdus["length"][1]]
    assert len(tshark(out)) == 3


def test_packets_say_which_wpdus_they_carry() -> None:
    """As a table, for all packets and for those that are left."""
    path, keys = sample()
    for rows in (None, [3, 5, 8]):
        with subject_of(path, rows, keys) as subject:
            told = json.loads(written(subject, Order("json", "packets")))
            wanted: dict[int, list[int]] = {}
            for row in subject.wpdus.tolist():
                for packet in subject.analysis.packets_of(row).tolist():
                    wanted.setdefault(packet + 1, []).append(row + 1)
            assert {one["frame.number"]: one["wpdus"] for one in told if one["wpdus"]} == wanted
            assert len(told) == (len(subject.analysis.packets) if rows is None else len(wanted))


def test_packets_of_all_files_of_a_ring_are_written(tmp_path: Path) -> None:
    """Those that lie behind the end of a file are not lost."""
    frames = [ethernet(ipv4(udp(GET, 4000 + number, 4059))) for number in range(9)]
    for number in range(3):
        records = [Record(place * 10**9, frames[place]) for place in range(number * 3, number * 3 + 3)]
        (tmp_path / f"x_{number + 1:05}_20261101000000.pcap").write_bytes(pcap(records))
    out = tmp_path / "out.pcapng"
    with CaptureSequence(tmp_path / "x_00001_20261101000000.pcap") as ring, out.open("wb") as file:
        analysis = Analysis(ring).run()
        assert write_packets(analysis, np.arange(9), file) == 0
    with open_capture(out) as reader:
        assert octets_of(Analysis(reader).run(), np.arange(9)) == frames
