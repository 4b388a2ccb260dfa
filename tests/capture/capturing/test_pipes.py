"""Packets out of pipes: what comes is handed on, and every way in which a pipe can end has its sentence."""

import os
import threading
import time
from pathlib import Path

import pytest

from cosemscope.capture.capturing.pipes import OctetStore, PipeSource
from cosemscope.capture.spool.chunks import Chunk, SourceError
from tests.helpers.files import Record, pcap

if not hasattr(os, "mkfifo"):
    pytest.skip("this system has no named pipes of this kind", allow_module_level=True)

RECORDS = [Record(number * 1000, bytes(60)) for number in range(2000)]


def feed(path: Path, *pieces: bytes) -> threading.Thread:
    def write() -> None:
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                time.sleep(0.01)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "named.pipe"
    os.mkfifo(path)
    return path


def drained(source: PipeSource) -> list[Chunk]:
    chunks = []
    deadline = time.monotonic() + 20
    while not source.finished:
        chunks += source.take(0.05)
        assert time.monotonic() < deadline
    return chunks


def test_everything_that_comes_is_handed_on(pipe: Path) -> None:
    """Pieces of any size make the same records, none lost at their bounds."""
    octets = pcap(RECORDS)
    source = PipeSource(str(pipe))
    writer = feed(pipe, octets[:10], octets[10:70_000], octets[70_000:])
    chunks = drained(source)
    writer.join()
    assert sum(len(chunk.ends) for chunk in chunks) == len(RECORDS)
    assert source.faults == []
    assert source.take(0) == []
    assert source.tally().dropped is None
    source.close()


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"", "ended without anything: there was no capture in it"),
        (b"\xd4\xc3", "ended after 2 octets: there was no capture in it"),
        (b"GIF89a", "What comes is neither pcap nor pcapng"),
        (pcap(RECORDS[:2])[:-1], "ended in the middle of a packet, of which 75 octets came"),
    ],
)
def test_how_it_ended_is_told(pipe: Path, octets: bytes, message: str) -> None:
    """A pipe that ends inside a record or brings no capture says so."""
    source = PipeSource(str(pipe))
    writer = feed(pipe, octets)
    drained(source)
    writer.join()
    (fault,) = source.faults
    assert fault.kind == "input"
    assert message in fault.message


def test_asked_to_end_it_does_not_wait_for_the_writer(pipe: Path) -> None:
    """A pipe that nobody writes to, or that stays open, must not keep a capture from ending."""
    source = PipeSource(str(pipe))
    assert source.take(0.01) == []
    with pipe.open("wb", buffering=0) as writer:
        writer.write(pcap(RECORDS[:5]))
        taken: list[Chunk] = []
        while sum(len(chunk.ends) for chunk in taken) < 5:
            taken += source.take(0.05)
        source.end()
        assert drained(source) == []
    assert source.faults == []
    source.close()


def test_what_is_no_pipe_is_refused(tmp_path: Path) -> None:
    """At once, in a sentence, not by waiting for ever."""
    with pytest.raises(SourceError, match="There is no pipe"):
        PipeSource(str(tmp_path / "missing"))
    with pytest.raises(SourceError, match="is a folder"):
        PipeSource(str(tmp_path))


def test_a_store_outlasts_a_pause_and_has_a_bound() -> None:
    """Small pieces do not fill it; a writer beyond its limit waits until something was taken."""
    store = OctetStore(1000)
    assert store.take(0) == b""
    assert all(store.put(b"x") for _ in range(1000))
    waiting = threading.Thread(target=store.put, args=(b"y" * 10,))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    assert store.take(0) == b"x" * 1000
    waiting.join(5)
    store.end()
    assert store.take(0) == b"y" * 10
    assert store.take(0) is None


def test_a_store_that_nobody_takes_from_lets_its_writer_go() -> None:
    """The reading thread ends with its capture instead of waiting for room."""
    store = OctetStore(1)
    assert store.put(b"x")
    told: list[bool] = []
    waiting = threading.Thread(target=lambda: told.append(store.put(b"y")))
    waiting.start()
    store.close()
    waiting.join(5)
    assert told == [False]
    assert store.take(1) == b"xy"
    assert store.take(1) is None


def test_an_error_comes_after_what_was_before_it() -> None:
    """Octets that were read before a fault are not lost by it."""
    store = OctetStore(10)
    store.put(b"x")
    store.end(OSError(5, "Input/output error"))
    assert store.take(0) == b"x"
    with pytest.raises(OSError, match="Input/output error"):
        store.take(0)
