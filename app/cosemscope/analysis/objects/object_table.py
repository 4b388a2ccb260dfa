"""The object table: every attribute that a capture tells of, by meter, and every reading of it.

    view = ObjectView(analysis, keys)
    view.complete(told=show_progress)

A meter is a DLMS server by its address, a logical device of it by its wPort. Readings
are columns in the order of the capture; equal values in a row are kept once. Pushes are
tied to their objects at the end, when all object lists are known. Of a capture that grows
the view is completed again and again, and takes in what is new; pushes of a meter of which
more is known then are tied anew.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import AnyLook, Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.steps import SCALER_MEMBERS
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.objects.object_values import KeptValue, ScalerUnit, kept, kept_number
from cosemscope.analysis.objects.push_data import (
    PUSH_SETUP,
    UNKNOWN_CLASS,
    PushLists,
    object_list,
    push_data,
)
from cosemscope.analysis.objects.told_data import How, ToldData, told_data
from cosemscope.analysis.sessions.wport_pairs import near_is_client
from cosemscope.apdu.context import Context, Reference
from cosemscope.apdu.data.shapes import SCALER_UNIT_ATTRIBUTE
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Columns
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.streams.tables.wpdu_table import Mark

#: READING columns: `attribute`: place in `ObjectView.attributes`; `wpdu`: row; `item`: place in its list;
#: `how`: How; `result`: data-access-result, 0 success; `value`: place in `ObjectView.values`, -1 none;
#: `client`: place in `ObjectView.clients`.
READING_FIELDS: dict[str, str] = {
    "attribute": "u4",
    "wpdu": "u4",
    "item": "u2",
    "how": "u1",
    "result": "i2",
    "value": "i4",
    "client": "u4",
}
_BATCH = 2048
_REMEMBERED, _LONGEST = 1 << 15, 32
#: Tags of Data with elements: array, structure, compact-array.
_ELEMENTS = frozenset((b"\x01", b"\x02", b"\x13"))
#: Attributes whose elements other values need: scalers are structures, lists of pushes arrays.
_NEEDED = frozenset((*((*member, b"\x02") for member in SCALER_MEMBERS), (PUSH_SETUP, 2, b"\x01")))
#: APDUs that may tell data; of all others nothing is decoded.
_TELLING = frozenset(
    (
        t.GET_RESPONSE,
        t.READ_RESPONSE,
        t.SET_REQUEST,
        t.ACCESS_REQUEST,
        t.ACCESS_RESPONSE,
        t.EVENT_NOTIFICATION,
    )
)


class LogicalDevice(NamedTuple):
    """A logical device: the address of its meter and its wPort."""

    meter: str
    wport: int


class Attribute(NamedTuple):
    """An attribute of an object of a logical device; class -1: only its name was told."""

    device: LogicalDevice
    class_id: int
    instance: bytes
    member: int


class ObjectView:
    """What a capture tells of objects; see the module. `taken` is the number of WPDUs taken in.

    `attributes`, `clients` (addresses) and `values` are named by place in the columns of `readings`
    (READING_FIELDS), which are in the order of the capture once the view is complete. `shallow`: what was
    read of one attribute and has elements is told without a value, but for what other values need. `beside`:
    associations of another thread, which have walked the rows that are taken in.
    """

    def __init__(
        self,
        analysis: Analysis,
        keys: KeyTable = NO_KEYS,
        *,
        shallow: bool = False,
        beside: Associations | None = None,
    ) -> None:
        self.analysis = analysis
        self.associations = Associations(analysis, keys, beside=beside)
        self.taken = 0
        self._shallow = shallow
        self.attributes: list[Attribute] = []
        self.clients: list[str] = []
        #: the logical devices of each meter, in the order in which they came
        self.devices: defaultdict[str, dict[LogicalDevice, None]] = defaultdict(dict)
        self.values: list[KeptValue] = []
        self.readings = Columns(READING_FIELDS)
        self._places: dict[Attribute, int] = {}
        self._client_places: dict[str, int] = {}
        self._latest: list[int] = []  # of each attribute, the value that it had last
        self._remembered: dict[tuple[int, int, bytes], KeptValue] = {}
        self._scalers: dict[Attribute, ScalerUnit] = {}
        self._pushes: list[tuple[int, bytes]] = []  # rows, and the body's APDU
        self._tied = 0  # those of them that were tied
        self._better_known: set[str] = set()  # meters that told classes of names since
        self._pairs: dict[int, tuple[LogicalDevice, int]] = {}
        self._pending: list[tuple[int, ...]] = []
        self._object_lists: defaultdict[str, dict[bytes, tuple[Reference, ...]]] = defaultdict(dict)
        self._classes: defaultdict[tuple[str, bytes], set[int]] = defaultdict(set)

    def complete(
        self,
        stop: int | None = None,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        told: Callable[[int, int], None] = lambda done, total: None,
    ) -> bool:
        """Take in the WPDUs before `stop`, or all, that were not; False when `cancelled` said so.

        `told` hears of rows done and their number; what it raises, such as Cancelled, comes out, and the next
        call goes on there. Raises CaptureError and OSError when the capture's octets cannot be read any more.
        """
        known = len(self.analysis.first_look)
        total = known if stop is None else min(stop, known)
        self._near_is_client = near_is_client(self.analysis.pairs)
        for start in range(self.taken, total, _BATCH):
            if cancelled():
                return False
            self._take(start, min(start + _BATCH, total))
            self._flush()
            self.taken = min(start + _BATCH, total)
            told(self.taken, total)
        self._tie_pushes()
        self._flush()
        self._sort()
        self._refuse_writes()
        return True

    # --- what there is ---

    def scaler_unit(self, attribute: Attribute) -> ScalerUnit | None:
        """Scaler and unit of an attribute, wherever in the capture its meter told them."""
        return self._scalers.get(attribute)

    def value(self, reading: int) -> KeptValue | None:
        """The value of a reading; None where there is none."""
        place = int(self.readings["value"][reading])
        return self.values[place] if place >= 0 else None

    def field(self, reading: int) -> Field | None:
        """The data of a reading as a tree, decoded anew; None for refused ones. Raises as `complete`."""
        row, item = (int(self.readings[name][reading]) for name in ("wpdu", "item"))
        look = self.associations.look(row)
        told = self._told(look.plain, look.context, row)
        return told[item].field if item < len(told) else None

    def place(self, attribute: Attribute) -> int | None:
        """The place of an attribute in `attributes`; None where nothing tells of it."""
        return self._places.get(attribute)

    def readings_of(self, place: int) -> npt.NDArray[np.int64]:
        """The readings of the attribute at a place, int64[n], in the order of the capture."""
        return self._order[self._borders[place] : self._borders[place + 1]]

    def with_value(self, place: int) -> npt.NDArray[np.int64]:
        """Those of them that have a value."""
        rows = self.readings_of(place)
        return rows[self.readings["value"][rows] >= 0]

    def leave(self, rows: npt.NDArray[np.int64]) -> None:
        """Leave the readings of these WPDU rows alone, for `readings_of`; attributes may have none then."""
        self._group(np.flatnonzero(np.isin(self.readings["wpdu"], rows)))

    def _group(self, readings: npt.NDArray[np.int64] | None = None) -> None:
        """Put the readings of each attribute together, all or those named, for `readings_of`."""
        kept = np.arange(len(self.readings)) if readings is None else readings
        self._order = kept[np.argsort(self.readings["attribute"][kept], kind="stable")]
        numbers = np.arange(len(self.attributes) + 1)
        self._borders = np.searchsorted(self.readings["attribute"][self._order], numbers)

    # --- taking in ---

    def _take(self, start: int, stop: int) -> None:
        rows = np.arange(start, stop)
        looks = self.associations.walk_lightly(stop)
        wpdus = self.analysis.wpdus
        # Invariant: the walk has completed the columns of these rows, so `inner` tells what opened APDUs are.
        tags, inner = wpdus["apdu_tag"][rows], self.analysis.first_look["inner"][rows]
        innermost = np.where(inner >= 0, inner, tags)
        wanted = np.isin(innermost, (*_TELLING, t.DATA_NOTIFICATION)) | np.array(
            [isinstance(look, Look) and bool(look.plain) for look in looks], np.bool_
        )
        wanted &= self.analysis.first_look["last_block"][rows] != 0
        wanted &= (wpdus["marks"][rows] & (Mark.TRUNCATED | Mark.DAMAGED)) == 0
        chosen = rows[wanted]
        pairs, framings = self.analysis.wpdu_pairs["pair"][chosen], wpdus["framing"][chosen]
        for row, pair, framing, octets in zip(
            chosen.tolist(), pairs.tolist(), framings.tolist(), self.analysis.octets_of(chosen), strict=True
        ):
            look = looks[row - start]
            apdu = look.plain if isinstance(look, Look) else apdu_octets(octets, framing)
            self._take_row(row, pair, apdu, look)

    def _take_row(self, row: int, pair: int, apdu: bytes, look: AnyLook) -> None:
        if not apdu:
            return
        if apdu[0] == t.DATA_NOTIFICATION:
            self._pushes.append((row, apdu))
        elif self._shallow and _is_deep(apdu, look):
            assert look.request is not None
            self._take_one(row, pair, 0, ToldData(look.request.references[0], How.READ, None), None)
        elif apdu[0] in _TELLING and not self._take_again(row, pair, apdu, look):
            told = told_data(apdu, look.context, brief=_asks_one(look))
            values = [kept(one) for one in told]
            for item, (one, value) in enumerate(zip(told, values, strict=True)):
                self._take_one(row, pair, item, one, value)
                self._learn(pair, one)
            if len(told) == 1 and values[0] is not None and self._may_come_again(apdu, look):
                self._remember(told[0].reference, apdu[4:], values[0])

    def _may_come_again(self, apdu: bytes, look: AnyLook) -> bool:
        """Whether it is an answer for one attribute with a short value, whose octets say all."""
        return apdu[:2] == b"\xc4\x01" and len(apdu) <= _LONGEST and _joined(look) is None

    def _take_again(self, row: int, pair: int, apdu: bytes, look: AnyLook) -> bool:
        """Take in an answer that is a number, or whose octets were read before; False for any other."""
        request = look.request
        if request is None or not _asks_one(look) or not self._may_come_again(apdu, look):
            return False
        reference = request.references[0]
        if apdu[3] or reference.method or (reference.class_id, reference.member) in SCALER_MEMBERS:
            return False
        value = kept_number(reference, apdu[4:]) or self._remembered.get(
            (reference.class_id, reference.member, apdu[4:])
        )
        if value is not None:
            self._take_one(row, pair, 0, ToldData(reference, How.READ, None), value)
        return value is not None

    def _remember(self, reference: Reference, octets: bytes, value: KeptValue) -> None:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[reference.class_id, reference.member, octets] = value

    def _take_one(self, row: int, pair: int, item: int, one: ToldData, value: KeptValue | None) -> None:
        """Add an item that names its object's class itself, as pushes may not."""
        self._add(row, pair, item, one, value)
        meter = self._pairs[pair][0].meter
        classes = self._classes[meter, one.reference.instance]
        if one.reference.class_id not in classes:
            classes.add(one.reference.class_id)
            self._better_known.add(meter)

    def _add(self, row: int, pair: int, item: int, one: ToldData, value: KeptValue | None) -> None:
        device, client = self._pair_of(pair)
        reference = one.reference
        attribute = Attribute(device, reference.class_id, reference.instance, reference.member)
        place = self._places.get(attribute)
        if place is None:
            place = self._places[attribute] = len(self.attributes)
            self.attributes.append(attribute)
            self._latest.append(-1)
        at = -1
        if value is not None:
            at = self._latest[place]
            if at < 0 or self.values[at] != value:
                at = self._latest[place] = len(self.values)
                self.values.append(value)
        self._pending.append((place, row, item, one.how, one.result, at, client))

    def _flush(self) -> None:
        if self._pending:
            columns = np.array(self._pending, np.int64).T
            self.readings.extend(columns.shape[1], **dict(zip(READING_FIELDS, columns, strict=True)))
            self._pending.clear()

    def _learn(self, pair: int, one: ToldData) -> None:
        """Take in scaler and unit, for all attributes of the object that they are of."""
        reference, field = one.reference, one.field
        if field is None or (reference.class_id, reference.member) not in SCALER_MEMBERS:
            return
        if isinstance(field.value, tuple) and len(field.value) == 2:
            device, _ = self._pairs[pair]
            for (class_id, member), scaler in SCALER_UNIT_ATTRIBUTE.items():
                if (class_id, scaler) == (reference.class_id, reference.member):
                    self._scalers[Attribute(device, class_id, reference.instance, member)] = field.value

    def _pair(self, pair: int) -> tuple[LogicalDevice, int]:
        """The logical device and the client of a wPort pair."""
        pairs = self.analysis.pairs
        near = bool(self._near_is_client[pair])
        ends = self.analysis.endpoints(int(pairs["stream"][pair]))
        server, client = ends[near].address, ends[1 - near].address
        place = self._client_places.setdefault(client, len(self.clients))
        if place == len(self.clients):
            self.clients.append(client)
        device = LogicalDevice(server, int(pairs["far" if near else "near"][pair]))
        self.devices[server].setdefault(device)
        self._pairs[pair] = device, place
        return device, place

    # --- pushes ---

    def _tie_pushes(self) -> None:
        """Tie pushes that came, and again those that were tied when less was known of their meters."""
        pairs, before = self.analysis.wpdu_pairs["pair"], self._object_lists
        self._set_lists()
        lists = self._object_lists
        known = self._better_known | {meter for meter in lists if lists[meter] != before.get(meter, {})}
        self._better_known = set()
        tied = [row for row, _ in self._pushes[: self._tied]]
        again = {row for row in tied if self._pair_of(int(pairs[row]))[0].meter in known}
        if again:
            self._drop(again)
        for number, (row, apdu) in enumerate(self._pushes):
            if number >= self._tied or row in again:
                pair = int(pairs[row])
                for item, one in enumerate(self._told(apdu, Context(), row)):
                    self._add(row, pair, item, self._classed(pair, one), kept(one))
        self._tied = len(self._pushes)

    def _drop(self, rows: set[int]) -> None:
        """Forget the readings of these WPDU rows."""
        kept_ones = ~np.isin(self.readings["wpdu"], np.fromiter(rows, np.int64, len(rows)))
        columns = {name: self.readings[name][kept_ones] for name in READING_FIELDS}
        self.readings = Columns(READING_FIELDS)
        self.readings.extend(int(np.count_nonzero(kept_ones)), **columns)

    def _pair_of(self, pair: int) -> tuple[LogicalDevice, int]:
        return self._pairs.get(pair) or self._pair(pair)

    def _told(self, apdu: bytes, context: Context, row: int) -> list[ToldData]:
        """What an APDU tells, pushes included."""
        if not apdu or apdu[0] != t.DATA_NOTIFICATION:
            return told_data(apdu, context)
        body = find(decode_apdu(apdu).root, "notification-body")
        pair = int(self.analysis.wpdu_pairs["pair"][row])
        device, _ = self._pair_of(pair)
        return push_data(body, self._lists(device)) if body is not None else []

    def _set_lists(self) -> None:
        """The object lists of push setups, by meter and name: what was read or written last."""
        self._object_lists = defaultdict(dict)
        self._group()
        for place, attribute in enumerate(self.attributes):
            told = self.with_value(place)
            if (attribute.class_id, attribute.member) == (PUSH_SETUP, 2) and len(told):
                field = self.field(int(told[-1]))
                references = object_list(field.value) if field is not None else ()
                self._object_lists[attribute.device.meter][attribute.instance] = references

    def _lists(self, device: LogicalDevice) -> PushLists:
        known = self._object_lists[device.meter]

        def lists(name: bytes) -> tuple[Reference, ...]:
            if not name:
                return next(iter(known.values())) if len(known) == 1 else ()
            return known.get(name, ())

        return lists

    def _classed(self, pair: int, one: ToldData) -> ToldData:
        """The same with the class that the meter's object of this name has, where only one has the name."""
        device, _ = self._pairs[pair]
        classes = self._classes.get((device.meter, one.reference.instance), set())
        if one.reference.class_id != UNKNOWN_CLASS or len(classes) != 1:
            return one
        return one._replace(reference=one.reference._replace(class_id=next(iter(classes))))

    def _refuse_writes(self) -> None:
        """Take the values from what was written in vain: SETs, or items of theirs, answered with errors."""
        exchanges = self.analysis.pair()
        written = np.flatnonzero(self.readings["how"] == How.WRITTEN)
        row, count = np.unique(self.readings["wpdu"][written], return_counts=True)
        exchange = exchanges.of["exchange"][self.readings["wpdu"][written]]
        written, exchange = written[exchange >= 0], exchange[exchange >= 0]
        result = np.where(
            np.isin(self.readings["wpdu"][written], row[count == 1]), exchanges["result"][exchange], 0
        ).astype(np.int64)
        answers = exchanges["last_response"][exchange]
        refused = self.analysis.refused
        for place in np.flatnonzero(np.isin(answers, np.fromiter(refused, np.int64, len(refused)))).tolist():
            wanted = self.attributes[int(self.readings["attribute"][written[place]])]
            codes = {one.reference: one.code for one in refused.get(int(answers[place]), ())}
            reference = Reference(wanted.class_id, wanted.instance, wanted.member, False)
            result[place] = codes.get(reference, 0)
        failed = result > 0
        self.readings["result"][written[failed]] = result[failed]
        self.readings["value"][written[failed]] = -1

    def _sort(self) -> None:
        order = np.argsort(self.readings["wpdu"], kind="stable")
        for name in READING_FIELDS:
            self.readings[name][:] = self.readings[name][order]
        self._group()


def _is_deep(apdu: bytes, look: AnyLook) -> bool:
    """Whether an answer for one attribute has elements that no other value needs."""
    request = look.request
    if apdu[0] != t.GET_RESPONSE or request is None or len(request.references) != 1:
        return False
    body = _joined(look)
    if body is None:
        body = apdu[4:] if apdu[1:2] == b"\x01" and apdu[3:4] == b"\0" else b""
    reference = request.references[0]
    needed = reference.method or (reference.class_id, reference.member, body[:1]) in _NEEDED
    return not needed and body[:1] in _ELEMENTS


def _joined(look: AnyLook) -> bytes | None:
    """The octets of all blocks up to this one; None of what is no block."""
    return look.context.joined if isinstance(look, Look) else None


def _asks_one(look: AnyLook) -> bool:
    return look.request is not None and len(look.request.references) == 1
