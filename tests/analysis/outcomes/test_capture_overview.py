"""An overview says what it cannot know, and names what went wrong first, whatever kind it is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.capture_overview import CaptureOverview, capture_overview
from cosemscope.analysis.outcomes.overview_lines import overview_lines, overview_parts
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource
from tests.helpers import traffic_apdus as a
from tests.helpers.planted_faults import GET, SERVER, Plot
from tests.helpers.wire import RST, Wire, analyse

_SAMPLE, _KEYS = "samples/first-look.pcapng", "samples/first-look-keys.toml"


@contextmanager
def _read(keys: KeyTable) -> Iterator[tuple[Analysis, Associations, CaptureOverview]]:
    with open_capture(resource(_SAMPLE)) as reader:
        analysis = Analysis(reader).run()
        associations = Associations(analysis, keys)
        find_items(associations)
        yield analysis, associations, capture_overview(analysis, capture_facts(analysis))


def test_ciphered_exchanges_without_keys_are_not_said_to_be_without_errors() -> None:
    """They are counted until keys open them; then their errors are known."""
    with _read(NO_KEYS) as (_, _, without), _read(KeyTable.load(resource(_KEYS))) as (_, _, opened):
        assert without.unopened == 16
        assert (
            "16 ciphered and not opened, what they hold is not known"
            in (overview_lines(without, "one")["Exchanges"])
        )
        assert opened.unopened == 0
        assert "ciphered" not in overview_lines(opened, "one")["Exchanges"]


def test_the_filter_of_unopened_exchanges_leaves_their_ciphered_wpdus() -> None:
    """What a link leads to is what its words count."""
    with _read(NO_KEYS) as (analysis, associations, found):
        (part,) = (
            part for line in overview_parts(found, "one") for part in line.parts if "not opened" in part.text
        )
        rows = compile_filter(part.filter).rows(analysis, associations=associations)
        assert len(capture_facts(analysis).exchanges_of(rows)) == found.unopened


def _refused(plot: Plot) -> None:
    plot.up(GET)
    plot.down(a.get_error(0xC1, 3))
    plot.release()


TROUBLES: dict[str, tuple[Callable[[Plot], object], str | None]] = {
    "an error answer in a complete connection": (
        _refused,
        "exchange 2: get-request 1.0.1.8.0.255:2 was answered by get-response read-write-denied",
    ),
    "an error answer before a connection that is cut": (
        lambda plot: (plot.up(GET), plot.down(a.get_error(0xC1, 3)), plot.read(), plot.end(SERVER, RST)),
        "exchange 2: get-request",
    ),
    "a connection that is cut within its first request": (
        lambda plot: (plot.up(GET), plot.end(SERVER, RST)),
        "stream 0: meter closed with RST",
    ),
    "nothing": (lambda plot: (plot.read(), plot.release()), None),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_the_first_trouble_may_be_an_exchange(name: str, tmp_path: Path) -> None:
    """What came first is told: a refused request, or the end of its connection."""
    happen, told = TROUBLES[name]
    plot = Plot(Wire(), 1)
    plot.associate()
    happen(plot)
    analysis = analyse(plot.wire, tmp_path)
    find_items(Associations(analysis, NO_KEYS))
    found = capture_overview(analysis, capture_facts(analysis))
    line = overview_lines(found, "one")["First trouble"]
    assert (line == "none") if told is None else (told in line)


def test_each_end_of_exchanges_is_counted_by_itself() -> None:
    """The counts add up to all exchanges, and those that are none are left out of the line."""
    with _read(NO_KEYS) as (_, _, found):
        ended = ("answered", "errors", "unanswered", "notifications", "unfinished", "unasked", "unconfirmed")
        assert sum(getattr(found, name) for name in ended) == found.exchanges
        assert "unasked" not in overview_lines(found, "one")["Exchanges"]


def test_expert_items_are_counted_by_severity() -> None:
    """The overview's counts are those of the table, with the commonest kind of the gravest severity."""
    with _read(NO_KEYS) as (analysis, _, found):
        words = [analysis.expert_items.kind(row) for row in range(len(analysis.expert_items))]
        assert found.expert.warnings == sum(kind.severity.word == "warning" for kind in words) > 0
        assert found.expert.errors == sum(kind.severity.word == "error" for kind in words)
        assert found.expert.number == sum(kind.word == found.expert.item for kind in words)


def test_times_name_their_zone() -> None:
    """A line that is mailed says where its times hold."""
    with _read(NO_KEYS) as (_, _, found):
        assert re.search(r" \(UTC([+-]\d\d:\d\d)?\)$", overview_lines(found, "one")["Capture"])


@pytest.mark.parametrize("sample", ["first-look", "push"])
def test_the_samples_are_described_with_as_many_meters_as_they_have(sample: str) -> None:
    """What the samples' README says is what the overview counts."""
    numbers = {"eight": 8, "thirteen": 13}
    (line,) = (
        line
        for line in resource("samples/README.md").read_text("utf-8").splitlines()
        if line.startswith(f"| `{sample}.pcapng`")
    )
    (word,) = re.findall(r"(\w+) meters", line)
    with open_capture(resource(f"samples/{sample}.pcapng")) as reader:
        analysis = Analysis(reader).run()
        assert capture_overview(analysis, capture_facts(analysis)).meters == numbers[word]
