"""Batches read ahead come in order, none is lost, and what goes wrong meanwhile is told."""

import threading
from itertools import pairwise

import pytest

from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.packets.packet_table import PacketTable
from cosemscope.capture.records import CaptureError
from cosemscope.streams.read_ahead import ReadAhead
from tests.helpers.files import Record, pcap


@pytest.fixture
def new_threads():
    """Tell the threads that started since the test began: another test's pool may still be winding down."""
    before = set(threading.enumerate())
    return lambda: set(threading.enumerate()) - before


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap([Record(time=number * 1000, octets=bytes(60)) for number in range(20_000)]))
    with open_capture(path) as reader:
        yield reader


def test_batches_come_in_order_and_no_thread_stays(capture, new_threads):
    """Protects against records that are read but never analysed, and threads that outlive their step."""
    table = PacketTable(capture.side)
    ahead = ReadAhead(capture, table)
    rows = []
    while True:
        batch, there = ahead.next(5_000)
        if batch is None:
            break
        with ahead.reading(5_000, len(batch)):
            rows.append(there)
        assert not new_threads()
    assert rows[0].start == 0
    assert all(one.stop == other.start for one, other in pairwise(rows))
    assert len(table.packets) == 20_000


def test_a_small_batch_starts_no_thread(capture, new_threads):
    """A live capture hands over a few packets at a time."""
    ahead = ReadAhead(capture, PacketTable(capture.side))
    ahead.next(40)
    with ahead.reading(40, 40):
        assert not new_threads()
    assert ahead.next(40)[1] == slice(40, 80)


def test_an_error_met_while_reading_ahead_is_raised_at_the_next_step(capture, monkeypatch):
    """An error in another thread must reach the person who opened the file."""
    ahead = ReadAhead(capture, PacketTable(capture.side))
    batch, _ = ahead.next(5_000)

    def fail(most):
        raise CaptureError("the file cannot be read any further")

    monkeypatch.setattr(capture, "read", fail)
    with ahead.reading(5_000, len(batch)):
        pass
    with pytest.raises(CaptureError, match="cannot be read any further"):
        ahead.next(5_000)
