"""Answers of a capture's analysis in the panes' words: a row's fields, octets, tree and neighbours.

Nothing is worked out for rows that nobody looks at.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.annotations import comments_of, named
from cosemscope.analysis.associations.association import AnyLook, Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.row_trees import GONE, GONE_TREE, decode_framed
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.expert.row_items import row_sentences
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.notes import NoteKind
from cosemscope.analysis.outcomes.capture_facts import known_facts
from cosemscope.analysis.sessions.counts import TableCounts, table_counts
from cosemscope.apdu.context import Context
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.summary import summarise
from cosemscope.capture.source import NoRecords
from cosemscope.gui.document.protection import WantedKey, listening
from cosemscope.gui.look.apdu_kinds import Kind, kind_of, kinds_of
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.streams.tables.wpdu_table import Mark
from cosemscope.transport.wports import Side
from cosemscope.wording import clock, size

#: For info lines: long arrays need not be read to their end.
_BRIEFLY = Context(brief=True)

#: Marks that deserve a warning sign in the table.
_REMARKABLE = Mark.TRUNCATED | Mark.RESYNCHRONISED | Mark.TRAILING | Mark.OUT_OF_ORDER | Mark.DAMAGED

_UNANSWERED = int(ExchangeStatus.UNANSWERED)
#: WPDUs with more octets than this are told by their APDU's name alone until they are selected: a page of
#: the table must not decode a megabyte.
_SUMMARISED = 4096


class Line(NamedTuple):
    """The words of a row: info line, verdict and its sentences. Tens of thousands are kept: no plaintexts."""

    text: str
    verdict: Verdict = Verdict.CLEAR
    sentence: str = ""


class Traffic:
    """The window's view of one analysis, of the capture called `name`.

    `total` is the number of rows that may be looked at, `counts` what they are.
    """

    def __init__(self, analysis: Analysis, name: str = "") -> None:
        self.analysis = analysis
        self.name = name
        self.wpdus = analysis.wpdus
        self.streams = analysis.streams
        self.pairs = analysis.pairs
        self.wpdu_pairs = analysis.wpdu_pairs
        self.total = 0
        self.counts = TableCounts()
        self.associations = Associations(analysis)
        self._early: set[int] = set()  # rows that were told before the pass had come to them

    @classmethod
    def empty(cls) -> "Traffic":
        """No capture."""
        return cls(Analysis(NoRecords()))

    def take_rows(self, total: int) -> None:
        """The capture has `total` WPDUs now."""
        self.counts = self.counts.plus(table_counts(self.wpdus, slice(self.total, total)))
        self.total = total

    @property
    def first_time(self) -> int:
        """The time of the first WPDU's last octet, in nanoseconds since the epoch; 0 without any."""
        return self.wpdus["time"].item(0) if len(self.wpdus) else 0

    def references(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The time reference that times of these rows count from, int64[n]; -1 for the first WPDU."""
        notes = self.analysis.notes.rows(NoteKind.REFERENCE)
        if not len(notes):
            return np.full(len(rows), -1, np.int64)
        return np.append(notes, -1)[np.searchsorted(notes, rows, "right") - 1]

    def requests(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The request before each of these rows with which its exchange began, int64[n]; -1 for none."""
        exchanges = self.analysis.exchanges
        of = exchanges.of["exchange"]
        exchange = np.append(of, -1)[np.where(rows < len(of), rows, -1)]
        request = np.append(exchanges["request"], -1)[exchange].astype(np.int64)
        return np.where(request < rows, request, -1)

    def take_early(self) -> set[int]:
        """The rows that were told of, since this was asked last, before the pass had come to them."""
        early, self._early = self._early, set()
        return early

    def octets(self, row: int) -> bytes:
        """The WPDU's octets, header included."""
        return self.analysis.octets(row)

    # What a WPDU says

    def _is_gone(self, row: int, octets: bytes) -> bool:
        """Whether a ring has removed the file that a WPDU row was in: only the columns are left of it."""
        return not octets and self.wpdus["size"].item(row) > 0

    def _look(self, row: int, octets: bytes) -> Look:
        look = self.associations.look(row, octets)
        if row >= self.associations.passed:
            self._early.add(row)
        return look

    def decode(self, row: int) -> tuple[Decoded, list[Opening]]:
        """The tree of a WPDU row, with all that is known of its association (tens of ms at worst).

        Beside it what came of opening each ciphered part.
        """
        octets = self.octets(row)
        if self._is_gone(row, octets):
            return GONE_TREE, []
        look = self._look(row, octets)
        context, heard = listening(look.context)
        return self.associations.decode(row, look._replace(context=context), octets), heard

    def apdu_octets(self, row: int) -> bytes:
        """The octets of a WPDU's APDU: what stands after the header, or in HDLC frames."""
        return apdu_octets(self.octets(row), Framing(self.wpdus["framing"].item(row)))

    def plaintext(self, row: int) -> bytes | None:
        """The octets of the APDU that was opened; None when none was."""
        opening = self.associations.look(row).opening
        return opening.plaintext if opening is not None else None

    def wanted_key(self, row: int) -> WantedKey | None:
        """Returns the wish for a key that may open a WPDU row; None where no key is wanting."""
        for opening in self.decode(row)[1]:
            if opening.verdict.wants_key:
                address = "" if opening.title is not None else self.sender_address(row)
                return WantedKey(opening.title, address)
        return None

    def sender_address(self, row: int) -> str:
        """The address of who sent a WPDU, without its port."""
        ends = self.analysis.endpoints(self.stream(row))
        return str(ends[self.wpdus["direction"].item(row)].address)

    def is_long(self, row: int) -> bool:
        """Whether a WPDU is too long to be decoded for one line."""
        return self.wpdus["size"].item(row) > _SUMMARISED

    def outline(self, row: int) -> str:
        """Returns one line on a WPDU row at once, from the row's octets alone."""
        if self.is_long(row):
            return self._name_and_size(row)
        octets = self.octets(row)
        if self._is_gone(row, octets):
            return GONE
        framing = Framing(self.wpdus["framing"].item(row))
        return summarise(decode_framed(octets, framing, _BRIEFLY))

    def _name_and_size(self, row: int) -> str:
        return f"{apdu_name(self.wpdus['apdu_tag'].item(row))}, {size(self.wpdus['size'].item(row))}"

    def info(self, row: int, look: Look | None = None) -> Line:
        """Returns the line with all that the association tells: what a response answers, an opened APDU."""
        octets, is_long = self.octets(row), self.is_long(row)
        if self._is_gone(row, octets):
            return Line(self._name_and_size(row) if is_long else GONE)
        look = look or self._look(row, octets)
        sentence = look.opening.text if look.opening is not None else ""
        if not is_long:
            return Line(self.associations.info(row, look, octets), look.verdict, sentence)
        inner = f"{apdu_name(look.inner)} in " if look.openings and look.inner >= 0 else ""
        return Line(inner + self._name_and_size(row), look.verdict, sentence)

    def stream(self, row: int) -> int:
        """The stream of a WPDU row."""
        return self.wpdus["stream"].item(row)

    # Fields

    def asked(self, rows: npt.NDArray[np.int64]) -> AskedRows:
        """These rows, for fields to tell of them; those that look at rows look here."""
        return AskedRows(self.analysis, rows, self)

    def said(self, row: int, *names: str) -> list[str]:
        """The texts of some fields of a row."""
        asked = self.asked(np.array([row]))
        return [FIELDS[name].texts(asked)[0] for name in names]

    def looks(self, rows: npt.NDArray[np.int64]) -> list[AnyLook]:
        """A look at each of these rows."""
        return [self._look(row, self.octets(row)) for row in rows.tolist()]

    def infos(self, rows: npt.NDArray[np.int64], looks: list[AnyLook]) -> list[str]:
        """The info line of each of these rows."""
        told = (look if isinstance(look, Look) else None for look in looks)
        return [self.info(row, look).text for row, look in zip(rows.tolist(), told, strict=True)]

    # What a row is

    def kinds(self, rows: slice | npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
        """The kind of each of these rows, as far as the pass has come: see `apdu_kinds`."""
        seen = self.analysis.first_look
        return kinds_of(self.wpdus["apdu_tag"][rows], seen["inner"][rows], seen["result"][rows])

    def kind(self, row: int) -> Kind:
        """The kind of one row."""
        seen = self.analysis.first_look
        return kind_of(self.wpdus["apdu_tag"].item(row), seen["inner"].item(row), seen["result"].item(row))

    def is_unanswered(self, row: int) -> bool:
        """Whether a row asks something that nobody answered, as far as that has been worked out."""
        facts = known_facts(self.analysis)
        statuses = facts.known_statuses if facts is not None else None
        if facts is None or statuses is None or row >= len(facts.of):
            return False
        exchange = facts.of.item(row)
        return exchange >= 0 and statuses.item(exchange) == _UNANSWERED

    def marks(self, row: int) -> Mark:
        """The marks of a row that deserve a warning sign."""
        return Mark(self.wpdus["marks"].item(row)) & _REMARKABLE

    def mark_names(self, row: int) -> list[str]:
        """Sentences on what is remarkable about a row: those of its expert items."""
        return [text[:1].upper() + text[1:] for text in row_sentences(self.analysis, row)]

    def comments(self, row: int) -> list[str]:
        """The comments on a row's packets, each with the packet's number."""
        return [f"Packet {number}: {text}" for number, text in comments_of(self.analysis, row)]

    def named(self, address: str) -> str:
        """An address with the name that the capture gives it, if it does."""
        return named(address, self.analysis.reader.names)

    def pair(self, row: int) -> int:
        """The row in `pairs` of a WPDU row."""
        return self.wpdu_pairs["pair"].item(row)

    def sender(self, row: int) -> Side:
        """The DLMS role of who sent a WPDU: a meter that opened the connection is the server all the same."""
        is_client = self.analysis.sent_by_client(slice(row, row + 1))[0]
        return Side.CLIENT if is_client else Side.SERVER

    def describe(self, row: int) -> str:
        """A row in two lines, for a tool tip."""
        name, length, source, destination = self.said(row, "apdu", "wpdu.length", "source", "destination")
        return (
            f"WPDU {row + 1}: {name or 'no APDU'}, {length} octets\n"
            f"{source} to {destination}\n{clock(self.wpdus['time'].item(row))}"
        )

    # Packets

    def row_next_to(self, packet: int, stream: int) -> int:
        """The WPDU of a stream that ends in this packet or is the next to end; else its last one, or -1."""
        rows = np.flatnonzero(self.wpdus["stream"][: self.total] == stream)
        ends = self.wpdus["last_packet"][rows]
        behind = np.flatnonzero(ends >= packet)
        if not len(rows):
            return -1
        return rows.item(behind[ends[behind].argmin()]) if len(behind) else rows.item(-1)

    def row_at_packet(self, packet: int) -> int:
        """The WPDU that a packet row carries, or the next of its stream; -1 where that has none."""
        streams = self.analysis.packet_streams["stream"]
        stream = streams.item(packet) if packet < len(streams) else -1
        return self.row_next_to(packet, stream) if stream >= 0 else -1

    def carries(self, row: int, packet: int) -> bool:
        """Whether a packet row carries octets of a WPDU."""
        return packet in self.wpdus.packets_of(row)

    # Neighbours

    def counterpart(self, row: int) -> int:
        """The answer to a request, or the request of an answer; -1 where there is none that is known."""
        exchanges = self.analysis.exchanges
        of = exchanges.of["exchange"]
        exchange = of.item(row) if 0 <= row < len(of) else -1
        if exchange < 0:
            return -1
        request, answer, last = (
            exchanges[name].item(exchange) for name in ("request", "response", "last_response")
        )
        return request if answer >= 0 and answer <= row <= last and request != row else answer

    def neighbour(self, row: int, by: int) -> int:
        """The row before (-1) or after (1) in the same stream with the same wPorts; -1 when there is none."""
        if not 0 <= row < self.total:
            return -1
        pair = self.pair(row)
        pairs = self.wpdu_pairs["pair"]
        return _search(lambda start, stop: np.flatnonzero(pairs[start:stop] == pair), row, by, self.total)


def _search(same: Callable[[int, int], npt.NDArray[Any]], row: int, by: int, total: int) -> int:
    """The nearest row that `same` finds, looking in pieces that double in size."""
    size = 256
    at = row + 1 if by > 0 else row
    while (at < total) if by > 0 else (at > 0):
        start, stop = (at, min(total, at + size)) if by > 0 else (max(0, at - size), at)
        found = same(start, stop)
        if len(found):
            return start + int(found[0 if by > 0 else -1])
        at = stop if by > 0 else start
        size *= 2
    return -1
