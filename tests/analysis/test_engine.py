"""The whole engine on real captures, and on files that grow or are cut."""

import shutil
from pathlib import Path

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.framing import Framing
from tests.helpers import traffic_apdus as a
from tests.helpers.busy_wires import busy_wire
from tests.helpers.shared import shared
from tests.helpers.wire import (
    Tcp,
    Wire,
    analyse,
    contents,
    found_items,
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


def test_a_file_that_grows_gives_the_rows_of_the_whole_file(tmp_path: Path) -> None:
    """Live and offline are one code: fed in small pieces, cut anywhere, the rows are those of the file."""
    wire = busy_wire(3)
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
    wire = busy_wire(5)
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
    busy_wire(1).capture(tmp_path / "a.pcap")
    shutil.copy(tmp_path / "a.pcap", tmp_path / "b.pcap")
    with open_capture(tmp_path / "b.pcap") as reader:
        analysis = Analysis(reader)
        assert analysis.progress[0] < analysis.progress[1]
        analysis.run()
        assert analysis.progress == ((tmp_path / "b.pcap").stat().st_size,) * 2


def test_an_exception_is_given_away_again_when_its_request_gets_an_answer(tmp_path: Path) -> None:
    """Whoever asked for exchanges in between gets in the end what a capture gives at once."""
    connection = Tcp(Wire()).handshake()
    for invoke in (0xC1, 0xC2, 0xC3):
        connection.say(0, wpdu(a.get_request(invoke, 3, "1.0.1.8.0.255"), 16, 1))
    for apdu in (a.exception_response(1, 2), a.get_error(0xC1, 0), a.get_error(0xC3, 0)):
        connection.say(1, wpdu(apdu, 1, 16))
    path = connection.wire.capture(tmp_path / "made.pcap")
    with open_capture(path) as reader:
        analysis = Analysis(reader)
        seen = []
        while analysis.step(1):
            seen.append(analysis.pair().of["exchange"].tolist())
        analysis.finish()
        seen.append(analysis.pair().of["exchange"].tolist())
    assert [0, 1, 2, 0] in seen
    assert seen[-1] == [0, 1, 2, 1, 0, 2]
