"""Names of the Blue Book: interface classes and their members, OBIS codes by value groups, units.

The names are data in `resources/names`; here is how they are looked up. Files are read when a name is first
asked for, answers are remembered. What has no name is "": nothing is invented.
"""

import json
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from cosemscope.resources import resource

_GROUPS: Final = "ABCDEF"
_LOGICAL_NAME: Final = "logical_name"
#: class_id ranges that the DLMS UA does not assign (Blue Book, class_id).
_MANUFACTURER_CLASSES: Final = range(8192, 32768)
_USER_GROUP_CLASSES: Final = range(32768, 65536)


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(resource(f"names/{name}.json").read_text("utf-8"))
    return loaded


# Interface classes.


class _Version(NamedTuple):
    """One version of a class: its attributes and its methods, each from number 1 on ("": reserved)."""

    attributes: tuple[str, ...]
    methods: tuple[str, ...]


class _InterfaceClass(NamedTuple):
    name: str
    versions: dict[int, _Version]


@cache
def _classes() -> dict[int, _InterfaceClass]:
    return {
        entry["class"]: _InterfaceClass(
            entry["name"],
            {
                version["version"]: _Version(
                    (_LOGICAL_NAME, *version["attributes"]),
                    tuple(method or "" for method in version["methods"]),
                )
                for version in entry["versions"]
            },
        )
        for entry in _load("classes")["classes"]
    }


def class_numbers() -> tuple[int, ...]:
    """The numbers of the interface classes that are known."""
    return tuple(_classes())


def class_name(class_id: int) -> str:
    """The name of an interface class: "Register" for 3; "" where it is not known."""
    known = _classes().get(class_id)
    if known is not None:
        return known.name
    if class_id in _MANUFACTURER_CLASSES:
        return "manufacturer-specific class"
    return "user group specific class" if class_id in _USER_GROUP_CLASSES else ""


@lru_cache(4096)
def attribute_name(class_id: int, attribute: int, version: int | None = None) -> str:
    """The name of an attribute; of the newest version that has it where the version is not given or known."""
    if attribute == 1:
        return _LOGICAL_NAME
    return _member(class_id, attribute, version, lambda known: known.attributes)


@lru_cache(4096)
def method_name(class_id: int, method: int, version: int | None = None) -> str:
    """The name of a method; of the newest version that has it where the version is not given or known."""
    return _member(class_id, method, version, lambda known: known.methods)


def member_name(class_id: int, member: int, *, method: bool) -> str:
    """The name of an attribute or a method."""
    return (method_name if method else attribute_name)(class_id, member)


def _member(
    class_id: int, number: int, version: int | None, members: Callable[[_Version], tuple[str, ...]]
) -> str:
    known = _classes().get(class_id)
    if known is None or number < 1:
        return ""
    wanted = [version] if version in known.versions else sorted(known.versions, reverse=True)
    for candidate in wanted:
        names = members(known.versions[candidate])
        if number <= len(names) and names[number - 1]:
            return names[number - 1]
    return ""


# OBIS codes.


class _Rule(NamedTuple):
    """A pattern over the value groups (None: any value), and the parts of the text for codes that fit it."""

    groups: tuple[frozenset[int] | None, ...]
    parts: "tuple[_Part, ...]"


#: Makes one part of a name of the value groups; None where it has no word for them.
_Part = Callable[[bytes], str | None]

_PLACEHOLDER = re.compile(r"\{([A-F])([+-]\d+)?(?::(\w+))?\}|\{(tariff)\}")


def _parse_group(words: str) -> frozenset[int] | None:
    if words == "*":
        return None
    values: set[int] = set()
    for item in words.split(","):
        first, _, last = item.partition("-")
        values.update(range(int(first), int(last or first) + 1))
    return frozenset(values)


def _parse_text(text: str, tables: dict[str, dict[int, str]]) -> tuple[_Part, ...]:
    parts: list[_Part] = []
    at = 0
    for match in _PLACEHOLDER.finditer(text):
        if match.start() > at:
            parts.append(_words(text[at : match.start()]))
        group, shift, table, tariff = match.groups()
        parts.append(_tariff if tariff else _value(_GROUPS.index(group), int(shift or 0), tables.get(table)))
        at = match.end()
    return (*parts, _words(text[at:])) if at < len(text) else tuple(parts)


