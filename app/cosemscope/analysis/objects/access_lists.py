"""Object lists of associations as tables: each object with the access rights to attributes and methods."""

from collections.abc import Iterator
from typing import NamedTuple

from cosemscope.analysis.objects.object_table import Attribute, LogicalDevice, ObjectView
from cosemscope.analysis.objects.told_data import elements
from cosemscope.apdu.fields import Field, find
from cosemscope.apdu.names.blue_book import attribute_name, member_name

#: Class and attribute of the object lists of associations, with logical and with short names.
_LISTS = ((15, 2), (12, 2))


class ListedObject(NamedTuple):
    """An object of a list: `association` is the logical name of the list's; access rights are in words."""

    device: LogicalDevice
    association: bytes
    class_id: int
    version: int
    instance: bytes
    attributes: dict[str, str]
    methods: dict[str, str]
    base_name: int | None = None


def listed_objects(view: ObjectView) -> Iterator[ListedObject]:
    """The objects of the object lists that were read last, a list after the other.

    Raises CaptureError and OSError when octets cannot be read any more.
    """
    for place, attribute in enumerate(view.attributes):
        if is_object_list(attribute):
            yield from objects_of_list(view, place)


def is_object_list(attribute: Attribute) -> bool:
    """Whether an attribute is the object list of an association."""
    return (attribute.class_id, attribute.member) in _LISTS


def objects_of_list(view: ObjectView, place: int) -> Iterator[ListedObject]:
    """The objects of the object list at a place of `view.attributes`, as it was read last.

    Raises CaptureError and OSError when octets cannot be read any more.
    """
    told = view.with_value(place)
    field = view.field(int(told[-1])) if len(told) else None
    for element in elements(field) if field is not None else ():
        listed = _listed(view.attributes[place], element)
        if listed is not None:
            yield listed


def _listed(attribute: Attribute, element: Field) -> ListedObject | None:
    parts = {name: find(element, name) for name in ("class-id", "version", "logical-name", "base-name")}
    class_id, version, instance, base = (part.value if part is not None else None for part in parts.values())
    if not isinstance(class_id, int) or not isinstance(version, int) or not isinstance(instance, bytes):
        return None
    rights = find(element, "access-rights")
    kinds = {
        kind: dict(
            _rights(find(rights, f"{kind}-access") if rights is not None else None, kind, class_id, version)
        )
        for kind in ("attribute", "method")
    }
    return ListedObject(
        attribute.device,
        attribute.instance,
        class_id,
        version,
        instance,
        kinds["attribute"],
        kinds["method"],
        base if isinstance(base, int) else None,
    )


def _rights(listed: Field | None, kind: str, class_id: int, version: int) -> Iterator[tuple[str, str]]:
    """Name and right of each attribute or method."""
    for element in elements(listed) if listed is not None else ():
        number, mode = find(element, f"{kind}-id"), find(element, "access-mode")
        if number is not None and mode is not None and isinstance(number.value, int):
            name = (
                attribute_name(class_id, number.value, version)
                if kind == "attribute"
                else member_name(class_id, number.value, method=True)
            )
            yield name or f"{kind} {number.value}", mode.text.rpartition(" (")[0] or str(mode.value)
