"""How the fields of the registry look as columns: the room they need, what gives way, and tips that say more.

A field looks as its type does; only the columns that the table has from the beginning have own looks.
"""

from collections.abc import Callable
from typing import NamedTuple

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look.formats import TIME_FORMATS, time_sample
from cosemscope.wording import clock

#: The fields that are columns where nobody has chosen others.
USUAL_FIELDS = (
    "wpdu.number",
    "wpdu.time",
    "source",
    "destination",
    "wport.src",
    "wport.dst",
    "wpdu.length",
    "wpdu.segments",
    "apdu",
    "info",
)

_ADDRESS = "198.51.100.57:4059"
#: Streams whose addresses tell how wide those columns are to be.
_STREAMS_MEASURED = 200


class ColumnLook(NamedTuple):
    """How a column looks: `sample(traffic, time_format, places)` is a text as wide as the column should be.

    `least` are two shorter texts: the column shrinks to the first, then to the second, when there is little
    room. `middle`: what does not fit is left out in the middle. `tip(traffic, row)` is what a rest of the
    mouse tells, `nothing` the text of a row to which the field does not apply.
    """

    sample: Callable[[Traffic, str, int], str]
    least: tuple[str, str] | None = None
    middle: bool = False
    tip: Callable[[Traffic, int], str] | None = None
    nothing: str = ""


def look_of(field: RowField) -> ColumnLook:
    """How a field looks as a column."""
    return _NAMED.get(field.name) or _OF_TYPE[field.type.word]


def gives_way(field: RowField) -> int:
    """The turn, from 0, in which the column becomes narrower where there is little room; -1 for never."""
    if look_of(field).least is None:
        return -1
    return list(_NAMED).index(field.name) if field.name in _NAMED else len(_NAMED)


def _fixed(sample: str) -> Callable[[Traffic, str, int], str]:
    return lambda traffic, time_format, places: sample


def _number_sample(traffic: Traffic, time_format: str, places: int) -> str:
    return "⚠ → " + "0" * max(3, len(str(traffic.total)))


def _time_sample(traffic: Traffic, time_format: str, places: int) -> str:
    """A text as long as the longest of the times, as far as that is known."""
    way = TIME_FORMATS[time_format]
    if time_format != "relative" or not traffic.total:
        return time_sample(way, places)
    last = traffic.wpdus["time"].item(traffic.total - 1)
    return max(way.text(last, traffic.first_time, places), way.text(10**10, 0, places), key=len)


def _address_sample(traffic: Traffic, time_format: str, places: int) -> str:
    """The longest `address:port` of the first streams."""
    streams = range(min(len(traffic.streams), _STREAMS_MEASURED))
    ends = (str(end) for stream in streams for end in traffic.analysis.endpoints(stream))
    return max(ends, key=len, default=_ADDRESS)


def _number_tip(traffic: Traffic, row: int) -> str:
    return "\n".join([*traffic.mark_names(row), *traffic.comments(row)])


def _said(name: str) -> Callable[[Traffic, int], str]:
    return lambda traffic, row: traffic.said(row, name)[0]


def _wport_tip(name: str, other_side: bool) -> Callable[[Traffic, int], str]:
    def tip(traffic: Traffic, row: int) -> str:
        number, meaning = traffic.said(row, name, f"{name}.name")
        sender = traffic.sender(row)
        side = sender.other if other_side else sender
        return f"{number} (0x{int(number):04X}): {meaning}, {side.value} side"

    return tip


def _segments_tip(traffic: Traffic, row: int) -> str:
    first, last = (traffic.wpdus[name].item(row) + 1 for name in ("first_packet", "last_packet"))
    return f"packet {first}" if first == last else f"packets {first} to {last}"


def _apdu_tip(traffic: Traffic, row: int) -> str:
    name, tag = traffic.said(row, "apdu", "apdu.tag")
    return f"{name}, tag 0x{int(tag):02X}" if tag else "no octets after the header"


_LEAST_ADDRESS = (_ADDRESS, "198.51.1…7:4059")
#: Looks by name; those with `least` give way in this order.
_NAMED = {
    "info": ColumnLook(
        _fixed("GET response 0.0.1.0.0.255 Clock, value = 2026"),
        least=("GET response 0.0.1.0.0.255", "GET response"),
    ),
    "apdu": ColumnLook(
        _fixed("glo-action-response"),
        least=("data-notification", "get-reque…"),
        tip=_apdu_tip,
        nothing="no APDU",
    ),
    "source": ColumnLook(_address_sample, _LEAST_ADDRESS, middle=True, tip=_said("source")),
    "destination": ColumnLook(_address_sample, _LEAST_ADDRESS, middle=True, tip=_said("destination")),
    "wpdu.number": ColumnLook(_number_sample, tip=_number_tip),
    "wpdu.time": ColumnLook(_time_sample, tip=lambda traffic, row: clock(traffic.wpdus["time"].item(row))),
    "wport.src": ColumnLook(_fixed("00000"), tip=_wport_tip("wport.src", False)),
    "wport.dst": ColumnLook(_fixed("00000"), tip=_wport_tip("wport.dst", True)),
    "wpdu.segments": ColumnLook(_fixed("00"), tip=_segments_tip),
}
assert all(name in FIELDS for name in (*USUAL_FIELDS, *_NAMED))
_OF_TYPE = {
    "quantity": ColumnLook(_fixed("12345.678")),
    "integer": ColumnLook(_fixed("00000")),
    "flag": ColumnLook(_fixed("yes")),
    "instant": ColumnLook(_fixed("2026-00-00 00:00:00.000000000")),
    "duration": ColumnLook(_fixed("0000.000000000")),
    "obis": ColumnLook(_fixed("1.0.99.128.255.255")),
    "address": ColumnLook(_fixed("198.51.100.255"), ("198.51.100.255", "198.51…255"), middle=True),
    "word": ColumnLook(_fixed("general-glo-ciphering"), ("glo-get-request", "get-reque…")),
    "title": ColumnLook(_fixed("CSP 4353500000000001"), ("4353500000000001", "43535000…")),
    "text": ColumnLook(_fixed("Active energy import (+A)"), ("Active energy", "Active…")),
    "octets": ColumnLook(_fixed("0001001000010000"), ("00010010", "0001")),
}
