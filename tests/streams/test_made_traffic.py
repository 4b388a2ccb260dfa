"""The engine against made traffic whose truth is known: samples, and random sessions with random faults."""

from collections import Counter
from pathlib import Path

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.plain_reader import PlainWpdu
from tests.helpers.traffic import Traffic, Truth
from tests.helpers.traffic_random import random_traffic
from tests.helpers.traffic_samples import CAPTURES


def whole_wpdus(analysis: Analysis) -> Counter[PlainWpdu]:
    """The whole WPDUs in the wrapper's framing that the engine found."""
    found: Counter[PlainWpdu] = Counter()
    wpdus = analysis.wpdus
    for row in range(len(wpdus)):
        if wpdus["marks"][row] & Mark.TRUNCATED or wpdus["framing"][row] != Framing.WRAPPER:
            continue
        stream = int(wpdus["stream"][row])
        ends = analysis.endpoints(stream)
        source, destination = ends if wpdus["direction"][row] == 0 else ends[::-1]
        protocol = "tcp" if analysis.streams["protocol"][stream] == 6 else "udp"
        wports = int(wpdus["source_wport"][row]), int(wpdus["destination_wport"][row])
        found[PlainWpdu(protocol, str(source), str(destination), *wports, analysis.octets(row)[8:])] += 1
    return found


def true_wpdus(truth: Truth) -> Counter[PlainWpdu]:
    return Counter(PlainWpdu(*one[1:]) for one in truth.wpdus)


def analysed(traffic: Traffic, path: Path) -> tuple[Counter[PlainWpdu], dict[str, int]]:
    traffic.write(path)
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        return whole_wpdus(analysis), analysis.statistics()


def tcp_counts(truth: Truth) -> dict[str, int]:
    return {
        "retransmissions": truth.retransmissions,
        "out_of_order": truth.out_of_order,
        "missing_bytes": truth.missing_octets,
        "tcp_streams": truth.tcp_connections,
        "udp_flows": truth.udp_flows,
    }


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_on_the_way_every_wpdu_is_found(tmp_path: Path, seed: int) -> None:
    """Splits, swaps, repeats and overlaps change no WPDU; each is counted as what it is."""
    traffic = random_traffic(seed)
    found, statistics = analysed(traffic, tmp_path / "random.pcapng")
    assert found == true_wpdus(traffic.truth)
    wanted = tcp_counts(traffic.truth)
    # What comes again within a millisecond, in the same headers without an identification, is a copy.
    statistics["retransmissions"] += statistics["captured_twice"]
    assert {name: statistics[name] for name in wanted} == wanted


@pytest.mark.parametrize("seed", range(12))
def test_where_octets_are_missing_none_is_invented(tmp_path: Path, seed: int) -> None:
    """A hole costs WPDUs, it must not make any; what is missing is counted to the octet."""
    traffic = random_traffic(seed, holes=True)
    found, statistics = analysed(traffic, tmp_path / "holes.pcapng")
    assert found - true_wpdus(traffic.truth) == Counter()
    assert statistics["missing_bytes"] == traffic.truth.missing_octets


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_the_samples_show_what_is_in_them(tmp_path: Path, name: str) -> None:
    """What the start page opens is told right, to the last count."""
    traffic = CAPTURES[name]()
    found, statistics = analysed(traffic, tmp_path / name)
    assert found == true_wpdus(traffic.truth)
    wanted = tcp_counts(traffic.truth)
    assert {key: statistics[key] for key in wanted} == wanted
