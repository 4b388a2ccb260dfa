"""The pass that completes the table of expert items: nothing is missing or said twice, spans are right."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.expert.checks import LOOK_CHECKS
from cosemscope.analysis.expert.row_items import row_sentences
from cosemscope.analysis.expert.run import GrowingItems, find_column_items, find_items
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource
from cosemscope.streams.tables.expert_items import Severity, Source
from cosemscope.streams.tables.stream_kinds import HOLE, SKIPPED
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers import association_ends
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import KEYS, METER
from tests.helpers.shared import shared
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION
from tests.helpers.traffic_random import random_traffic
from tests.helpers.wire import Tcp, Wire, analyse, get_request, wpdu

SAMPLES = {"first-look": "first-look-keys.toml", "push": "push-keys.toml", "faults": ""}


def captures() -> list[tuple[Path, str]]:
    """The samples with their keys, and the shared captures, which have none."""
    found = [(Path(str(resource(f"samples/{name}.pcapng"))), keys) for name, keys in SAMPLES.items()]
    folders = (shared("captures"), shared("cases/streams"))
    return found + [(path, "") for folder in folders for path in sorted(folder.glob("*.[pc]*ap*"))]


def key_table(name: str) -> KeyTable:
    return KeyTable.load(str(resource(f"samples/{name}"))) if name else NO_KEYS


def above_chat(analysis: Analysis) -> list[str]:
    items = analysis.expert_items
    kinds = (items.kind(row) for row in range(len(items)))
    return [kind.word for kind in kinds if kind.severity > Severity.CHAT]


@pytest.mark.parametrize("name", SAMPLES)
def test_items_of_a_capture_that_grows(name: str) -> None:
    """Found a few rows at a time and told in between, they are in the end those of one pass."""
    path, keys = Path(str(resource(f"samples/{name}.pcapng"))), key_table(SAMPLES[name])

    def listed(analysis: Analysis) -> list[tuple[object, ...]]:
        items = analysis.expert_items
        places = zip(*(items[column].tolist() for column in ("wpdu", "packet", "start", "stop")), strict=True)
        looks = {check.kind.word for check in LOOK_CHECKS}
        told = ((*place, items.kind(row).word, items.message(row)) for row, place in enumerate(places))
        return sorted(one for one in told if one[4] not in looks)

    with open_capture(path) as reader:
        analysis = Analysis(reader)
        walked = Associations(analysis, keys)
        growing = GrowingItems(Associations(analysis, keys, beside=walked))
        while analysis.step(40):
            while walked.go_on(10):
                pass
            while growing.go_on(walked.passed, 7):
                pass
            growing.report()
            assert analysis.expert_items.completed == growing.done
        analysis.finish()
        while walked.go_on(10):
            pass
        while growing.go_on(walked.passed, 7):
            pass
        growing.report()
        found = listed(analysis)
        assert find_items(Associations(analysis, keys), workers=0)
        assert found == listed(analysis)


def test_no_problem_of_a_tree_and_no_damage_of_a_file_is_missing() -> None:
    """What `show` says of any row of any capture at hand stands in the table, word by word."""
    told = 0
    for path, keys in captures():
        with open_capture(path) as reader:
            analysis = Analysis(reader).run()
            assert find_items(Associations(analysis, key_table(keys)))
            items = analysis.expert_items
            found = Counter(
                (wpdu, start, stop, source, items.message(row))
                for row, (wpdu, start, stop, source) in enumerate(
                    zip(*(items[name].tolist() for name in ("wpdu", "start", "stop", "source")), strict=True)
                )
                if source >= Source.WPDU or source == Source.FILE
            )
            associations = Associations(analysis, key_table(keys))
            wanted = Counter(
                (row, problem.start, problem.stop, Source.WPDU + problem.source, problem.message)
                for row, look in associations.walk()
                for problem in associations.decode(row, look).problems
            )
            wanted += Counter(
                (-1, one.offset, one.offset, Source.FILE, one.message) for one in reader.problems
            )
            assert wanted - found == Counter(), path.name
            told += wanted.total()
    assert told > 300


def test_every_mark_has_a_sentence() -> None:
    """A sign in the list of WPDUs without a sentence beside it would be a riddle."""
    for path, _ in captures():
        with open_capture(path) as reader:
            analysis = Analysis(reader).run()
        for row, marks in enumerate(analysis.wpdus["marks"].tolist()):
            assert bool(row_sentences(analysis, row)) >= bool(marks), (path.name, row, Mark(marks))


def test_clean_traffic_has_no_item_above_chat(tmp_path: Path) -> None:
    """A table that cries at everything is read by nobody."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    for number in range(20):
        connection.say(0, wpdu(a.get_request(0xC0 | number % 16, 3, "1.0.1.8.0.255")))
        answer = wpdu(a.get_response(0xC0 | number % 16, a.double_long_unsigned(number)), 1, 16)
        connection.say(1, answer, [3] if number % 5 == 0 else [])
    connection.close()
    analysis = analyse(wire, tmp_path)
    assert find_items(Associations(analysis))
    assert above_chat(analysis) == []


