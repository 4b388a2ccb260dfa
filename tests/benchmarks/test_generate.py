"""Large captures: the truth that is written beside them is what is in them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.benchmarks.generate import generate, truth_path
from tests.helpers.plain_reader import PlainReading, frames
from tests.helpers.tshark import tshark

PACKETS = 12_000
NAMES = {0x60: "AARQ", 0x61: "AARE", 0x62: "RLRQ", 0x63: "RLRE", 0xC0: "get-request", 0xC4: "get-response"}


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.pcap"
    generate(path, PACKETS)
    return path


def test_the_truth_is_in_the_file(capture: Path) -> None:
    """A reader that shares no code with the engine or the generator finds what the truth says."""
    truth = json.loads(truth_path(capture).read_text())
    found = PlainReading(capture)
    assert sum(1 for _ in frames(capture)) == truth["packets"] == PACKETS
    assert capture.stat().st_size == truth["octets"]
    tags = Counter(NAMES.get(one.apdu[0], "data-notification") for one in found.wpdus)
    assert dict(tags) == truth["apdu_tags"]
    assert len(found.wpdus) == truth["wpdus"]
    assert (found.retransmissions, found.out_of_order) == (truth["retransmissions"], truth["out_of_order"])
    assert found.missing_octets == truth["missing_bytes"] == 0


def test_the_mix_is_the_one_that_is_promised(capture: Path) -> None:
    """Splits, swaps, repeats and shared segments must be there in their shares."""
    truth = json.loads(truth_path(capture).read_text())
    answers = truth["apdu_tags"]["get-response"]
    assert truth["connections"] == PACKETS * 0.004
    assert truth["split_answers"] / answers == pytest.approx(0.08, rel=0.2)
    assert truth["shared_segments"] / answers == pytest.approx(0.0266, rel=0.4)
    data_segments = truth["wpdus"] + truth["split_answers"] - truth["shared_segments"]
    out_of_place = truth["retransmissions"] + truth["out_of_order"]
    assert out_of_place / data_segments == pytest.approx(0.01, rel=0.5)
    assert truth["split_headers"] > 0
    assert truth["unanswered"] > 0


def test_the_same_seed_gives_the_same_file(capture: Path, tmp_path: Path) -> None:
    """Figures can only be compared when they are about the same capture; another seed is another capture."""
    again, other = tmp_path / "again.pcap", tmp_path / "other.pcap"
    generate(again, PACKETS)
    generate(other, PACKETS, seed=1)
    assert again.read_bytes() == capture.read_bytes() != other.read_bytes()


def test_tshark_finds_true_checksums_and_as_many_faults(capture: Path) -> None:
    """Checksums are right; tshark flags as many segments as are out of place, if not by kind."""
    assert tshark(capture, "-Y", "ip.checksum.status == 0 || tcp.checksum.status == 0 || _ws.malformed") == []
    truth = json.loads(truth_path(capture).read_text())
    flagged = tshark(capture, "-Y", "tcp.analysis.retransmission || tcp.analysis.out_of_order")
    assert len(flagged) == truth["retransmissions"] + truth["out_of_order"]
