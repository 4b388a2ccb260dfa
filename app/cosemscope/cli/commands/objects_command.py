"""`objects`: every object that a capture tells of, by meter, with values, units, times and who asked.

A line an attribute; with `--profile` a line an entry of a profile, with `--object-list` a line an object of
the meters' own lists. The keys of the JSON lines are an interface: more may come, none goes away.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.told_values import ToldValue
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.formats.csv_lines import csv_lines
from cosemscope.analysis.export.tables.object_facts import (
    COUNTS,
    attribute_facts,
    attribute_order,
    attribute_value,
    object_names,
)
from cosemscope.analysis.export.tables.object_tables import object_table
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.analysis.fields.row_records import AlignedColumns
from cosemscope.analysis.fields.value_types import Instant, Quantity
from cosemscope.analysis.filter.display_filter import DisplayFilter
from cosemscope.analysis.objects.access_lists import ListedObject, listed_objects
from cosemscope.analysis.objects.object_table import ObjectView
from cosemscope.analysis.objects.profiles import ProfileTable, profile_table, profiles
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.table_output import add_fields_argument, names_of, print_table
from cosemscope.cli.terminal import show_progress, write_octets

DESCRIPTION = (
    "Print every object that a capture tells of, by meter: attributes with their last value, unit and time, "
    "how often they were read, written and pushed, and by whom. Scalers are applied wherever in the capture "
    "they were told. With --json: meter, logical_device, class_id, class, obis, name, attribute, "
    "attribute_name, value, unit, time, number, reads, writes, pushes, refused, refusal, clients, values "
    "(each value that it took: value, unit, time, number, how, client); with --profile: meter, "
    "logical_device, obis, values (column, obis, attribute, value, unit); with --object-list: meter, "
    "logical_device, association, class_id, class, obis, name, version, base_name, attributes, methods. "
    "Times are seconds as text, null is for nothing."
)
_HEADS = (
    *("Meter", "LD", "Class", "OBIS", "Object", "Attribute", "Value", "Told at"),
    *("Read", "Written", "Pushed", "Refused", "By"),
)
_NUMBERS = ("LD", "Read", "Written", "Pushed", "Refused")
_LIST_HEADS = ("Meter", "LD", "Association", "Class", "Version", "OBIS", "Object", "Attributes", "Methods")
#: A logical name as people write it, with or without the last group: 1.0.1.8.0.255 or 1-0:1.8.0*255.
_NAME = re.compile(r"(\d+)[.-](\d+)[.:](\d+)\.(\d+)\.(\d+)(?:[.*](\d+))?")
_QUANTITY: Final = Quantity()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `objects`."""
    add_capture_arguments(parser)
    add_keys_argument(parser)
    parser.add_argument("--meter", metavar="ADDRESS", help="only this meter, by its IP address")
    add_filter_argument(parser, "only attributes, and their values, that WPDUs tell which it leaves")
    add_fields_argument(parser, "meter, obis, value, unit, time and the other keys of --json but values")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--profile", metavar="OBIS", help="the entries of this profile: 1.0.99.1.0.255")
    what.add_argument(
        "--object-list", action="store_true", help="the objects and access rights of the meters' lists"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, one object a line")
    form.add_argument("--csv", action="store_true", help="CSV for spreadsheets")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope objects`; returns the exit status."""
    return with_analysis(arguments, _objects)


def _objects(analysis: Analysis, arguments: argparse.Namespace) -> int:
    wanted = _instance(arguments.profile) if arguments.profile else None
    filtered, keys = load_filter(arguments), load_keys(arguments)
    names = names_of(arguments)
    for option, is_given in (("--filter", arguments.filter), ("--fields", names is not None)):
        if is_given and (arguments.profile or arguments.object_list):
            raise CommandError(f"{option} goes with attributes, and not with --profile or --object-list.")
    if names is not None:
        _print_fields(analysis.run(), filtered, names, arguments)
        return 0
    view = ObjectView(analysis.run(), keys)
    view.complete(told=show_progress)
    if not filtered.is_empty:
        view.leave(filtered_rows(filtered, Associations(analysis, keys)))
    if arguments.meter and arguments.meter not in view.devices:
        raise CommandError(f"{arguments.file}: nothing is told of a meter {arguments.meter}.")
    if wanted is not None:
        _print_profile(view, wanted, arguments)
    elif arguments.object_list:
        listed = [one for one in listed_objects(view) if arguments.meter in (None, one.device.meter)]
        if not listed:
            raise CommandError(f"{arguments.file}: no object list of an association is told.")
        _print(arguments, _LIST_HEADS, ("LD", "Version"), map(_list_object, listed))
    else:
        _print(arguments, _HEADS, _NUMBERS, _attributes(view, arguments.meter))
    sys.stdout.flush()
    return 0


def _print_fields(
    analysis: Analysis, filtered: DisplayFilter, names: tuple[str, ...], arguments: argparse.Namespace
) -> None:
    """The columns of attributes that are named."""
    associations = Associations(analysis, load_keys(arguments))
    left = None if filtered.is_empty else filtered_rows(filtered, associations)
    try:
        table = object_table(Subject(analysis, associations, left, show_progress), names, arguments.meter)
    except ExportError as error:
        raise CommandError(f"--fields: {error}") from None
    print_table(table, as_json=arguments.json, as_csv=arguments.csv)


def _instance(text: str) -> bytes:
    """A logical name as six octets; CommandError says how one is written."""
    found = _NAME.fullmatch(text.strip())
    groups = [int(group) for group in found.groups("255")] if found is not None else []
    if not groups or max(groups) > 255:
        raise CommandError(f"“{text}” is no OBIS code, such as 1.0.99.1.0.255 or 1-0:99.1.0*255.")
    return bytes(groups)


def _print(
    arguments: argparse.Namespace,
    heads: tuple[str, ...],
    numbers: tuple[str, ...],
    told: Iterator[tuple[dict[str, Any], tuple[str, ...]]],
) -> None:
    """Objects as JSON lines, or their cells as CSV or as a table."""
    if arguments.json:
        for one, _ in told:
            write_octets(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))
        return
    rows = [cells for _, cells in told]
    if arguments.csv:
        write_octets(csv_lines([heads, *rows]).encode())
    else:
        columns = zip(*rows, strict=True) if rows else [()] * len(heads)
        print(AlignedColumns(heads, numbers).lines(columns), end="")


# --- attributes ---


def _attributes(view: ObjectView, meter: str | None) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """Each attribute for scripts and as cells, by meter, logical device, name, class and attribute."""
    for place in attribute_order(view):
        if meter in (None, view.attributes[place].device.meter):
            one = attribute_facts(view, place)
            told = view.with_value(place)[-1:].tolist()
            yield (
                one,
                _cells(one, attribute_value(view, view.attributes[place], told[0]).text if told else None),
            )


def _cells(one: dict[str, Any], value: str | None) -> tuple[str, ...]:
    told = one["time"] and Instant().text(int(one["time"].replace(".", "")))[:23]
    return (
        one["meter"],
        str(one["logical_device"]),
        one["class"] or str(one["class_id"] or ""),
        one["obis"],
        one["name"] or "",
        one["attribute_name"] or str(one["attribute"]),
        value or one["refusal"] or "",
        told or "",
        *(str(one[name] or "") for name in (*COUNTS.values(), "refused")),
        ", ".join(one["clients"]),
    )


# --- profiles ---


def _print_profile(view: ObjectView, instance: bytes, arguments: argparse.Namespace) -> None:
    """The tables of a profile, of all meters or one. Raises CommandError where there is none."""
    known = profiles(view)
    devices = [
        device for device, name in known if name == instance and arguments.meter in (None, device.meter)
    ]
    if not devices:
        names = ", ".join(dict.fromkeys(dotted(name) for _, name in known)) or "none"
        raise CommandError(
            f"{arguments.file}: no entries of {dotted(instance)} are told; profiles with entries: {names}."
        )
    tables = [profile_table(view, device, instance) for device in devices]
    for lack, without in _LACKS:
        lacking = list(dict.fromkeys(table.device.meter for table in tables if lack(table)))
        if lacking:
            print(f"cosemscope: {', '.join(lacking)}: {without}", file=sys.stderr)
    if arguments.json:
        for table in tables:
            for one in _entries(table):
                write_octets(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))
        return
    titles = list(dict.fromkeys(title for table in tables for title in table.titles))
    heads = ("Meter", *titles)
    rows = [
        (table.device.meter, *(cells.get(title, "") for title in titles))
        for table in tables
        for cells in (dict(zip(table.titles, map(_text, row), strict=True)) for row in table.rows)
    ]
    if arguments.csv:
        write_octets(csv_lines([heads, *rows]).encode())
    else:
        print(AlignedColumns(heads, ()).lines(zip(*rows, strict=True) if rows else [()] * len(heads)), end="")


#: What a profile may lack, and what is said then.
_LACKS: tuple[tuple[Callable[[ProfileTable], bool], str], ...] = (
    (lambda table: not table.named, "the capture objects are not in the capture: columns are numbered."),
    (
        lambda table: (
            not table.period
            and any(
                one.is_clock and row[at].value is None
                for row in table.rows
                for at, one in enumerate(table.columns)
            )
        ),
        "the capture period is not in the capture: times that entries leave out are blank.",
    ),
)


def _text(value: ToldValue) -> str:
    return "" if value.value is None else _QUANTITY.text(value.value)


def _entries(table: ProfileTable) -> Iterator[dict[str, Any]]:
    """The entries of a profile for scripts; a value an object: column, object, value, unit."""
    about = {
        "meter": table.device.meter,
        "logical_device": table.device.wport,
        "obis": dotted(table.instance),
    }
    for row in table.rows:
        values = [
            {
                "column": column.title,
                "obis": dotted(column.reference.instance) if column.reference is not None else None,
                "attribute": column.reference.member if column.reference is not None else None,
                "value": None if value.value is None else _QUANTITY.json(value.value),
                "unit": value.unit,
            }
            for column, value in zip(table.columns, row, strict=True)
        ]
        yield {**about, "values": values}


# --- object lists ---


def _list_object(one: ListedObject) -> tuple[dict[str, Any], tuple[str, ...]]:
    told = {
        "meter": one.device.meter,
        "logical_device": one.device.wport,
        "association": dotted(one.association),
        **object_names(one.class_id, one.instance),
        "version": one.version,
        "base_name": one.base_name,
        "attributes": one.attributes,
        "methods": one.methods,
    }
    return told, _list_cells(told)


def _list_cells(one: dict[str, Any]) -> tuple[str, ...]:
    rights = (
        ", ".join(f"{name} {right}" for name, right in one[kind].items())
        for kind in ("attributes", "methods")
    )
    named = one["class"] or str(one["class_id"])
    place = (one["meter"], str(one["logical_device"]), one["association"])
    return (*place, named, str(one["version"]), one["obis"], one["name"] or "", *rights)
