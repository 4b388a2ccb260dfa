"""Capture filters: the default is right for every link type; checks never wait for one another."""

import queue
import threading
from pathlib import Path

import pytest

from cosemscope.capture.capturing import capture_filters, libpcap
from cosemscope.capture.capturing.capture_filters import (
    FilterChecker,
    FilterVerdict,
    check_filter,
    dlms_filter,
)
from cosemscope.capture.capturing.libpcap import LibpcapError


@pytest.fixture(autouse=True)
def _library() -> None:
    try:
        libpcap.library()
    except LibpcapError as error:
        pytest.skip(f"LIBRARY MISSING: {error}")


@pytest.mark.parametrize("link_type", [0, 1, 9, 12, 101, 108, 113, 276])
def test_the_default_compiles_for_every_link_type(link_type: int) -> None:
    """What it lets through is shown on a live network; a link type without tags must not refuse it."""
    assert check_filter(dlms_filter((4059, 4060), link_type), link_type) == FilterVerdict(
        dlms_filter((4059, 4060), link_type), ""
    )


def test_the_readme_captures_as_the_program_does() -> None:
    """Its lines for tcpdump take later fragments too: each has the program's own filter."""
    readme = Path(__file__).parents[3].joinpath("README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if "tcpdump -" in line]
    assert len(lines) >= 2
    assert [line for line in lines if dlms_filter((4059,), link_type=0) not in line] == []


def test_an_empty_filter_is_right() -> None:
    """Blanks alone mean that everything is captured."""
    assert check_filter("  ").right


def test_without_a_library_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that nobody can check is neither right nor wrong."""

    def missing(*_: object) -> None:
        raise LibpcapError("there is none")

    monkeypatch.setattr(libpcap, "filter_error", missing)
    assert check_filter("tcp prt") == FilterVerdict("tcp prt", "", checked=False)


def test_only_the_latest_text_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a name is looked up the user types on: what he had typed in between is of no interest."""
    verdicts: queue.Queue[FilterVerdict] = queue.Queue()
    begun, go_on = threading.Event(), threading.Event()

    def slow(text: str, link_type: int = 1) -> FilterVerdict:
        begun.set()
        assert go_on.wait(10)
        return FilterVerdict(text, "wrong" if "prt" in text else "")

    monkeypatch.setattr(capture_filters, "check_filter", slow)
    checker = FilterChecker(verdicts.put)
    checker.check("host meter.example")
    assert begun.wait(10)
    for text in ("p", "po", "por", "port 4059"):
        checker.check(text)
    assert verdicts.empty()
    go_on.set()
    assert verdicts.get(timeout=10) == FilterVerdict("port 4059", "")
    checker.check("prt", 113)
    assert verdicts.get(timeout=10) == FilterVerdict("prt", "wrong")
    checker.close()
    checker.check("port 1")
    with pytest.raises(queue.Empty):
        verdicts.get(timeout=0.1)
