"""Packets through libpcap with handles that only pretend: what is handed on when, and what is counted."""

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from cosemscope.capture.capturing import libpcap, libpcap_source
from cosemscope.capture.capturing.libpcap import Device, LibpcapError, OpenOptions, Stats
from cosemscope.capture.capturing.libpcap_source import LibpcapSource, open_fault
from cosemscope.capture.spool.chunks import BUFFERED, IMMEDIATE, SourceError
from tests.helpers.captured import read_file

START = 1_700_000_000


class FakeHandle:
    """A handle with packets to give: (seconds, fraction, octets, original length)."""

    link_type = 1

    def __init__(self, name: str, *, nanoseconds: bool = True) -> None:
        self.name = name
        self.nanoseconds = nanoseconds
        self.packets: list[tuple[int, int, bytes, int]] = []
        self.fault: LibpcapError | None = None
        self.statistics: Stats | None = None
        self.text = ""
        self.closed = self.no_echo = False
        self.asked: list[int] = []
        self.readable, self.writable = os.pipe()

    def dispatch(self, most: int, handler: object) -> int:
        self.asked.append(most)
        given, self.packets = self.packets[:most], self.packets[most:]
        for seconds, fraction, octets, original in given:
            header = ctypes.create_string_buffer(
                struct.pack(libpcap.HEADER_FORMAT, seconds, fraction, len(octets), original)
            )
            body = ctypes.create_string_buffer(octets, max(len(octets), 1))
            handler(None, ctypes.addressof(header), ctypes.addressof(body))  # type: ignore[operator]
        if self.fault is not None:
            raise self.fault
        return len(given)

    def selectable(self) -> int:
        return self.readable

    def stats(self) -> Stats | None:
        return self.statistics

    def set_filter(self, text: str) -> None:
        if text == "wrong":
            raise LibpcapError("syntax error")
        self.text = text

    def ignore_echo(self) -> None:
        self.no_echo = True

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def handles(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, FakeHandle]]:
    """Interfaces a, b (loopback) and c, which is there and may not be opened."""
    made = {"a": FakeHandle("a"), "b": FakeHandle("b", nanoseconds=False)}

    def open_live(name: str, options: OpenOptions) -> FakeHandle:
        if name not in made:
            raise LibpcapError("no", libpcap.NO_RIGHTS if name == "c" else libpcap.NO_SUCH_DEVICE)
        return made[name]

    devices = [Device(name, f"card {name}", (), True, True, name == "b", False, None) for name in "abc"]
    monkeypatch.setattr(libpcap, "open_live", open_live)
    monkeypatch.setattr(libpcap, "library", lambda: SimpleNamespace(version="libpcap 1"))
    monkeypatch.setattr(libpcap, "devices", lambda: devices)
    yield made
    for handle in made.values():
        os.close(handle.readable)
        os.close(handle.writable)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long packets were waited for, each time."""
    times: list[float] = []

    def select(descriptors: list[int], _: object, __: object, wait: float) -> None:
        assert descriptors
        times.append(wait)

    monkeypatch.setattr(libpcap_source, "select", SimpleNamespace(select=select))
    return times


def source(*names: str, options: OpenOptions | None = None, text: str = "") -> LibpcapSource:
    return LibpcapSource(names, options or OpenOptions(), lambda _: text)


def test_the_head_and_the_packets(
    handles: dict[str, FakeHandle], tmp_path: Path, waited: list[float]
) -> None:
    """Interfaces first; times to the nanosecond whatever the handle counts, cut packets with their length."""
    made = source("a", "b", text="tcp")
    (head,) = made.take(1.0)
    assert (handles["a"].asked, waited) == ([], [])
    handles["a"].packets = [(START, 5, b"abc", 3), (START, 999_999_999, b"", 70)]
    handles["b"].packets = [(START + 1, 5, b"x", 9)]
    chunks = made.take(1.0)
    assert waited == []  # what is there is handed on at once
    assert [chunk.ends[-1] for chunk in chunks] == [len(chunk.blocks) for chunk in chunks]
    assert [len(chunk.ends) for chunk in chunks] == [2, 1]
    octets = head.blocks + b"".join(chunk.blocks for chunk in chunks) + made.trailer()
    found, reader = read_file(tmp_path / "x.pcapng", octets)
    assert [(one.time - START * 10**9, one.octets, one.original, one.interface) for one in found] == [
        (5, b"abc", 3, 0),
        (999_999_999, b"", 70, 0),
        (10**9 + 5_000, b"x", 9, 1),
    ]
    assert [each.name for each in made.interfaces] == ["a", "b"]
    assert [each.link_type for each in reader.interfaces] == [1, 1]
    assert (handles["a"].text, handles["a"].no_echo, handles["b"].no_echo) == ("tcp", False, True)
    assert not made.finished


def test_waiting(handles: dict[str, FakeHandle], waited: list[float]) -> None:
    """Only where nothing is there and somebody may wait; afterwards it is looked once more."""
    made = source("a")
    made.take(1.0)
    assert made.take(0) == []
    assert (waited, handles["a"].asked) == ([], [4096])
    assert made.take(0.25) == []
    assert (waited, handles["a"].asked) == ([0.25], [4096] * 3)
    handles["a"].packets = [(START, 0, b"x", 1)] * 5000
    assert [len(chunk.ends) for chunk in made.take(1.0)] == [4096]
    assert [len(chunk.ends) for chunk in made.take(1.0)] == [904]
    assert waited == [0.25]


def test_the_end(
    handles: dict[str, FakeHandle], waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system holds back is waited for, twice as long as it may, and no longer."""
    now = 100.0
    monkeypatch.setattr(libpcap_source, "time", SimpleNamespace(monotonic=lambda: now))
    made = source("a", options=OpenOptions(hold=200))
    made.take(1.0)
    made.end()
    made.take(1.0)
    assert waited == [pytest.approx(0.4)]
    assert not made.finished
    now = 100.39
    made.take(1.0)
    assert not made.finished
    now = 100.4
    handles["a"].packets = [(START, 0, b"x", 1)]
    assert len(made.take(1.0)) == 1
    assert made.finished
    made.close()
    assert handles["a"].closed


