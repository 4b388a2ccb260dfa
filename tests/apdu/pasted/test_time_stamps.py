"""Time stamps of logs: which instants each form tells, where it ends, and what is none."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cosemscope.apdu.pasted.time_stamps import Stamp, stamp_at


@pytest.fixture(autouse=True)
def zone() -> Iterator[None]:
    """Local time is that of a zone two hours west of UTC."""
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process can not be set here")
    before = os.environ.get("TZ")
    os.environ["TZ"] = "XYZ+2"
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def at(*parts: int, ns: int = 0) -> Stamp:
    """An instant in UTC."""
    return Stamp(int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9 + ns, True)


def since(seconds: int, ns: int = 0) -> Stamp:
    """So long after a start that is not known."""
    return Stamp(seconds * 10**9 + ns, False)


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2024-03-05T06:07:08Z", at(2024, 3, 5, 6, 7, 8)),
        ("2024/03/05 06:07:08.25 UTC", at(2024, 3, 5, 6, 7, 8, ns=250_000_000)),
        ("2024.03.05 06:07:08,123456789+01:30", at(2024, 3, 5, 4, 37, 8, ns=123_456_789)),
        ("2024-03-05 06:07:08-0200", at(2024, 3, 5, 8, 7, 8)),
        ("2024-03-05 06:07 CET", at(2024, 3, 5, 5, 7)),
        ("2024-03-05 06:07:08 CEST", at(2024, 3, 5, 4, 7, 8)),
        ("2024-03-05 06:07:08 BST", at(2024, 3, 5, 5, 7, 8)),
        ("2024-03-05 06:07:08", at(2024, 3, 5, 8, 7, 8)),
        ("[2024-03-05 06:07:08]:", at(2024, 3, 5, 8, 7, 8)),
        ("2024-03-05", at(2024, 3, 5, 2)),
        ("31.12.2024 23:59:59 Z", at(2024, 12, 31, 23, 59, 59)),
        ("12/31/2024 11:59:59 PM Z", at(2024, 12, 31, 23, 59, 59)),
        ("12/12/24 12:00:00 AM Z", at(2024, 12, 12)),
        ("12/12/24 12:00:00 PM Z", at(2024, 12, 12, 12)),
        ("05-Mar-24 06:07:08 Z", at(2024, 3, 5, 6, 7, 8)),
        ("Tue, Mar 5, 2024 06:07:08 Z", at(2024, 3, 5, 6, 7, 8)),
        ("Tue Mar  5 06:07:08 2024", at(2024, 3, 5, 8, 7, 8)),
        ("2024-03-05 06:07:60 Z", at(2024, 3, 5, 6, 7, 59)),
        ("23:59:59", since(86_399)),
        ("00:00:00.5", since(0, 500_000_000)),
        ("01:02:03.000001", since(3_723, 1_000)),
        ("+12.345", since(12, 345_000_000)),
        ("(0.000001)", since(0, 1_000)),
        ("[1700000000]", Stamp(1_700_000_000 * 10**9, True)),
        ("1700000000.25", Stamp(1_700_000_000_250_000_000, True)),
        ("[1700000000123]", Stamp(1_700_000_000_123_000_000, True)),
        ("[1700000000123456]", Stamp(1_700_000_000_123_456_000, True)),
        ("[1700000000123456789]", Stamp(1_700_000_000_123_456_789, True)),
    ],
)
def test_forms(text: str, stamp: Stamp) -> None:
    """Every form to its end, alone and before octets."""
    assert stamp_at(text) == (stamp, len(text))
    assert stamp_at(f"x {text} c0 01", 2) == (stamp, len(text) + 2)


def test_a_stamp_without_its_year() -> None:
    """It is of this year."""
    year = datetime.now().year
    for text in ("Mar  5 06:07:08 Z", "03-05 06:07:08 Z"):
        assert stamp_at(text)[0] in (at(year, 3, 5, 6, 7, 8), at(datetime.now().year, 3, 5, 6, 7, 8))


@pytest.mark.parametrize(
    "text",
    [
        "24:00:00",
        "10:60:00",
        "10:00:61",
        "2024-13-13 10:00:00",
        "2024-02-30 10:00:00",
        "31.04.2024 10:00:00",
        "10:11",
        "10:11:12:13",
        "10:11:12.0000000001",
        "12.34",
        "c0:01:c1",
        "0700000000",
        "9999999999",
    ],
)
def test_what_is_none(text: str) -> None:
    """Times and dates that there are not, octets with colons, small and large numbers."""
    assert stamp_at(text) == (None, 0)


@pytest.mark.parametrize(
    ("text", "is_stamp"),
    [
        ("1700000000 C001C1", True),
        ("1700000000, C001C1", True),
        ("1700000000 1700000001", False),
        ("1700000000, 1700000001", False),
        ("1700000000", False),
        ("[1700000000", True),
        ("1700000000.5 1700000001", True),
    ],
)
def test_seconds_that_may_be_octets(text: str, is_stamp: bool) -> None:
    """A number by itself, or before a word as long as itself, is no time unless brackets or a part say so."""
    assert (stamp_at(text)[0] is not None) is is_stamp
