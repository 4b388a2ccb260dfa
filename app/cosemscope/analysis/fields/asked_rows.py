"""WPDU rows that fields are asked about, and what several fields want of them, worked out once.

    asked = AskedRows(analysis, slice(0, 4096), Insights(analysis, keys))
    FIELDS["obis"].texts(asked)

Columns come as arrays with an entry a row. Looks are asked for only by fields that need them.
"""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import AnyLook, Look
from cosemscope.analysis.associations.quiet_rows import NOT_READ
from cosemscope.analysis.associations.told_values import ToldValue, told_value
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.row_items import RowItems, row_items
from cosemscope.analysis.fields.quiet_values import quiet_value
from cosemscope.analysis.fields.value_arrays import Array, Coded, coded
from cosemscope.analysis.fields.value_types import ADDRESS
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.apdu.context import Reference
from cosemscope.apdu.first_look import FIRST_LOOK_FIELDS, NOTHING_SEEN, FirstLook
from cosemscope.apdu.first_look import look as look_at_apdus
from cosemscope.apdu.names.tags import (
    ACCESS_REQUEST,
    ACCESS_RESPONSE,
    ACTION_REQUEST,
    ACTION_RESPONSE,
    GET_REQUEST,
    GET_RESPONSE,
    SET_REQUEST,
    SET_RESPONSE,
)
from cosemscope.apdu.opening import Opening
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.streams.tables.stream_kinds import RETRANSMISSION

Numbers = npt.NDArray[np.int64]


#: What stands in columns of objects where there is none: no number of 16 bits, no logical name of 48.
NO_MEMBER = -(1 << 15)
NO_OBIS = (1 << 64) - 1


class Objects(NamedTuple):
    """The object of each row: class (int32, -1 none), logical name (uint64, `NO_OBIS`), member (int16).

    `member` is an attribute, or where `method` (bool) says so a method; `NO_MEMBER` where there is none.
    """

    class_id: npt.NDArray[np.int32]
    obis: npt.NDArray[np.uint64]
    member: npt.NDArray[np.int16]
    method: npt.NDArray[np.bool_]


class Looker(Protocol):
    """Who knows what stands around APDUs: keys, requests, blocks and scalers of their associations."""

    def looks(self, rows: Numbers) -> list[AnyLook]:
        """A look at each of these rows."""

    def infos(self, rows: Numbers, looks: list[AnyLook]) -> list[str]:
        """The info line of each of these rows."""


