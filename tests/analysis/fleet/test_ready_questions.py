"""Every ready question finds what was planted in three days of 2,000 meters."""

import datetime
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.fleet.ready_questions import ready_questions
from cosemscope.cli import main
from tests.helpers import fleet_captures as fleet
from tests.helpers.fleet_captures import FleetTruth, meter

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def fleet_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FleetTruth]:
    """The tables of three days, and what was planted."""
    captures, tables = (tmp_path_factory.mktemp(name) for name in ("captures", "tables"))
    truth = fleet.write_fleet(captures)
    assert main(["tables", *map(str, truth.captures), "--to", str(tables), "-j", "2"]) == 0
    return tables, truth


@pytest.fixture
def truth(fleet_folder: tuple[Path, FleetTruth]) -> FleetTruth:
    """What was planted."""
    return fleet_folder[1]


@pytest.fixture
def ask(fleet_folder: tuple[Path, FleetTruth], capsys: pytest.CaptureFixture[str]) -> Ask:
    """Asks a question, as the command line does; the rows of the answer."""

    def asked(question: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main(["query", str(fleet_folder[0]), question, "--json"]) == 0
        return list(map(json.loads, capsys.readouterr().out.splitlines()))

    return asked


def test_there_are_ten_that_say_what_they_answer() -> None:
    """Each has a sentence, and is asked here."""
    questions = ready_questions()
    assert len(questions) == 10
    asked = Path(__file__).read_text(encoding="utf-8")
    for one in questions.values():
        assert 20 < len(one.meaning) < 100, one.name
        assert f'ask("{one.name}")' in asked


def test_every_row_is_there(ask: Ask, truth: FleetTruth) -> None:
    """Three captures, and all exchanges, by their days."""
    assert ask("SELECT count(*) AS n FROM captures") == [{"n": 3}]
    by_day = ask("SELECT day, count(*) AS n FROM exchanges GROUP BY day ORDER BY day")
    assert [one["day"] for one in by_day] == list(fleet.DAYS)
    assert sum(one["n"] for one in by_day) == truth.exchanges


def test_slowest_meters(ask: Ask) -> None:
    """The slow ones stand first, and nobody else takes seconds."""
    rows = ask("slowest-meters")
    assert len(rows) == 20
    slow = [row for row in rows if row["p95_ms"] > 1000]
    assert {row["meter"] for row in slow} == set(map(meter, fleet.SLOW))
    assert rows[: len(slow)] == slow
    assert [row["median_ms"] for row in slow] == sorted(
        (fleet.SLOWLY + number % 7 for number in fleet.SLOW), reverse=True
    )


def test_errors_by_firmware(ask: Ask, truth: FleetTruth) -> None:
    """The firmware whose meters refuse their serial number is first, with all counts right."""
    rows = ask("errors-by-firmware")
    assert [row["firmware"] for row in rows] == ["2.1", "1.9"]
    for row in rows:
        told = {
            status: truth.requests[row["firmware"], status] for status in ("answered", "error", "unanswered")
        }
        assert row["requests"] == sum(told.values())
        assert (row["errors"], row["unanswered"]) == (told["error"], told["unanswered"])
        assert row["error_percent"] == pytest.approx(100 * told["error"] / sum(told.values()), abs=0.005)
    assert sum(row["meters"] for row in rows) == fleet.METERS


def test_silent_meters(ask: Ask) -> None:
    """Those that said nothing since the first day, asked twice in vain."""
    rows = ask("silent-meters")
    assert {row["meter"] for row in rows} == set(map(meter, fleet.SILENT))
    assert {row["last_heard"][:10] for row in rows} == {fleet.DAYS[0]}
    assert [row["asked_since"] for row in rows] == [2, 2, 2]


def test_response_times_by_hour(ask: Ask, truth: FleetTruth) -> None:
    """Each hour of each day; the slow hour is slow."""
    rows = ask("response-times-by-hour")
    assert len(rows) == 3 * 24
    for number in range(24):
        mine = [row for row in rows if row["hour"][11:13] == f"{number:02}"]
        assert sum(row["answers"] for row in mine) == len(truth.times[number])
    at = {row["hour"][:13]: row["p95_ms"] for row in rows}
    for day in fleet.DAYS:
        slow = at[f"{day} {fleet.SLOW_HOUR}"]
        assert slow >= fleet.USUAL + fleet.SLOW_HOUR_ADDS
        assert slow > at[f"{day} {fleet.SLOW_HOUR - 1}"] + fleet.SLOW_HOUR_ADDS / 2
    first = next(row for row in rows if row["hour"].startswith(f"{fleet.DAYS[0]} 00"))
    assert first["median_ms"] == statistics.median(truth.times[0])


def test_counters_back(ask: Ask) -> None:
    """Those that fell on the last day, with what they said before, and where that stands."""
    rows = ask("counters-back")
    assert {row["meter"] for row in rows} == set(map(meter, fleet.COUNTING_BACK))
    for row in rows:
        number = next(one for one in fleet.COUNTING_BACK if meter(one) == row["meter"])
        assert (row["before"], row["value"]) == (fleet.counter(number, 1), fleet.counter(number, 2))
        assert (row["before_time"][:10], row["time"][:10]) == fleet.DAYS[1:]
        assert row["packet"] > 0


def test_unanswered_meters(ask: Ask) -> None:
    """The silent ones, and no other."""
    rows = ask("unanswered-meters")
    assert {row["meter"] for row in rows} == set(map(meter, fleet.SILENT))
    assert {row["unanswered"] for row in rows} == {2}


def test_refused_associations(ask: Ask) -> None:
    """One reason, all on the second day."""
    (row,) = ask("refused-associations")
    assert row["associations"] == row["meters"] == len(fleet.REFUSED)
    assert "authentication-failure" in row["diagnostic"]
    assert row["first_time"][:10] == row["last_time"][:10] == fleet.DAYS[1]


def test_missing_readings(ask: Ask) -> None:
    """The days on which meters were silent, refused the association, or had no value."""
    expected = {(fleet.DAYS[0], meter(number)) for number in fleet.UNREAD}
    expected |= {(day, meter(number)) for day in fleet.DAYS[1:] for number in fleet.SILENT}
    expected |= {(fleet.DAYS[1], meter(number)) for number in fleet.REFUSED}
    rows = ask("missing-readings")
    assert {(row["day"], row["meter"]) for row in rows} == expected
    assert len(rows) == len(expected)


def test_connection_outcomes(ask: Ask, truth: FleetTruth) -> None:
    """What was planted of each day, and nothing else."""
    rows = ask("connection-outcomes")
    assert {(row["day"], row["outcome"]): row["sessions"] for row in rows} == dict(truth.outcomes)
    for day in fleet.DAYS:
        assert sum(row["percent"] for row in rows if row["day"] == day) == pytest.approx(100, abs=0.05)


def test_slow_objects(ask: Ask) -> None:
    """The profile is the slowest of four."""
    rows = ask("slow-objects")
    assert rows[0]["obis"] == fleet.PROFILE
    assert {row["obis"] for row in rows} == {fleet.PROFILE, fleet.SERIAL, fleet.FIRMWARE, fleet.ENERGY}
    assert rows[0]["p95_ms"] == fleet.PROFILE_TAKES


def test_days_are_those_of_utc(ask: Ask) -> None:
    """Wherever the captures are taken in."""
    times = ask("SELECT min(time) AS first, max(time) AS last FROM exchanges")[0]
    first, last = (datetime.datetime.fromisoformat(times[name]) for name in ("first", "last"))
    assert first == datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC)
    assert last.date().isoformat() == fleet.DAYS[-1]