def test_an_interface_that_goes(handles: dict[str, FakeHandle], waited: list[float]) -> None:
    """It is left out with a sentence, its packets kept and counted; with the last one the capture ends."""
    made = source("a", "b")
    made.take(1.0)
    handles["a"].fault = LibpcapError("the interface disappeared")
    handles["a"].statistics = Stats(7, 2, 1)
    handles["b"].packets = [(START, 0, b"x", 1)]
    assert len(made.take(1.0)) == 1
    (fault,) = made.faults
    assert (fault.kind, str(fault)) == ("gone", "The capture on a ended: The interface disappeared.")
    assert not made.finished
    assert made.tally().dropped == 3
    handles["b"].fault = LibpcapError("")
    made.take(1.0)
    assert made.finished
    assert str(made.faults[1]) == "The capture on b ended: The system gives no reason."
    made.close()
    assert handles["a"].closed
    assert handles["b"].closed


def test_counts_of_32_bits_go_on(handles: dict[str, FakeHandle]) -> None:
    """The system's counts begin again at 0; ours do not. None are none."""
    made = source("a", "b")
    assert made.tally().dropped is None
    for counts, dropped in (((0, 0xFFFF_FFFE, 0), 0xFFFF_FFFE), ((0, 0xFFFF_FFFF, 2), (1 << 32) + 1)):
        handles["a"].statistics = Stats(*counts)
        assert made.tally().dropped == dropped
    handles["b"].statistics = Stats(1, 4, 0)
    assert made.tally().dropped == (1 << 32) + 5


@pytest.mark.parametrize(
    ("names", "text", "kind", "words"),
    [
        (("a", "x"), "", "name", "There is no interface x. There are: a, b, c."),
        (("a", "c"), "", "rights", "You may not capture on c."),
        (("a",), "wrong", "filter", "The capture filter is wrong: syntax error (in: wrong)"),
    ],
)
def test_what_cannot_be_opened(
    handles: dict[str, FakeHandle], names: tuple[str, ...], text: str, kind: str, words: str
) -> None:
    """A sentence, and nothing stays open."""
    with pytest.raises(SourceError) as refusal:
        source(*names, text=text)
    assert refusal.value.kind == kind
    assert str(refusal.value).startswith(words)
    assert handles["a"].closed


def test_faults_in_words(handles: dict[str, FakeHandle], monkeypatch: pytest.MonkeyPatch) -> None:
    """By their codes; some systems refuse what is not there for want of rights."""
    assert str(open_fault("y", LibpcapError("", libpcap.NO_RIGHTS))).startswith("There is no interface y")
    assert "is down" in str(open_fault("a", LibpcapError("", libpcap.NOT_UP)))
    assert str(open_fault("a", LibpcapError("so it is.", 99))) == "a cannot be captured from: So it is."
    monkeypatch.setattr(libpcap, "devices", list)
    assert open_fault("y", LibpcapError("", libpcap.NO_RIGHTS)).kind == "rights"
    assert "There is none at all" in str(open_fault("y", LibpcapError("", libpcap.NO_SUCH_DEVICE)))


def test_modes(handles: dict[str, FakeHandle]) -> None:
    """Packets one by one or held back."""
    assert source("a").mode == BUFFERED
    assert source("a", options=OpenOptions(immediate=True)).mode == IMMEDIATE