@pytest.mark.parametrize("name", ["XmlDemo.pcap", "DLMS_list.pcap", "original_data.pcapng"])
def test_captures_of_others_that_are_clean(name: str) -> None:
    """Meters in the field, in which nothing is wrong: nothing above chat, but for wPorts 0 on both sides."""
    with open_capture(shared("captures") / name) as reader:
        analysis = Analysis(reader).run()
        assert find_items(Associations(analysis))
    assert set(above_chat(analysis)) <= {"no-station"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_spans_lie_inside_their_sources(tmp_path: Path, seed: int) -> None:
    """Of WPDUs and datagrams in their octets, of bodies in those of the tree, of streams in what was sent."""
    path = tmp_path / "random.pcapng"
    random_traffic(seed, holes=True).write(path)
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        find_items(Associations(analysis))
        items, associations = analysis.expert_items, Associations(analysis)
        octets = _octets_of_directions(analysis)
        for row in range(len(items)):
            start, stop, source = (int(items[name][row]) for name in ("start", "stop", "source"))
            wpdu, packet = int(items["wpdu"][row]), int(items["packet"][row])
            assert start <= stop
            if source >= Source.WPDU:
                sources = associations.decode(wpdu).sources
                assert start >= 0
                assert stop <= len(sources[source - Source.WPDU].data)
            elif source == Source.DATAGRAM:
                assert start >= 0
                assert stop <= analysis.packets["payload_length"][packet]
            elif source != Source.NONE:
                assert source == Source.STREAM
                half = 2 * int(items["stream"][row]) + int(items["direction"][row])
                assert -octets[half] <= start
                assert stop <= octets[half]


def _octets_of_directions(analysis: Analysis) -> list[int]:
    """Octets that each direction of each stream can have at most: those sent, and those that are missing."""
    stream, packets, items = analysis.packet_streams["stream"], analysis.packets, analysis.expert_items
    count = 2 * len(analysis.streams)
    known = stream >= 0
    side = packets["direction"][known] ^ analysis.streams["client_side"][stream[known]]
    octets = np.bincount(2 * stream[known] + side, packets["payload_length"][known], count)
    holes = items["kind"] == HOLE.number
    half = 2 * items["stream"][holes] + items["direction"][holes]
    total: list[int] = (octets + np.bincount(half, items["amount"][holes], count)).astype(int).tolist()
    return total


def test_what_a_check_finds_and_the_tree_says_is_one_item() -> None:
    """The cut WPDUs of the sample: found in the columns, said in the words of the tree, not twice."""
    with open_capture(str(resource("samples/faults.pcapng"))) as reader:
        analysis = Analysis(reader).run()
        find_items(Associations(analysis))
    items = analysis.expert_items
    cut = [row for row in range(len(items)) if items.kind(row).word == "truncated"]
    truncated = np.flatnonzero(analysis.wpdus["marks"] & Mark.TRUNCATED)
    assert sorted(items["wpdu"][cut].tolist()) == truncated.tolist()
    assert all("the WPDU is cut" in items.message(row) for row in cut)
    assert (items["amount"][cut] > 0).all()


def test_items_of_streams_name_the_wpdu_of_their_packet(tmp_path: Path) -> None:
    """The window goes from an item to a row: octets skipped before a WPDU lead to that WPDU."""
    connection = Tcp(Wire()).handshake()
    connection.say(0, get_request(1))
    connection.say(0, b"\xff" * 20 + get_request(2))
    connection.say(0, get_request(3))
    analysis = analyse(connection.wire, tmp_path)
    find_items(Associations(analysis))
    items = analysis.expert_items
    assert items["wpdu"][items["kind"] == SKIPPED.number].tolist() == [1]


def test_the_pass_tells_how_far_it_is_and_can_be_cancelled(tmp_path: Path) -> None:
    """A person who looks at a long capture sees progress, and can stop it between two batches."""
    connection = Tcp(Wire()).handshake()
    for number in range(5000):
        connection.say(number % 2, get_request(number))
    analysis = analyse(connection.wire, tmp_path)
    told: list[tuple[int, int]] = []
    assert not find_items(
        Associations(analysis), progress=lambda *far: told.append(far), cancelled=lambda: len(told) == 1
    )
    assert len(told) == 1
    done, total = told[0]
    assert 0 < done < total == 5000
    told.clear()
    assert find_items(Associations(analysis), progress=lambda *far: told.append(far))
    assert told[-1] == (5000, 5000)


def test_a_pass_makes_a_table_of_its_own(tmp_path: Path) -> None:
    """Who shows items keeps those of the pass before while the next one is made; none comes twice."""
    connection = Tcp(Wire()).handshake()
    asked = wpdu(a.get_request(0xC1, 3, "1.0.1.8.0.255"), 16, 1)
    connection.say(0, asked)
    connection.say(1, wpdu(a.get_error(0xC1, 1), 1, 16))
    connection.packet(0, 0, asked)
    connection.say(1, wpdu(b"", 1, 16))
    connection.say(0, wpdu(b"\x99\x01", 16, 1))
    analysis = analyse(connection.wire, tmp_path)
    of_streams = analysis.stream_items
    assert words(analysis) == ["retransmission"]
    find_column_items(analysis)
    of_columns, first = analysis.expert_items, words(analysis)
    assert (first, of_columns.completed) == (["error-result", "no-data", "retransmission"], 0)
    assert find_items(Associations(analysis))
    assert (words(analysis), analysis.expert_items.completed) == ([*first, "unknown-tag"], 4)
    assert find_items(Associations(analysis))
    assert words(analysis) == [*first, "unknown-tag"]
    assert analysis.stream_items is of_streams
    assert (len(of_streams), len(of_columns)) == (1, len(first))
    assert (sorted(of_columns["wpdu"].tolist()), of_streams["wpdu"].tolist()) == ([-1, 1, 2], [-1])


def test_a_pass_that_is_cancelled_has_what_needs_no_tree(tmp_path: Path) -> None:
    """Nothing that was found is hidden; rows say the same whether their trees were read or not."""
    connection = Tcp(Wire()).handshake()
    connection.say(0, wpdu(a.get_request(0xC1, 3, "1.0.1.8.0.255"), 16, 1))
    for _ in range(2999):
        connection.say(0, wpdu(b"", 16, 1))
    analysis = analyse(connection.wire, tmp_path)
    told: list[int] = []
    assert not find_items(
        Associations(analysis),
        progress=lambda done, total: told.append(done),
        cancelled=lambda: bool(told),
    )
    assert 0 < analysis.expert_items.completed == told[-1] < 3000
    assert words(analysis) == ["no-data"] * 2999
    assert row_sentences(analysis, 1) == row_sentences(analysis, 2999) == ["the WPDU has no data"]


def words(analysis: Analysis) -> list[str]:
    items = analysis.expert_items
    return sorted(items.kind(row).word for row in range(len(items)))


def test_whoever_makes_the_pass_has_all_checks() -> None:
    """Also where no field was imported before."""
    code = "from cosemscope.analysis.expert import run; from cosemscope.analysis.expert.checks import *; "
    code += "print(len(WPDU_CHECKS), len(CAPTURE_CHECKS))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(int(count) > 1 for count in told.split())


def test_what_was_opened_counts_though_exchanges_were_paired_before(tmp_path: Path) -> None:
    """A ciphered answer with an error is told as one, also where somebody asked for exchanges first."""
    own, peer = (
        a.Cipher(title, ENCRYPTION, AUTHENTICATION, 0x100) for title in (association_ends.CLIENT, METER)
    )
    connection = Tcp(Wire()).handshake()
    names = {"context": 3, "mechanism": 5}
    asked = a.aarq(title=association_ends.CLIENT, authentication=b"CtoS" * 4, **names)
    connection.say(0, wpdu(asked, 16, 1))
    connection.say(1, wpdu(a.aare(title=METER, authentication=b"StoC" * 4, **names), 1, 16))
    connection.say(0, wpdu(own.glo(0xC8, a.get_request(0xC1, 3, "1.0.1.8.0.255")), 16, 1))
    connection.say(1, wpdu(peer.glo(0xCC, a.get_error(0xC1, 4)), 1, 16))
    analysis = analyse(connection.wire, tmp_path)
    assert capture_facts(analysis).statuses.tolist() == [ExchangeStatus.ANSWERED] * 2
    assert find_items(Associations(analysis, KEYS))
    assert "error-result" in words(analysis)
