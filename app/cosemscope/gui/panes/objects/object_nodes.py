"""The tree of objects as arrays, without Qt: meter, class at a logical device, object, attribute.

Every node is a run of attributes, and so a run of readings. Nodes are numbers: first all meters, then all
classes, objects and attributes; the children of a node stand one behind another.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.told_values import ToldValue
from cosemscope.analysis.objects.grouped_readings import Array, AttributeKind, GroupedReadings
from cosemscope.analysis.objects.object_table import Attribute
from cosemscope.analysis.objects.told_data import How
from cosemscope.apdu.names.blue_book import attribute_name, class_name, dotted, obis_name
from cosemscope.apdu.names.codes import DATA_ACCESS_RESULTS

Mask = npt.NDArray[np.bool_]

#: What identifies a node in a capture: meter, then wPort and class, logical name, number, as far as needed.
NodeKey = tuple[str | int | bytes, ...]

#: The attribute whose value an object is known by.
_VALUE = 2

#: An attribute fell silent that was told this often, and longer ago than so many of its intervals.
_TOLD_OFTEN, _SILENT_AFTER = 3, 3


class Level(IntEnum):
    """What a node is."""

    METER = 0
    CLASS = 1
    OBJECT = 2
    ATTRIBUTE = 3


class AskedObjects(NamedTuple):
    """What somebody wants to see: attributes with all `words` in their names or their meter's.

    `displayed`: the WPDUs whose readings count, bool[n], None for all. `since`: only what differs from what
    was told before this WPDU row. `named` gives a meter's address with its name.
    """

    words: tuple[str, ...] = ()
    displayed: Mask | None = None
    since: int = 0
    named: Callable[[str], str] = str


class ObjectNodes:
    """The nodes of the attributes of which readings are left; see the module.

    `first` and `stop`, int64[nodes], are the runs of attributes; `parent` (-1: none), `child` (the first one)
    and `children` (their number) the tree. `offsets` are the first nodes of each level, and the end.
    """

    def __init__(self, grouped: GroupedReadings, asked: AskedObjects) -> None:
        self.grouped = grouped
        self._keep(_kept(grouped, asked))
        self._make_levels()
        told = [(self.result == 0) & (self.how == how) for how in How]
        self._counts = [np.concatenate([[0], np.cumsum(mask)]) for mask in (*told, self.result > 0)]
        numbers = np.arange(len(self.value))
        self._valued = (
            np.maximum.accumulate(np.where(self.value >= 0, numbers, -1)) if len(numbers) else numbers
        )

    def _keep(self, kept: Mask | None) -> None:
        """Leave the readings of `kept`, and the attributes that have one."""
        grouped = self.grouped
        columns = (grouped.wpdu, grouped.how, grouped.result, grouped.value, grouped.client)
        borders = grouped.borders
        if kept is not None:
            borders = np.concatenate([[0], np.cumsum(kept)])[borders]
            self.wpdu, self.how, self.result, self.value, self.client = (column[kept] for column in columns)
        else:
            self.wpdu, self.how, self.result, self.value, self.client = columns
        self._attributes = np.flatnonzero(np.diff(borders))
        self.borders: Array = np.append(borders[:-1][self._attributes], borders[-1])

    def _make_levels(self) -> None:
        grouped, shown = self.grouped, self._attributes
        kinds = grouped.kinds
        classes = np.array([kind[0] for kind in kinds], np.int64)
        changes = [kind[:2] != before[:2] for kind, before in zip(kinds[1:], kinds, strict=False)]
        objects = np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)
        kind = grouped.kind[shown]
        keys = (
            (grouped.meter[shown],),
            (grouped.wport[shown], classes[kind]),
            (objects[kind],),
        )
        begins = np.zeros(len(shown), np.bool_)
        begins[:1] = True
        starts = []
        for columns in keys:
            for column in columns:
                begins[1:] |= np.diff(column) != 0
            starts.append(np.flatnonzero(begins))
        starts.append(np.arange(len(shown)))
        self.offsets = np.concatenate([[0], np.cumsum([len(one) for one in starts])]).tolist()
        self.first: Array = np.concatenate(starts)
        ends = [np.append(one[1:], len(shown)) if len(one) else one for one in starts]
        self.stop: Array = np.concatenate(ends)
        parents = [np.full(len(starts[0]), -1)]
        children = []
        for level in range(3):
            above, below = starts[level], starts[level + 1]
            parents.append(np.searchsorted(above, below, "right") - 1 + self.offsets[level])
            children.append(np.searchsorted(below, above) + self.offsets[level + 1])
        self.parent: Array = np.concatenate(parents)
        self.child: Array = np.concatenate([*children, np.full(len(starts[3]), -1)])
        self.children = np.bincount(self.parent[self.parent >= 0], minlength=len(self.parent))

    def __len__(self) -> int:
        return len(self.first)

    @property
    def attributes(self) -> int:
        """The number of attributes."""
        return len(self._attributes)

    @property
    def shown_places(self) -> Array:
        """The places of all attributes in the view, int64[n], in the order of the tree."""
        return self.grouped.places[self._attributes]

    def level(self, node: int) -> Level:
        """What a node is."""
        return Level(next(level for level in range(3, -1, -1) if node >= self.offsets[level]))

    def row(self, node: int) -> int:
        """The place of a node among the children of its parent."""
        parent = self.parent.item(node)
        return node if parent < 0 else node - self.child.item(parent)

    # --- what a node is ---

    def _first(self, node: int) -> int:
        """The place in the grouped readings of a node's first attribute."""
        return self._attributes.item(self.first.item(node))

    def attribute(self, node: int) -> Attribute:
        """The first attribute of a node."""
        return self.grouped.view.attributes[self.place(node)]

    def place(self, node: int) -> int:
        """The place in the view of a node's first attribute."""
        return self.grouped.places.item(self._first(node))

    def meter(self, node: int) -> str:
        """The address of a node's meter."""
        return self.grouped.meters[self.grouped.meter.item(self._first(node))]

    def key(self, node: int) -> NodeKey:
        """What identifies a node, whatever else is shown."""
        one = self.attribute(node)
        parts: tuple[NodeKey, ...] = ((one.device.meter,), (one.device.wport, one.class_id), (one.instance,))
        whole = tuple(part for level in parts for part in level)
        return (*whole, one.member)[: (1, 3, 4, 5)[self.level(node)]]

    def find(self, key: NodeKey) -> int:
        """The node with a key, -1 for none."""
        found, below = -1, range(self.offsets[1])
        for size in (1, 3, 4, 5):
            if size > len(key):
                break
            wanted = key[:size]
            if size == 1:
                node = self._meter_node(key[0])
            else:
                node = next((one for one in below if self.key(one) == wanted), -1)
            if node < 0:
                return -1
            found = node
            first = self.child.item(node)
            below = range(first, first + self.children.item(node))
        return found

    def _meter_node(self, name: object) -> int:
        meters = self.grouped.meters
        if name not in meters:
            return -1
        number = meters.index(str(name))
        shown = self.grouped.meter[self._attributes[self.first[: self.offsets[1]]]]
        place = int(np.searchsorted(shown, number))
        return place if place < len(shown) and shown[place] == number else -1

    def title(self, node: int, named: Callable[[str], str] = str) -> str:
        """What a node is called."""
        one, level = self.attribute(node), self.level(node)
        match level:
            case Level.METER:
                return named(one.device.meter)
            case Level.CLASS:
                name = class_name(one.class_id) or (
                    f"class {one.class_id}" if one.class_id >= 0 else "no class told"
                )
                return f"{name} (logical device {one.device.wport})" if self._has_devices(node) else name
            case Level.OBJECT:
                return f"{dotted(one.instance)}  {obis_name(one.instance)}".rstrip()
        return f"{one.member}  {attribute_name(one.class_id, one.member)}".rstrip()

    def _has_devices(self, node: int) -> bool:
        """Whether the meter of a class has several logical devices here."""
        meter = self.parent.item(node)
        ends = self.first.item(meter), self.stop.item(meter) - 1
        wports = self.grouped.wport[self._attributes[list(ends)]]
        return bool(wports[0] != wports[1])

    # --- what was told of it ---

    def readings(self, node: int) -> slice:
        """The run of a node's readings."""
        return slice(self.borders.item(self.first.item(node)), self.borders.item(self.stop.item(node)))

    def counts(self, node: int) -> tuple[int, ...]:
        """How often a node's attributes were read, written, pushed and refused."""
        run = self.readings(node)
        return tuple(sums.item(run.stop) - sums.item(run.start) for sums in self._counts)

    @property
    def sums(self) -> tuple[int, ...]:
        """How often all attributes were read, written, pushed and refused."""
        return tuple(sums.item(-1) for sums in self._counts)

    def last_row(self, node: int) -> int:
        """The WPDU row that told something of a node last."""
        run = self.readings(node)
        return int(self.wpdu[run].max())

    def telling(self, node: int) -> int:
        """The attribute by whose value a node is known; -1 where it is known by none."""
        level = self.level(node)
        if level is Level.ATTRIBUTE:
            return node
        if level is not Level.OBJECT:
            return -1
        first = self.child.item(node)
        below = range(first, first + self.children.item(node))
        values = (child for child in below if self.attribute(child).member == _VALUE)
        return next(values, first if len(below) == 1 else -1)

    def last_value(self, node: int) -> ToldValue:
        """The value by which a node is known now, with scaler and unit; nothing where there is none."""
        telling = self.telling(node)
        if telling < 0:
            return ToldValue()
        run = self.readings(telling)
        reading = self._valued.item(run.stop - 1)
        return self.told(self.attribute(telling), reading) if reading >= run.start else ToldValue()

    def told(self, attribute: Attribute, reading: int) -> ToldValue:
        """The value of a reading of an attribute."""
        place = self.value.item(reading)
        view = self.grouped.view
        return view.values[place].scaled(view.scaler_unit(attribute)) if place >= 0 else ToldValue()

    def refusal(self, node: int) -> str:
        """Why an attribute was refused, where that is the last that was told of it; else ""."""
        telling = self.telling(node)
        result = self.result.item(self.readings(telling).stop - 1) if telling >= 0 else 0
        return DATA_ACCESS_RESULTS.get(result, f"refused ({result})") if result > 0 else ""

    def is_silent(self, node: int, now: int, times: npt.NDArray[np.int64]) -> bool:
        """Whether an attribute has not been told for long at `now`; `times` of WPDU rows, in nanoseconds."""
        run = self.readings(node)
        often = run.stop - run.start
        if self.level(node) is not Level.ATTRIBUTE or often < _TOLD_OFTEN:
            return False
        first, last = (int(times[self.wpdu[at]]) for at in (run.start, run.stop - 1))
        return (now - last) * (often - 1) > _SILENT_AFTER * (last - first) > 0


