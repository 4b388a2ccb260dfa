"""Base class of sources of records: one file (`reader`), or the files of a ring (`sequence`)."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from cosemscope.capture.cancelling import Look, no_look
from cosemscope.capture.octets import SideStore
from cosemscope.capture.records import CaptureProblem, Interface, RecordBatch, Section, Statistics


class RecordSource(ABC):
    """Gives the records of a capture, batch by batch.

    `problems` lists what could not be read, `interfaces` and `sections` where packets came from, `statistics`
    what the capturing program counted, by interface: they grow while reading. `names` maps addresses to the
    names that the capture gives them, `comments` packet numbers (from 0) to their comments. `side` is the
    store for octets put together from several packets. `finished` is true once nothing more will come. `look`
    is asked while reading: where it raises Cancelled nothing more may be read.

    One thread reads; `octets` may be called from any, until `close`.
    """

    def __init__(self) -> None:
        self.problems: list[CaptureProblem] = []
        self.interfaces: list[Interface] = []
        self.sections: list[Section] = []
        self.names: dict[str, str] = {}
        self.statistics: dict[int, Statistics] = {}
        self.comments: dict[int, tuple[str, ...]] = {}
        self.side = SideStore()
        self.finished = False
        self.look: Look = no_look

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    @abstractmethod
    def size(self) -> int:
        """Octets on disk, as of now."""

    @property
    @abstractmethod
    def position(self) -> int:
        """Octets on disk that are done."""

    @abstractmethod
    def read(self, max_records: int = ...) -> RecordBatch | None:
        """The next records; None when there is nothing more now. Raises CaptureError."""

    @abstractmethod
    def octets(self, address: int, length: int) -> bytes:
        """Up to `length` octets at `address`. Raises CaptureError."""

    @abstractmethod
    def stop_following(self) -> None:
        """Say that nothing is added any more."""

    @abstractmethod
    def close(self) -> None:
        """Close what is open."""


class NoRecords(RecordSource):
    """The source of an empty capture, which stands for no capture at all."""

    size = position = 0

    def read(self, max_records: int = 0) -> RecordBatch | None:
        """There is never anything."""
        self.finished = True
        return None

    def octets(self, address: int, length: int) -> bytes:
        """There are none."""
        return b""

    def stop_following(self) -> None:
        """Nothing is ever added."""

    def close(self) -> None:
        """Nothing is open."""
