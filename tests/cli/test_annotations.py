"""What a pcapng says of its packets and addresses is printed: comments, names, drops."""

import json
import socket
from pathlib import Path

import pytest

from cosemscope.cli import main
from tests.helpers.files import Pcapng
from tests.helpers.packets import A4, B4, ethernet, ipv4, udp

WPDU = bytes.fromhex("000100010010000d c001c100080000010000ff0200")


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Two datagrams, the second with a comment; one end has a name; the interface lost packets."""
    b = Pcapng()
    frame = ethernet(ipv4(udp(WPDU), 17))
    path = tmp_path / "commented.pcapng"
    path.write_bytes(
        b.section()
        + b.interface()
        + b.names((1, socket.inet_aton(B4) + b"meter-17\0"))
        + b.enhanced(1_700_000_000_000_000, frame)
        + b.enhanced(1_700_000_000_100_000, frame, (1, b"why twice?\n\x1b[31mred"))
        + b.statistics(0, 1_700_000_001_000_000, (4, b.number(9, 8)), (5, b.number(7, 8)))
    )
    return path


def test_show_prints_the_comments_of_its_packets(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the packet's number; what would control the terminal is escaped."""
    assert main(["show", str(capture), "2"]) == 0
    printed = capsys.readouterr().out
    assert "comment on packet 2: why twice?\n  \\x1b[31mred\n" in printed
    assert main(["show", str(capture), "1"]) == 0
    assert "comment" not in capsys.readouterr().out
    assert main(["show", "--json", str(capture), "2"]) == 0
    assert json.loads(capsys.readouterr().out)["comments"] == [
        {"packet": 2, "comment": "why twice?\n\x1b[31mred"}
    ]


def test_sessions_names_peers_and_stats_counts_drops(
    capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names beside addresses, in text; the packets that the interface dropped."""
    assert main(["sessions", str(capture)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"{A4} - meter-17 ({B4})"
    assert main(["stats", "--json", str(capture)]) == 0
    assert json.loads(capsys.readouterr().out)["dropped_packets"] == 7
