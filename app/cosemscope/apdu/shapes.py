"""Shapes: what the elements of well-known data are called and how they are read.

Data on the wire have types but no names. Where the class and the attribute are known (or the selector of a
selective access), a shape gives the names of a structure's elements and says that octets are a date or a
logical name, a number a class or a unit. A shape never decides how
octets are split, only what they are called.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.apdu.dates import DATE, DATE_TIME, TIME, Form
from cosemscope.apdu.naming import class_text, member_text, obis_text, unit_text


class Shape(NamedTuple):
    """Names and shapes of a structure's elements, shape of an array's elements, form or text of a value."""

    elements: "tuple[tuple[str, Shape | None], ...]" = ()
    each: "Shape | None" = None
    form: Form | None = None
    text: Callable[[Any], str] | None = None


def _structure(**elements: Shape | None) -> Shape:
    return Shape(elements=tuple((name.replace("_", "-"), shape) for name, shape in elements.items()))


def _obis(value: object) -> str:
    return obis_text(value) if isinstance(value, bytes) and len(value) == 6 else ""


def _class(value: object) -> str:
    name = class_text(value) if isinstance(value, int) else ""
    return f"{name} ({value})" if name else ""


def _unit(value: object) -> str:
    if value == 255:
        return "no unit (255)"
    symbol = unit_text(value) if isinstance(value, int) else ""
    return f"{symbol} ({value})" if symbol else ""


def _scaler(value: object) -> str:
    return f"10^{value}"


OBIS = Shape(text=_obis)
CLASS = Shape(text=_class)
MOMENT = Shape(form=DATE_TIME)
DAY = Shape(form=DATE)
CLOCK = Shape(form=TIME)


def _object_text(value: object) -> str:
    """A class, a logical name, an attribute and perhaps a data index: what they name."""
    if not isinstance(value, tuple) or len(value) < 3 or not isinstance(value[1], bytes):
        return ""
    class_id, instance, member = value[:3]
    if not isinstance(class_id, int) or not isinstance(member, int):
        return ""
    name = member_text(class_id, member, False) or f"attribute {member}"
    index = f", index {value[3]}" if len(value) > 3 and value[3] else ""
    return f"{obis_text(instance)}, {name}{index}"


SCALER_UNIT = _structure(scaler=Shape(text=_scaler), unit=Shape(text=_unit))
CAPTURE_OBJECT = _structure(
    class_id=CLASS, logical_name=OBIS, attribute_index=None, data_index=None
)._replace(text=_object_text)
RANGE_DESCRIPTOR = _structure(
    restricting_object=CAPTURE_OBJECT,
    from_value=MOMENT,
    to_value=MOMENT,
    selected_values=Shape(each=CAPTURE_OBJECT),
)
ENTRY_DESCRIPTOR = _structure(
    from_entry=None, to_entry=None, from_selected_value=None, to_selected_value=None
)
_SCRIPT = _structure(script_logical_name=OBIS, script_selector=None)
_PUSH_OBJECT = _structure(
    class_id=CLASS, logical_name=OBIS, attribute_index=None, data_index=None, restriction=None, columns=None
)._replace(text=_object_text)
_OBJECT_LIST = Shape(
    each=_structure(
        class_id=CLASS,
        version=None,
        logical_name=OBIS,
        access_rights=_structure(
            attribute_access=Shape(
                each=_structure(attribute_id=None, access_mode=None, access_selectors=None)
            ),
            method_access=Shape(each=_structure(method_id=None, access_mode=None)),
        ),
    )
)
_SEASONS = Shape(each=_structure(season_profile_name=None, season_start=MOMENT, week_name=None))
_WEEKS = Shape(
    each=_structure(
        week_profile_name=None,
        monday=None,
        tuesday=None,
        wednesday=None,
        thursday=None,
        friday=None,
        saturday=None,
        sunday=None,
    )
)
_DAY_PROFILES = Shape(
    each=_structure(
        day_id=None,
        day_schedule=Shape(each=_structure(start_time=CLOCK, script_logical_name=OBIS, script_selector=None)),
    )
)

#: Shapes of attributes: (class, attribute) -> shape. Attribute 1 of every class is its logical name.
_ATTRIBUTES: dict[tuple[int, int], Shape] = {
    (3, 3): SCALER_UNIT,
    (4, 3): SCALER_UNIT,
    (4, 5): MOMENT,
    (5, 4): SCALER_UNIT,
    (5, 6): MOMENT,
    (5, 7): MOMENT,
    (7, 3): Shape(each=CAPTURE_OBJECT),
    (7, 6): CAPTURE_OBJECT,
    (8, 2): MOMENT,
    (8, 5): MOMENT,
    (8, 6): MOMENT,
    (9, 2): Shape(
        each=_structure(
            script_identifier=None,
            actions=Shape(
                each=_structure(
                    service_id=None, class_id=CLASS, logical_name=OBIS, index=None, parameter=None
                )
            ),
        )
    ),
    (11, 2): Shape(each=_structure(index=None, specialday_date=DAY, day_id=None)),
    (15, 2): _OBJECT_LIST,
    (15, 3): _structure(client_sap=None, server_sap=None),
    (15, 9): OBIS,
    (17, 2): Shape(each=_structure(sap=None, logical_device_name=None)),
    (20, 3): _SEASONS,
    (20, 4): _WEEKS,
    (20, 5): _DAY_PROFILES,
    (20, 7): _SEASONS,
    (20, 8): _WEEKS,
    (20, 9): _DAY_PROFILES,
    (20, 10): MOMENT,
    (22, 2): _SCRIPT,
    (22, 4): Shape(each=_structure(time=CLOCK, date=DAY)),
    (40, 2): Shape(each=_PUSH_OBJECT),
}

#: Attributes that carry a value in the scaler and unit of another attribute of the same object.
SCALER_UNIT_ATTRIBUTE = {(3, 2): 3, (4, 2): 3, (5, 2): 4, (5, 3): 4}


def shape_of(reference: Reference | None) -> Shape | None:
    """The shape of an attribute's value; None where nothing is known of it, and for methods."""
    if reference is None or reference.method:
        return None
    if reference.member == 1:
        return OBIS
    return _ATTRIBUTES.get((reference.class_id, reference.member))