def _kept(grouped: GroupedReadings, asked: AskedObjects) -> Mask | None:
    """The readings that somebody wants to see, bool[readings]; None for all."""
    masks: list[Mask] = []
    if asked.words:
        masks.append(np.repeat(_fitting(grouped, asked), np.diff(grouped.borders)))
    if asked.displayed is not None:
        known = np.zeros(max(grouped.taken, len(asked.displayed)), np.bool_)
        known[: len(asked.displayed)] = asked.displayed
        masks.append(known[grouped.wpdu])
    if asked.since:
        masks.append(_changed(grouped, asked.since))
    return np.logical_and.reduce(masks) if masks else None


def _fitting(grouped: GroupedReadings, asked: AskedObjects) -> Mask:
    """The attributes that fit the words, bool[attributes]: names are read once a meter and once a kind."""
    meters = [f"{name} {asked.named(name)}".lower() for name in grouped.meters]
    kinds = list(map(_words_of, grouped.kinds))
    fitting = np.ones(len(grouped.places), np.bool_)
    for word in map(str.lower, asked.words):
        of_meter = np.array([word in text for text in meters], np.bool_)
        of_kind = np.array([word in text for text in kinds], np.bool_)
        fitting &= of_meter[grouped.meter] | of_kind[grouped.kind]
    return fitting


def _words_of(kind: AttributeKind) -> str:
    """All by which an attribute may be looked for: names, and its logical name in both spellings."""
    class_id, instance, member = kind
    spelt = "{}-{}:{}.{}.{}*{}".format(*instance) if len(instance) == 6 else ""
    names = (
        class_name(class_id),
        dotted(instance),
        spelt,
        obis_name(instance),
        attribute_name(class_id, member),
    )
    return " ".join(names).lower()


def _changed(grouped: GroupedReadings, since: int) -> Mask:
    """The readings from `since` on of attributes that then took another value, or were refused anew."""
    attribute = np.repeat(np.arange(len(grouped.places)), np.diff(grouped.borders))
    before = grouped.wpdu < since
    differs = np.zeros(len(before), np.bool_)
    # Readings of an attribute stand in the order of the capture, so the last one put in its place stays.
    for column, tells in ((grouped.value, grouped.value >= 0), (grouped.result, grouped.result > 0)):
        last = np.full(len(grouped.places), -1, np.int64)
        known = before & tells
        last[attribute[known]] = column[known]
        differs |= ~before & tells & (column != last[attribute])
    changed = np.bincount(attribute[differs], minlength=len(grouped.places)) > 0
    return ~before & changed[attribute]