class AskedRows:
    """Rows of an analysis: `rows` is a slice or integers[n]; `looker` serves fields that cost a look."""

    def __init__(self, analysis: Analysis, rows: slice | Array, looker: Looker | None = None) -> None:
        self.analysis = analysis
        self.rows = rows
        self._looker = looker

    def wpdus(self, name: str) -> Array:
        """A column of the WPDU table."""
        return self.analysis.wpdus[name][self.rows]

    def packets(self, name: str) -> Array:
        """A column of the packet table, of the packet that brought the first octet."""
        return self.analysis.packets[name][self.wpdus("first_packet")]

    def first_look(self, name: str) -> Array:
        """A column of the first looks, see `first_look_columns`; of ciphered APDUs once they were walked."""
        return self.analysis.first_look[name][self.rows]

    def streams(self, name: str) -> Array:
        """A column of the stream table, of the row's stream."""
        return self.analysis.streams[name][self.wpdus("stream")]

    @cached_property
    def numbers(self) -> Numbers:
        """The row numbers, int64[n]."""
        if isinstance(self.rows, slice):
            return np.arange(*self.rows.indices(len(self.analysis.wpdus)))
        return self.rows.astype(np.int64)

    @cached_property
    def pairs(self) -> Array:
        """The row of each one's wPort pair."""
        pairs: Array = self.analysis.wpdu_pairs["pair"][self.rows]
        return pairs

    @cached_property
    def from_client(self) -> npt.NDArray[np.bool_]:
        """Whether the DLMS client sent each row, bool[n], whoever opened the connection."""
        return self.analysis.sent_by_client(self.rows)

    @cached_property
    def client_is_near(self) -> npt.NDArray[np.bool_]:
        """Whether the stream's client is the DLMS client on each row's wPort pair, bool[n]."""
        return self.analysis.client_is_near(self.rows)

    @cached_property
    def _sides(self) -> Numbers:
        """Who sent each row: twice the flow, and 1 more for its side b."""
        side = self.streams("client_side") ^ self.wpdus("direction")
        sides: Numbers = self.streams("flow").astype(np.int64) * 2 + side
        return sides

    @cached_property
    def _senders(self) -> Coded:
        """The same, coded."""
        return coded(self._sides)

    def end(self, *, receiver: bool | npt.NDArray[np.bool_] = False, port: bool = True) -> Coded:
        """The IP address and port of who sent each row, or received it, as records of `ADDRESS`."""
        if isinstance(receiver, np.ndarray):
            codes, used = coded(self._sides ^ receiver)
        else:
            codes, used = self._senders
            used = used ^ int(receiver)
        ends, flows = np.zeros(len(used), ADDRESS), self.analysis.flows
        for number, letter in enumerate("ab"):
            at = np.flatnonzero(used % 2 == number)
            flow = used[at] // 2
            ends["family"][at] = flows["family"][flow]
            for part in ("high", "low", "port") if port else ("high", "low"):
                ends[part][at] = flows[f"{letter}_{part}"][flow]
        return Coded(codes, ends)

    @cached_property
    def packet_rows(self) -> tuple[Numbers, Numbers]:
        """Stops and values of `Several`: the packet rows of each WPDU, once each, in its octets' order."""
        place, packets = self.analysis.wpdus.pieces(self.numbers)
        several = np.flatnonzero(np.bincount(place)[place] > 1)
        if len(several):  # a packet that comes again in its row goes
            once = np.unique((place << 32 | packets)[several], return_index=True)[1]
            again = np.delete(several, once)
            place, packets = np.delete(place, again), np.delete(packets, again)
        return np.cumsum(np.bincount(place, minlength=len(self.numbers))), packets

    @cached_property
    def items(self) -> RowItems:
        """The expert items of the rows."""
        return row_items(self.analysis, self.numbers)

    # The exchanges of the rows.

    @cached_property
    def facts(self) -> CaptureFacts:
        """What is known of the whole capture."""
        return capture_facts(self.analysis)

    @cached_property
    def exchange_rows(self) -> Numbers:
        """The exchange of each row, -1 for none."""
        return self.facts.of[self.rows].astype(np.int64)

    def exchange(self, name: str, none: int) -> Array:
        """A column of the exchange table, see `EXCHANGE_FIELDS`; `none` for rows without an exchange."""
        return self.of_exchange(self.facts.table[name], none)

    def of_exchange(self, values: Array, none: int) -> Array:
        """Of values by exchange, that of each row; `none` for rows without an exchange."""
        if none < 0:
            values = values.astype(np.int64) if values.dtype.kind == "u" else values
        if not len(values):
            return np.full(len(self.exchange_rows), none, values.dtype)
        there = self.exchange_rows >= 0
        return np.where(there, values[np.maximum(self.exchange_rows, 0)], values.dtype.type(none))

    @cached_property
    def association_rows(self) -> Numbers:
        """The association of each row, -1 for none."""
        return self.of_exchange(self.facts.associations.of, -1)

    def of_association(self, values: Array, none: int) -> Array:
        """Of values by association, that of each row; `none` for rows without one."""
        if not len(values):
            return np.full(len(self.association_rows), none, values.dtype)
        there = self.association_rows >= 0
        return np.where(there, values[np.maximum(self.association_rows, 0)], values.dtype.type(none))

    @cached_property
    def resent(self) -> Numbers:
        """How many segments of each row were sent again."""
        packets, items = self.analysis.packets, self.analysis.expert_items
        found = items["packet"][items["kind"] == RETRANSMISSION.number]
        stops, carried = self.packet_rows

        def segments(rows: Array) -> Array:
            """A segment's flow, side and sequence number as one number."""
            side = packets["flow"][rows].astype(np.int64) * 2 + packets["direction"][rows]
            number: Array = side << 32 | packets["seq"][rows]
            return number

        again = np.isin(segments(carried), segments(found)) & (packets["protocol"][carried] == TCP)
        resent: Numbers = np.diff(np.cumsum(again)[stops - 1], prepend=0)
        return resent

    # What stands around APDUs.

    @property
    def has_looker(self) -> bool:
        """Whether somebody looks at rows."""
        return self._looker is not None

    @cached_property
    def looks(self) -> list[AnyLook]:
        """A look at each row. Raises ValueError where nobody is there to look."""
        return self._asked_looker().looks(self.numbers)

    @cached_property
    def loud(self) -> dict[int, Look]:
        """The looks at rows that are not quiet, by their places among the rows."""
        return {place: look for place, look in enumerate(self.looks) if isinstance(look, Look)}

    @property
    def openings(self) -> dict[int, Opening]:
        """The outermost attempts to open what is ciphered, by the places of their rows."""
        return {place: look.openings[0] for place, look in self.loud.items() if look.openings}

    @cached_property
    def _seen(self) -> FirstLook:
        """The first look at the innermost APDU of each row: of quiet rows, what stands in the columns.

        What is no block itself has that of the block transfer that it came in; results that stand further in
        are those that the walk found.
        """
        seen = {name: self.first_look(name).copy() for name in FIRST_LOOK_FIELDS}
        # Of a row that is its own innermost APDU the columns say the same already.
        tags = self.wpdus("apdu_tag").tolist()
        inner = {place: look.plain for place, look in self.loud.items() if not look.is_bare(tags[place])}
        found = look_at_apdus(list(inner.values()))
        places = np.fromiter(inner, np.int64, len(inner))
        for name, column in seen.items():
            own, known = found[name], column[places]
            if name in _OF_TRANSFERS:
                own = np.where(own < 0, known, own)
            column[places] = np.where(known < 0, own, known) if name in _FURTHER_IN else own
        return seen

    def seen(self, name: str) -> Array:
        """A column of the first look at the innermost APDU of each row, see `FIRST_LOOK_FIELDS`.

        Where nobody looks, as far as it is known by now. Of APDUs that lack octets or are damaged nothing is,
        as nothing is seen by who looks at them.
        """
        if self.has_looker:
            return self._seen[name]
        unread = (self.wpdus("marks") & NOT_READ) > 0
        column = self.first_look(name)
        return np.where(unread, column.dtype.type(NOTHING_SEEN[name]), column) if unread.any() else column

    @cached_property
    def objects(self) -> Objects:
        """The object that each row names, or else the request that it answers.

        Of a list that is the first one, or of an answer the first that is refused.
        Where nobody looks, the requests are those of the exchanges, as far as they are known by now.
        """
        class_id = self.seen("class_id").copy()
        there = class_id >= 0
        obis = np.where(there, self.seen("obis"), np.uint64(NO_OBIS))
        member = np.where(there, self.seen("member"), np.int16(NO_MEMBER))
        method = there & _calls(self.seen("service"), self.seen("choice"))
        objects = Objects(class_id, obis, member, method)
        if self.has_looker:
            _fill(objects, np.flatnonzero(~there), self.looks)
        else:
            speak = ~there & np.isin(self.seen("service"), _SPEAK_OF_IT)
            self._fill_from_exchanges(objects, np.flatnonzero(speak & (self.exchange("class_id", -1) >= 0)))
        self._name_refused(objects, ~there)
        return objects

    def _name_refused(self, objects: Objects, answering: npt.NDArray[np.bool_]) -> None:
        """Put the first item that was refused in the place of a list's first one."""
        refused = self.analysis.refused
        if not refused:
            return
        rows = np.fromiter(refused, np.int64, len(refused))
        for place in np.flatnonzero(answering & np.isin(self.numbers, rows)).tolist():
            items = refused.get(int(self.numbers[place]), ())
            reference = items[0].reference if items else None
            if reference is not None:
                for name, read in _OF_REFERENCE.items():
                    getattr(objects, name)[place] = read(reference)

    def _fill_from_exchanges(self, objects: Objects, places: Numbers) -> None:
        """Put the objects that the exchanges of these places ask for there."""
        exchanges, table = self.exchange_rows[places], self.facts.table
        for name in ("class_id", "obis", "member"):
            getattr(objects, name)[places] = table[name][exchanges]
        asking = table["whole_request"][exchanges]
        choice = self.analysis.first_look["choice"][np.maximum(asking, 0)]
        objects.method[places] = _calls(table["service"][exchanges], np.where(asking >= 0, choice, -1))

    @cached_property
    def told_values(self) -> list[ToldValue]:
        """The value that each row says of its object. Raises ValueError where nobody is there to look.

        What refuses an item of a list names that item, and says no value of it.
        """
        told = [
            told_value(look.context, look.plain) if isinstance(look, Look) else quiet_value(look, apdu)
            for look, apdu in zip(self.looks, self.analysis.apdus_of(self.numbers), strict=True)
        ]
        refused = self.analysis.refused
        if refused:
            told = [
                ToldValue() if row in refused else one
                for row, one in zip(self.numbers.tolist(), told, strict=True)
            ]
        return told

    @cached_property
    def infos(self) -> list[str]:
        """The info line of each row. Raises ValueError where nobody is there to look."""
        return self._asked_looker().infos(self.numbers, self.looks)

    def _asked_looker(self) -> Looker:
        if self._looker is None:
            raise ValueError("these fields need looks at the rows, and nobody looks")
        return self._looker

    @cached_property
    def octets(self) -> list[bytes]:
        """The octets of each row, header included. Raises CaptureError and OSError."""
        return list(self.analysis.octets_of(self.numbers))


