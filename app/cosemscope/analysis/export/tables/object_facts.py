"""What is told of an attribute of a meter's object, by names: its values, who asked, what was refused."""

from typing import Any, Final

import numpy as np

from cosemscope.analysis.associations.told_values import ToldValue
from cosemscope.analysis.fields.value_types import Quantity, seconds_text
from cosemscope.analysis.objects.object_table import Attribute, ObjectView
from cosemscope.analysis.objects.told_data import How
from cosemscope.apdu.names.blue_book import attribute_name, class_name, dotted, obis_name
from cosemscope.apdu.names.codes import DATA_ACCESS_RESULTS

_QUANTITY: Final = Quantity()


def attribute_facts(view: ObjectView, place: int) -> dict[str, Any]:
    """What is told of an attribute, as `objects --json` has it; None is for nothing."""
    attribute, readings = view.attributes[place], view.readings_of(place)
    how, result, client = (view.readings[name][readings] for name in ("how", "result", "client"))
    counts = {word: int(np.count_nonzero((how == kind) & (result == 0))) for kind, word in COUNTS.items()}
    told = view.with_value(place)
    last = _told(view, attribute, int(told[-1])) if len(told) else _NOTHING_TOLD
    return {
        "meter": attribute.device.meter,
        "logical_device": attribute.device.wport,
        **object_names(attribute.class_id, attribute.instance),
        "attribute": attribute.member,
        "attribute_name": attribute_name(attribute.class_id, attribute.member) or None,
        **{name: last[name] for name in ("value", "unit", "time", "number")},
        **counts,
        "refused": int(np.count_nonzero(result)),
        "refusal": DATA_ACCESS_RESULTS.get(int(result[result != 0][-1])) if result.any() else None,
        "clients": [view.clients[number] for number in np.unique(client).tolist()],
        "values": [_told(view, attribute, reading) for reading in _changes(view, told)],
    }


#: Names of the counts of readings, by how they were told.
COUNTS = {How.READ: "reads", How.WRITTEN: "writes", How.PUSHED: "pushes"}
_NOTHING_TOLD: dict[str, Any] = dict.fromkeys(("value", "unit", "time", "number"))


def object_names(class_id: int, instance: bytes) -> dict[str, Any]:
    """An object's class (-1 none) and logical name with the names of both."""
    return {
        "class_id": class_id if class_id >= 0 else None,
        "class": class_name(class_id) or None,
        "obis": dotted(instance),
        "name": obis_name(instance) or None,
    }


def _changes(view: ObjectView, told: Any) -> list[int]:
    """The readings with which an attribute took another value."""
    values = view.readings["value"][told]
    changed: list[int] = told[np.flatnonzero(np.diff(values, prepend=-1))].tolist()
    return changed


def _told(view: ObjectView, attribute: Attribute, reading: int) -> dict[str, Any]:
    value = attribute_value(view, attribute, reading)
    wpdu = int(view.readings["wpdu"][reading])
    return {
        "value": None if value.value is None else _QUANTITY.json(value.value),
        "unit": value.unit,
        "time": seconds_text(int(view.analysis.wpdus["time"][wpdu])),
        "number": wpdu + 1,
        "how": How(int(view.readings["how"][reading])).word,
        "client": view.clients[int(view.readings["client"][reading])],
    }


def attribute_value(view: ObjectView, attribute: Attribute, reading: int) -> ToldValue:
    """The value of a reading that has one."""
    kept = view.value(reading)
    return kept.scaled(view.scaler_unit(attribute)) if kept is not None else ToldValue()


def attribute_order(view: ObjectView) -> list[int]:
    """The places of attributes with a reading, by meter, logical device, name, class and attribute."""
    meters = {name: place for place, name in enumerate(view.devices)}

    def order(place: int) -> tuple[Any, ...]:
        one = view.attributes[place]
        return meters[one.device.meter], one.device.wport, one.instance, one.class_id, one.member

    told = (place for place in range(len(view.attributes)) if len(view.readings_of(place)))
    return sorted(told, key=order)
