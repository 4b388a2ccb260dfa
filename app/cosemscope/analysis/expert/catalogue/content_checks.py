"""Checks of what some APDUs hold: object lists, pushes and their setups, profiles and the range asked for."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.expert.checks import Found, look_check
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.apdu.context import Context
from cosemscope.apdu.data.dates import moment
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find, walk
from cosemscope.apdu.names import tags as t
from cosemscope.streams.tables.expert_items import Group, Severity, Words

_DEVICE_ID_1 = bytes((0, 0, 96, 1, 0, 255))
_BY_RANGE = 1
_LIST, _SETUP, _PROFILE = (15, 2), (40, 2), (7, 2)


def _exchanges(associations: Associations, about: tuple[int, int]) -> npt.NDArray[np.int64]:
    """The exchanges in which an attribute of this class and number was read and answered."""
    table = capture_facts(associations.analysis).table
    asked = (table["class_id"] == about[0]) & (table["member"] == about[1])
    asked &= table["service"] == t.GET_REQUEST
    found: npt.NDArray[np.int64] = np.flatnonzero(asked & table["final"] & (table["result"] == 0))
    return found[table["request"][found] >= 0]


def _answer(associations: Associations, exchange: int, *, brief: bool = True) -> tuple[int, Field]:
    """The row of the last answer and its data, in a brief tree of long arrays the first elements."""
    row = int(capture_facts(associations.analysis).table["last_response"][exchange])
    look = associations.look(row)
    context = Context(look.request, joined=look.context.joined, brief=brief)
    root = decode_apdu(look.plain, context).root
    joined = next((field for field in walk(root) if field.source), None)
    return row, joined or find(root, "result", "data") or root


def _elements(field: Field) -> list[Field]:
    return [child for child in field.children if child.name.startswith("[")]


@look_check(
    "no-device-id",
    Severity.CHAT,
    Group.DATA,
    "the object list has no Device ID 1 (0.0.96.1.0.255)",
    "IEC 62056-6-2, device ID",
)
def no_device_id(associations: Associations) -> Found:
    """Object lists of the management logical device, read whole, without the object that names the device."""
    found = []
    for exchange in _exchanges(associations, _LIST).tolist():
        row = int(capture_facts(associations.analysis).table["last_response"][exchange])
        look = associations.look(row)
        body = look.context.joined or look.plain
        if associations.analysis.wpdus["source_wport"][row] == 1 and _DEVICE_ID_1 not in body:
            found.append(row)
    return {"wpdu": np.array(found, np.int64)}


@look_check(
    "push-unlike-setup",
    Severity.WARNING,
    Group.DATA,
    "the push has another number of values than its object list",
    "IEC 62056-6-2, Push setup",
)
def push_unlike(associations: Associations) -> Found:
    """Pushes that begin with the name of a push setup, whose object list was read and has another length.

    A list in the push itself is for its tree.
    """
    analysis = associations.analysis
    lists: dict[tuple[str, bytes], int] = {}
    table = capture_facts(analysis).table
    for exchange in _exchanges(associations, _SETUP).tolist():
        row, data = _answer(associations, exchange)
        setup = int(table["obis"][exchange]).to_bytes(6, "big")
        lists[_sender(associations, row), setup] = len(data.value) if isinstance(data.value, tuple) else 0
    wpdu, said = [], []
    for row, values in _pushes(associations) if lists else ():
        name = values[0].value if values else None
        listed = lists.get((_sender(associations, row), name)) if isinstance(name, bytes) else None
        if listed is not None and len(values) not in (listed, listed + 1):
            wpdu.append(row)
            said.append(Words(f"the push has {len(values)} values, its push setup {listed} objects"))
    return {"wpdu": np.array(wpdu, np.int64), "said": said}


def _sender(associations: Associations, row: int) -> str:
    wpdus = associations.analysis.wpdus
    return associations.analysis.endpoints(int(wpdus["stream"][row]))[int(wpdus["direction"][row])].address


def _pushes(associations: Associations) -> Iterator[tuple[int, list[Field]]]:
    """The rows with data notifications, and the elements of their bodies."""
    look = associations.analysis.first_look
    for row in np.flatnonzero(look["service"] == t.DATA_NOTIFICATION).tolist():
        plain = associations.look(row).plain
        body = find(decode_apdu(plain, Context(brief=True)).root, "notification-body") if plain else None
        if body is not None:
            yield row, _elements(body)


@look_check(
    "outside-range",
    Severity.WARNING,
    Group.DATA,
    "the answer has entries outside of the range that was asked for",
    "IEC 62056-6-2, Profile generic",
)
def outside_range(associations: Associations) -> Found:
    """Profiles read by a range of time of which any entry is of another time."""
    table = capture_facts(associations.analysis).table
    found = []
    for exchange in _exchanges(associations, _PROFILE).tolist():
        asked = _range(associations, int(table["whole_request"][exchange]))
        if asked is None:
            continue
        row, data = _answer(associations, exchange, brief=False)
        told = (_clock(entry) for entry in _elements(data))
        if any(clock is not None and _outside(clock, *asked) for clock in told):
            found.append(row)
    return {"wpdu": np.array(found, np.int64)}


def _range(associations: Associations, row: int) -> tuple[datetime, datetime] | None:
    """From when to when a GET asks for entries by a clock; None where it does not."""
    plain = associations.look(row).plain
    selection = find(decode_apdu(plain).root, "access-selection") if plain else None
    value = selection.value if selection is not None else None
    if not isinstance(value, tuple) or value[0] != _BY_RANGE:
        return None
    parameters = value[1]
    if not isinstance(parameters, tuple) or len(parameters) < 3:
        return None
    bounds = [moment(one) if isinstance(one, bytes) else None for one in parameters[1:3]]
    return (bounds[0], bounds[1]) if bounds[0] is not None and bounds[1] is not None else None


def _clock(entry: Field) -> datetime | None:
    """The first date-time among the elements of an entry."""
    octets = (one.value for one in _elements(entry) if isinstance(one.value, bytes))
    return next((told for one in octets if (told := moment(one)) is not None), None)


def _outside(clock: datetime, start: datetime, stop: datetime) -> bool:
    """Whether a time is outside of a range; where only some have a zone, they are compared as they read."""
    if len({one.tzinfo is None for one in (clock, start, stop)}) > 1:
        clock, start, stop = (one.replace(tzinfo=None) for one in (clock, start, stop))
    return not start <= clock <= stop
