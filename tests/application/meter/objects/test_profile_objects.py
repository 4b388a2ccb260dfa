"""The load profile and the log of events: encoded at once as one by one."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.apdus import parse_data
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.service_parts import DataAccessError, SelectiveAccess
from cosemscope.application.meter.built_in_meter import READING_CLIENT
from cosemscope.application.meter.objects.clock_object import date_time_of, seconds_of
from cosemscope.application.meter.objects.profile_objects import CLOCK_COLUMN, YEAR, encode_times
from tests.application.meter_session import NOW, MeterSession, name, session

PROFILE = name(7, "1.0.99.1.0.255", 2)


def clock_definition() -> Data:
    return CLOCK_COLUMN.definition


def by_range(since: float, until: float, *columns: Data) -> SelectiveAccess:
    times = d.octet_string(date_time_of(since)), d.octet_string(date_time_of(until))
    return SelectiveAccess(1, d.structure(clock_definition(), *times, d.array(columns)))


def by_entry(first: int, last: int, left: int = 1, right: int = 0) -> SelectiveAccess:
    entries = d.double_long_unsigned(first), d.double_long_unsigned(last)
    return SelectiveAccess(2, d.structure(*entries, d.long_unsigned(left), d.long_unsigned(right)))


@pytest.fixture(scope="module")
def client() -> MeterSession:
    return session(READING_CLIENT)


@pytest.fixture(scope="module")
def rows(client: MeterSession) -> list[tuple[object, ...]]:
    return list(client.get(7, "1.0.99.1.0.255"))


@given(st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=20))
def test_times_are_encoded_as_one_by_one(times: list[int]) -> None:
    octets = encode_times(np.array(times, np.float64), np.arange(len(times)))
    one_by_one = [d.date_time_octets(datetime.fromtimestamp(time, UTC)) for time in times]
    assert [parse_data(row.tobytes()).value for row in octets] == one_by_one
    assert [seconds_of(each) for each in one_by_one] == times


def test_a_year_of_quarters_of_an_hour(rows: list[tuple[object, ...]]) -> None:
    assert len(rows) == YEAR
    times = [seconds_of(row[0]) for row in rows]  # type: ignore[arg-type]
    assert times[-1] == NOW
    assert set(np.diff(np.array(times, np.float64))) == {900.0}


def test_a_range_of_time(client: MeterSession, rows: list[tuple[object, ...]]) -> None:
    found = client.result(PROFILE, by_range(NOW - 3600, NOW)).plain
    assert list(found) == rows[-5:]
    assert client.result(PROFILE, by_range(NOW + 1, NOW + 3600)).plain == ()
    columns = client.get(7, "1.0.99.1.0.255", 3)
    energy = client.result(name(7, "1.0.99.1.0.255", 3)).value[2]
    some = client.result(PROFILE, by_range(NOW - 900, NOW, energy, clock_definition())).plain
    assert some == tuple((row[2], row[0]) for row in rows[-2:])
    assert len(columns) == 5


@pytest.mark.parametrize(
    ("selection", "rows_of", "columns_of"),
    [
        (by_entry(1, 3), slice(0, 3), slice(None)),
        (by_entry(YEAR - 1, 0), slice(-2, None), slice(None)),
        (by_entry(2, 2, 3, 4), slice(1, 2), slice(2, 4)),
        (by_entry(YEAR + 1, YEAR + 9), slice(0, 0), slice(None)),
    ],
)
def test_entries_and_columns(
    client: MeterSession,
    rows: list[tuple[object, ...]],
    selection: SelectiveAccess,
    rows_of: slice,
    columns_of: slice,
) -> None:
    found = client.result(PROFILE, selection).plain
    assert list(found) == [row[columns_of] for row in rows[rows_of]]


@pytest.mark.parametrize(
    ("selection", "code"),
    [
        (SelectiveAccess(3, d.NULL_DATA), 13),
        (SelectiveAccess(1, d.NULL_DATA), 12),
        (SelectiveAccess(1, d.structure(d.NULL_DATA, d.NULL_DATA, d.NULL_DATA, d.array([]))), 12),
        (by_range(0, 0, d.structure(*(d.NULL_DATA,) * 4)), 13),
        (by_entry(0, 1), 13),
        (by_entry(5, 4), 13),
        (by_entry(1, 1, 9), 13),
    ],
)
def test_what_cannot_be_selected_is_refused(
    client: MeterSession, selection: SelectiveAccess, code: int
) -> None:
    assert client.result(PROFILE, selection) == DataAccessError(code)
    assert client.result(name(8, "0.0.1.0.0.255", 2), selection) == DataAccessError(13)


def test_the_log_keeps_the_newest_events(client: MeterSession) -> None:
    log = session(READING_CLIENT).meter.log
    for number in range(700):
        log.note(NOW + number, number % 200)
    assert len(log.times(NOW)) == 500
    assert log.last == 699 % 200
    shown = parse_data(log.object().read(2, None, NOW).octets).plain  # type: ignore[union-attr]
    assert [row[1] for row in shown] == [number % 200 for number in range(200, 700)]
