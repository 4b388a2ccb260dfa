"""The tree of a whole WPDU: the wrapper header's four fields, then the APDU's own tree behind them.

The APDU decoder counts octets from the APDU's first; here everything of its
source 0 is moved behind the header, so that one byte source holds all of it.
"""

from typing import NamedTuple

from cosemscope.analysis.framing import Framing
from cosemscope.apdu import ByteSource, Decoded, Field, Problem, decode_apdu
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION
from cosemscope.transport.wports import Side, wport_name

from .traffic import Traffic

_CLAUSE = "IEC 62056-4-7, 5.3.2"
_HEADER = ("Version", "Source wPort", "Destination wPort", "Length")


class Frame(NamedTuple):
    """What is known of a WPDU beside its octets; `sender` is the DLMS role of who sent it."""

    framing: Framing = Framing.WRAPPER
    sender: Side = Side.CLIENT


def _moved(field: Field, by: int) -> Field:
    """The field and its children, those of source 0 moved by `by` octets."""
    children = tuple(_moved(child, by) for child in field.children)
    if field.source:
        return field._replace(children=children)
    return field._replace(start=field.start + by, stop=field.stop + by, children=children)


def decode_wpdu(octets: bytes, frame: Frame) -> Decoded:
    """The tree of one WPDU. Never raises: what is missing or odd becomes a problem."""
    if frame.framing not in (Framing.WRAPPER, Framing.SWAPPED):
        decoded = decode_apdu(octets)
        root = Field("octets", None, 0, len(octets), (decoded.root,))
        return Decoded(root, decoded.problems, decoded.sources)
    header, problems = _read_header(octets, frame)
    parts, sources = [header], (ByteSource("WPDU", octets),)
    if len(octets) > HEADER_SIZE:
        decoded = decode_apdu(octets[HEADER_SIZE:])
        parts.append(_moved(decoded.root, HEADER_SIZE))
        sources += decoded.sources[1:]
        problems += [
            problem
            if problem.source
            else problem._replace(start=problem.start + HEADER_SIZE, stop=problem.stop + HEADER_SIZE)
            for problem in decoded.problems
        ]
    root = Field("WPDU", None, 0, len(octets), tuple(parts))
    return Decoded(root, tuple(problems), sources)


def _read_header(octets: bytes, frame: Frame) -> tuple[Field, list[Problem]]:
    order = "little" if frame.framing is Framing.SWAPPED else "big"
    present = octets[:HEADER_SIZE]
    sides = {1: frame.sender, 2: frame.sender.other}
    fields, problems, numbers = [], [], []
    for place, name in enumerate(_HEADER):
        part = present[2 * place : 2 * place + 2]
        if len(part) < 2:
            fields.append(Field("undecoded", part, 2 * place, len(present)))
            problems.append(
                Problem(2 * place, len(present), f"the header ends in its {name.lower()} field", _CLAUSE)
            )
            break
        number = int.from_bytes(part, order)
        numbers.append(number)
        text = str(number)
        if place in sides:
            text = f"{number} (0x{number:04X})  {wport_name(number, sides[place])}, {sides[place].value} side"
        fields.append(Field(name, number, 2 * place, 2 * place + 2, (), text))
    if numbers and numbers[0] != VERSION:
        problems.append(Problem(0, 2, f"expected version {VERSION}, found {numbers[0]}", _CLAUSE))
    if len(numbers) == len(_HEADER):
        fields[3] = fields[3]._replace(text=f"{numbers[3]} octets")
        problems += _length_problems(numbers[3], len(octets) - HEADER_SIZE)
    if frame.framing is Framing.SWAPPED:
        problems.append(Problem(0, len(present), "the header's octets are swapped", _CLAUSE, "warning"))
    summary = (
        f"version {numbers[0]}, wPorts {numbers[1]} → {numbers[2]}" if len(numbers) > 2 else "incomplete"
    )
    return Field("Wrapper header", None, 0, len(present), tuple(fields), summary), problems


def _length_problems(declared: int, present: int) -> list[Problem]:
    if declared > present:
        missing = declared - present
        return [
            Problem(6, 8, f"the header announces {declared} octets, {missing} of them are missing", _CLAUSE)
        ]
    if declared == 0:
        return [Problem(6, 8, "a WPDU without an APDU", _CLAUSE, "warning")]
    return []


def decode_row(traffic: Traffic, row: int) -> Decoded:
    """The tree of a WPDU row."""
    framing = Framing(traffic.wpdus["framing"].item(row))
    return decode_wpdu(traffic.octets(row), Frame(framing, traffic.sender(row)))