#: What a block transfer says of itself, whatever it carries.
_OF_TRANSFERS = frozenset(("block", "last_block"))
#: What the walk has put into the columns, also where the first octets say less.
_FURTHER_IN = frozenset(("result",))
#: What tells of the object that was asked for, whole or in blocks: errors of the whole service do not.
_SPEAK_OF_IT = (
    GET_REQUEST,
    SET_REQUEST,
    ACTION_REQUEST,
    GET_RESPONSE,
    SET_RESPONSE,
    ACTION_RESPONSE,
    ACCESS_RESPONSE,
)


def _calls(service: Array, choice: Array) -> npt.NDArray[np.bool_]:
    """Whether requests of these services and choices call a method."""
    calls: npt.NDArray[np.bool_] = (service == ACTION_REQUEST) | (service == ACCESS_REQUEST) & (choice == 3)
    return calls


def _fill(objects: Objects, places: Numbers, looks: list[AnyLook]) -> None:
    """Put the objects that requests ask for into these places, each request being read once."""
    requests = [looks[place].request for place in places.tolist()]
    ids = list(map(id, requests))
    once = dict(zip(ids, requests, strict=True))
    known = {key: one.references[0] for key, one in once.items() if one is not None and one.references}
    numbers = dict.fromkeys(once, -1) | dict(zip(known, range(len(known)), strict=True))
    which = np.fromiter(map(numbers.__getitem__, ids), np.int64, len(ids))
    places, which = places[which >= 0], which[which >= 0]
    for name, read in _OF_REFERENCE.items():
        column: Array = getattr(objects, name)
        column[places] = np.array([read(reference) for reference in known.values()], column.dtype)[which]


_OF_REFERENCE: dict[str, Callable[[Reference], int]] = {
    "class_id": lambda reference: reference.class_id,
    "obis": lambda reference: int.from_bytes(reference.instance, "big"),
    "member": lambda reference: reference.member,
    "method": lambda reference: reference.method,
}
