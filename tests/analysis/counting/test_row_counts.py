"""Counts by any fields are those of plain Python; numbers have a spread, words have none."""

import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.counting import row_counts
from cosemscope.analysis.counting.row_counts import NotANumberError, RowCounts
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource


@pytest.fixture
def passed() -> Iterator[tuple[Analysis, PassedRows]]:
    with open_capture(Path(str(resource("samples/first-look.pcapng")))) as reader:
        analysis = Analysis(reader).run()
        associations = Associations(analysis)
        complete(associations)
        yield analysis, PassedRows(associations)


def test_groups_come_largest_first_with_their_share(passed: tuple[Analysis, PassedRows]) -> None:
    """All rows or some of them; the counts are those of the texts."""
    analysis, looker = passed
    for rows in (None, np.arange(3, len(analysis.wpdus), 2)):
        numbers = np.arange(len(analysis.wpdus)) if rows is None else rows
        fields = [FIELDS["obis"], FIELDS["unit"]]
        asked = AskedRows(analysis, numbers, looker)
        wanted = Counter(zip(*(field.jsons(asked) for field in fields), strict=True))
        table = RowCounts(analysis, rows, looker).by(fields)
        found = list(table.jsons())
        assert {(one["obis"], one["unit"]): one["count"] for one in found} == wanted
        assert [one["count"] for one in found] == sorted(wanted.values(), reverse=True)
        assert sum(one["share"] for one in found) == pytest.approx(1, abs=1e-4)
        assert [texts[0] for texts in table.texts()] == [found[0][name] or "" for name in ("obis", "unit")]


def test_a_wpdu_counts_for_each_of_its_values(passed: tuple[Analysis, PassedRows]) -> None:
    """Shares are of WPDUs, so they add up to more than one."""
    analysis, _ = passed
    asked = AskedRows(analysis, np.arange(len(analysis.wpdus)))
    wanted = Counter(port for ports in FIELDS["wport"].jsons(asked) for port in set(ports))
    found = list(RowCounts(analysis).by([FIELDS["wport"]]).jsons())
    assert {one["wport"]: one["count"] for one in found} == wanted
    assert sum(one["share"] for one in found) > 1


@pytest.mark.parametrize("name", ["response_time", "wpdu.length", "value", "frame.time"])
def test_numbers_have_a_spread(passed: tuple[Analysis, PassedRows], name: str) -> None:
    """Times to the nanosecond, whole numbers with a mean that need not be whole, values without words."""
    analysis, looker = passed
    rows = RowCounts(analysis, None, looker)
    (found,) = rows.by([FIELDS["wpdu.resynchronised"]], FIELDS[name]).jsons()
    told = FIELDS[name].jsons(AskedRows(analysis, np.arange(len(analysis.wpdus)), looker))
    numbers = sorted(
        float(value)
        for value in told
        if value is not None and (FIELDS[name].type.word != "quantity" or not isinstance(value, str))
    )
    assert found["measured"] == len(numbers) > 0
    assert float(found["min"]) == numbers[0]
    assert float(found["max"]) == numbers[-1]
    assert float(found["mean"]) == pytest.approx(sum(numbers) / len(numbers))
    assert float(found["median"]) == pytest.approx(statistics.median(numbers))
    table = rows.by([FIELDS["kind"]], FIELDS[name])
    blank = [texts == "" for texts in table.spread_texts()[0]]
    assert table.spread is not None
    assert blank == [count == 0 for count in table.spread.counts.tolist()]


@pytest.mark.parametrize("name", ["apdu", "wport", "info"])
def test_words_have_no_mean(passed: tuple[Analysis, PassedRows], name: str) -> None:
    """The message names the field and one that has."""
    with pytest.raises(NotANumberError, match=rf"{name} .*response_time"):
        RowCounts(*passed).by([FIELDS["kind"]], FIELDS[name])


def test_codes_are_kept_within_bounds(
    passed: tuple[Analysis, PassedRows], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked for longest ago goes first, and is right again when it is asked for anew."""
    analysis, _ = passed
    rows = RowCounts(analysis)
    before = list(rows.by([FIELDS["apdu"]]).jsons())
    monkeypatch.setattr(row_counts, "_MOST_KEPT", 1)
    for name in ("obis", "wpdu.time", "meter"):
        rows.by([FIELDS[name]])
    assert list(rows.by([FIELDS["apdu"]]).jsons()) == before
