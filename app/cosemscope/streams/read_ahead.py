"""Reading one batch ahead: while one batch is analysed, a second thread reads the next.

Reading, walking records and taking headers apart is nearly all NumPy and file access, which leave Python to
other threads; so is most of the analysis. The thread lives within `reading` only: outside it nothing
runs, so nobody has to stop it and tables do not grow behind anybody's back.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cosemscope.capture.packets.packet_table import PacketTable
from cosemscope.capture.records import RecordBatch
from cosemscope.capture.source import RecordSource

# Batches smaller than this are read when they are wanted: a thread would cost more than it brings.
_WORTHWHILE = 4_096
_NOTHING = slice(0, 0)


class ReadAhead:
    """Reads batches of records and enters their packets into `table`."""

    def __init__(self, reader: RecordSource, table: PacketTable) -> None:
        self._reader = reader
        self._table = table
        self._waits: tuple[RecordBatch | None, slice] | None = None
        self._error: Exception | None = None

    def next(self, most: int) -> tuple[RecordBatch | None, slice]:
        """The batch that was read ahead, or else the next `most` records; and its rows in the packet table.

        None for the batch when there is nothing new now. Raises CaptureError, also that of reading ahead.
        """
        waits, self._waits = self._waits, None
        error, self._error = self._error, None
        if error is not None:
            raise error
        return waits or self._read(most)

    @contextmanager
    def reading(self, most: int, last: int) -> Iterator[None]:
        """Read the next `most` records meanwhile, if the `last` batch was large enough to expect many."""
        if last < _WORTHWHILE:
            yield
            return
        thread = threading.Thread(target=self._read_ahead, args=(most,), name="reading ahead", daemon=True)
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def _read_ahead(self, most: int) -> None:
        try:
            self._waits = self._read(most)
        except Exception as error:  # raised again where the batch is asked for
            self._error = error

    def _read(self, most: int) -> tuple[RecordBatch | None, slice]:
        batch = self._reader.read(most)
        return batch, _NOTHING if batch is None else self._table.add(batch)
