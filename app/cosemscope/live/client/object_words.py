"""Objects as people write them: `1.0.1.8.0.255`, `3:1.0.1.8.0.255:2`, `1-0:1.8.0*255`, or part of a name."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from cosemscope.apdu.names.blue_book import class_name, dotted, obis_name
from cosemscope.application.object_model.object_lists import ObjectEntry
from cosemscope.live.client.client_refused import UnknownObjectError

_GROUPS = 6
_LONG_OBIS = re.compile(r"^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}(?:[.*]\d{1,3})?$")
_DOTTED = re.compile(r"^(?:(\d{1,5}):)?(\d{1,3}(?:\.\d{1,3}){5})(?::(-?\d{1,3}))?$")
_HEX = re.compile(r"^[0-9A-Fa-f]{12}$")
_MOST_NAMED = 6
#: Classes of objects by their value groups (None: any), where no object list tells them (IEC 62056-6-2).
_USUAL_CLASSES: tuple[tuple[tuple[int | None, ...], int], ...] = (
    ((0, None, 1, 0, None), 8),
    ((0, 0, 2, 0, 0), 1),
    ((0, 0, 10, 0, None), 9),
    ((0, None, 11, 0, None), 11),
    ((0, None, 13, 0, None), 20),
    ((0, None, 15, 0, None), 22),
    ((0, None, 25, 0, None), 41),
    ((0, None, 25, 1, None), 42),
    ((0, None, 25, 9, None), 40),
    ((0, None, 40, 0, None), 15),
    ((0, None, 41, 0, None), 17),
    ((0, None, 42, 0, None), 1),
    ((0, None, 43, 0, None), 64),
    ((0, None, 43, 1, None), 1),
    ((0, None, 44, 0, None), 18),
    ((0, None, 96, 3, 10), 70),
    ((0, None, 96, 7, None), 1),
    ((0, None, 96, None, None), 1),
    ((0, None, 99, None, None), 7),
    ((None, None, 99, None, None), 7),
    ((None, None, 98, None, None), 7),
    ((1, None, None, 6, None), 4),
    ((1, None, None, 4, None), 5),
    ((1, None, None, 5, None), 5),
    ((1, None, 0, None, None), 1),
    ((1, None, None, None, None), 3),
    ((7, None, None, None, None), 3),
    ((8, None, None, None, None), 3),
    ((6, None, None, None, None), 3),
)


class ObjectWords(NamedTuple):
    """What a text names: a logical name, or a part of a name; class and attribute where they are said."""

    instance: bytes | None
    name: str = ""
    class_id: int | None = None
    member: int | None = None


def object_words(text: str) -> ObjectWords:
    """What a text names. Raises UnknownObjectError for a logical name with a group above 255."""
    text = text.strip()
    if found := _DOTTED.match(text):
        class_id, obis, member = found.groups()
        return ObjectWords(
            _instance(obis.split("."), text),
            class_id=int(class_id) if class_id else None,
            member=int(member) if member else None,
        )
    if _LONG_OBIS.match(text):
        groups = re.split(r"[-:.*]", text)
        return ObjectWords(_instance(groups + ["255"] * (_GROUPS - len(groups)), text))
    if _HEX.match(text):
        return ObjectWords(bytes.fromhex(text))
    if not text or re.fullmatch(r"[\d.:*\-]+", text):
        words = f"{text!r} is no logical name: it has six numbers, as 1.0.1.8.0.255"
        raise UnknownObjectError(words)
    name, colon, member = text.rpartition(":")
    if colon and member.strip().isdecimal():
        return ObjectWords(None, name.strip(), member=int(member))
    return ObjectWords(None, text)


def _instance(groups: list[str], text: str) -> bytes:
    numbers = [int(group) for group in groups]
    if any(number > 0xFF for number in numbers):
        raise UnknownObjectError(f"{text!r} is no logical name: each of its numbers is at most 255")
    return bytes(numbers)


def usual_class(instance: bytes) -> int | None:
    """The class that objects with this logical name usually are of; None where there is no usual one."""
    for groups, class_id in _USUAL_CLASSES:
        if all(want is None or want == have for want, have in zip(groups, instance, strict=False)):
            return class_id
    return None


def named_objects(name: str, entries: Iterable[ObjectEntry]) -> list[ObjectEntry]:
    """The objects whose meaning is `name`; where there is none, those whose meaning has all its words."""
    wanted = name.casefold().split()
    partly = []
    for entry in entries:
        meaning = obis_name(entry.instance).casefold()
        if meaning.split() == wanted:
            return [entry]
        words = f"{meaning} {class_name(entry.class_id).casefold()}".replace("(", " ").split()
        if all(any(word.startswith(one.strip("()")) for word in words) for one in wanted):
            partly.append(entry)
    return partly


def one_object(name: str, entries: Iterable[ObjectEntry]) -> ObjectEntry:
    """The one object that a name means. Raises UnknownObjectError, which names those that it may mean."""
    found = named_objects(name, entries)
    if len(found) == 1:
        return found[0]
    if not found:
        words = f"no object of this meter is called {name!r}: --list shows them all"
        raise UnknownObjectError(words)
    shown = ", ".join(f"{dotted(one.instance)} {obis_name(one.instance)}" for one in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    raise UnknownObjectError(f"{name!r} may be {shown}{more}: say more of the name, or the logical name")
