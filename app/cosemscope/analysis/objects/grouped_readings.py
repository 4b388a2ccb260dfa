"""A copy of an object view's readings, put together by attribute: what panes look at while the view grows.

    grouped = grouped_readings(view)
    rows = grouped.wpdu[slice(*grouped.borders[3:5])]

Attributes stand by meter, logical device, class, name and number, so that a meter, the objects of a class
and an object are each one run of attributes, and one run of readings.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.objects.object_table import ObjectView

Array = npt.NDArray[np.int64]

#: An attribute of any meter: class (-1: only the name was told), logical name, number.
AttributeKind = tuple[int, bytes, int]


class GroupedReadings(NamedTuple):
    """Attributes of a view in order, and their readings; nothing of it changes when the view grows.

    By attribute, int64[n]: `places` in `view.attributes`, `meter` in `meters`, `wport`, `kind` in `kinds`.
    The readings of the attribute at i are those from `borders[i]` up to `borders[i + 1]`, in the order of the
    capture; their columns, [m], are those of READING_FIELDS. `taken`: WPDUs that the view has taken in.
    """

    view: ObjectView
    taken: int
    meters: tuple[str, ...]
    kinds: tuple[AttributeKind, ...]
    places: Array
    meter: Array
    wport: Array
    kind: Array
    borders: Array
    wpdu: npt.NDArray[np.uint32]
    how: npt.NDArray[np.uint8]
    result: npt.NDArray[np.int16]
    value: npt.NDArray[np.int32]
    client: npt.NDArray[np.uint32]


def grouped_readings(view: ObjectView) -> GroupedReadings:
    """The readings of a complete view as they are now."""
    meters = {name: place for place, name in enumerate(view.devices)}
    own = view.attributes
    kinds = sorted({(one.class_id, one.instance, one.member) for one in own})
    rank = {kind: place for place, kind in enumerate(kinds)}
    columns = np.array(
        [
            (meters[one.device.meter], one.device.wport, rank[one.class_id, one.instance, one.member])
            for one in own
        ],
        np.int64,
    ).reshape(-1, 3)
    # Kinds are sorted, so their ranks order by class, name and number.
    order = np.lexsort(columns.T[::-1])
    place_of = np.empty(len(order), np.int64)
    place_of[order] = np.arange(len(order))
    attribute = place_of[view.readings["attribute"][:]]
    together = np.argsort(attribute, kind="stable")
    meter, wport, kind = columns[order].T
    return GroupedReadings(
        view,
        view.taken,
        tuple(meters),
        tuple(kinds),
        order,
        meter,
        wport,
        kind,
        np.searchsorted(attribute[together], np.arange(len(order) + 1)),
        *(view.readings[name][together] for name in ("wpdu", "how", "result", "value", "client")),
    )