def _words(text: str) -> _Part:
    return lambda code: text


def _value(place: int, shift: int, table: dict[int, str] | None) -> _Part:
    if table is None:
        return lambda code: str(code[place] + shift)
    return lambda code: table.get(code[place] + shift)


def _tariff(code: bytes) -> str:
    rate = code[4]
    if rate in (0, 255):
        return ""
    return f", tariff {rate}" if rate < 128 else f", manufacturer-specific tariff {rate}"


@cache
def _rules() -> tuple[_Rule, ...]:
    """All rules, in the order of the file."""
    loaded = _load("obis")
    tables = {
        name: {int(value): text for value, text in table.items()} for name, table in loaded["tables"].items()
    }
    group = cache(_parse_group)
    return tuple(
        _Rule(tuple(group(words) for words in pattern.split(".")), _parse_text(text, tables))
        for pattern, text in loaded["rules"]
    )


@lru_cache(4096)
def _rules_of(medium: int, quantity: int) -> tuple[_Rule, ...]:
    """The rules that may fit these value groups A and C."""
    return tuple(
        rule for rule in _rules() if _fits(rule.groups[0], medium) and _fits(rule.groups[2], quantity)
    )


def _fits(group: frozenset[int] | None, value: int) -> bool:
    return group is None or value in group


def dotted(instance: bytes) -> str:
    """An OBIS code (its octets) in dots: "1.0.1.8.0.255"."""
    return ".".join(map(str, instance))


@lru_cache(8192)
def obis_name(instance: bytes) -> str:
    """The meaning of an OBIS code of six octets: "Active energy import (+A), tariff 1"; "" where not known.

    Channel and billing period are named where they are not the usual ones (B 0, F 255).
    """
    if len(instance) != 6:
        return ""
    for rule in _rules_of(instance[0], instance[2]):
        if all(map(_fits, rule.groups, instance)):
            words = [part(instance) for part in rule.parts]
            if None not in words:
                return "".join(filter(None, words)) + _additions(rule, instance)
    return ""


#: Value group B up to a value: channels, then what utilities use, then what manufacturers use.
_CHANNELS = (
    (0, ""),
    (64, ", channel {}"),
    (127, ", utility-specific {}"),
    (199, ", manufacturer-specific {}"),
)


def _additions(rule: _Rule, code: bytes) -> str:
    """Billing period and channel, where the rule leaves them open."""
    text = ""
    if rule.groups[5] is None and code[5] != 255:
        text += _billing_period(code[5])
    channel = code[1]
    if rule.groups[1] is None:
        text += next((words.format(channel) for most, words in _CHANNELS if channel <= most), "")
    return text


def _billing_period(period: int) -> str:
    """Value group F (IEC 62056-6-1, billing periods): 0 to 99 by the counter, 101 to 125 by age."""
    if period < 100:
        return f", billing period {period}"
    if period == 101:
        return ", last billing period"
    if 102 <= period <= 125:
        return f", billing period {period - 100} back"
    return ", billing periods back, number open" if period == 126 else f", F {period}"


# Units and enumerations.


@cache
def _values() -> dict[str, Any]:
    return _load("values")


@cache
def _units() -> dict[int, str]:
    return {int(code): symbol for code, symbol in _values()["units"].items()}


def unit(code: int) -> str:
    """The symbol of a unit by its code: "Wh" for 30; "" for no unit (255) and for unknown codes."""
    return _units().get(code, "")


def attribute_unit(class_id: int, attribute: int) -> str:
    """The unit of an attribute that has one by its definition, without scaler_unit; "" where it has none."""
    known = _values()["attribute_units"].get(f"{class_id}.{attribute}")
    return str(known["unit"]) if known else ""


def enumeration_texts(class_id: int, attribute: int) -> dict[int, str]:
    """Value -> text of an attribute that is an enumeration; empty for any other attribute."""
    known = _values()["enumerations"].get(f"{class_id}.{attribute}", {"texts": {}})
    return {int(value): text for value, text in known["texts"].items()}
