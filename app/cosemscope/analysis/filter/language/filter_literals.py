"""Literals of a filter become values: one function for each kind that they are compared with.

All raise ValueError for what is no value of that kind; who asks knows the columns and what would fit.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from cosemscope.analysis.filter.language.filter_nodes import Literal, Spelling

_SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "sec": _SECOND,
    "min": 60 * _SECOND,
    "h": 3600 * _SECOND,
    "d": 86_400 * _SECOND,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-zµμ]+)", re.IGNORECASE)
_OBIS_DOTS = re.compile(r"(\d+|\*)\.(\d+|\*)\.(\d+|\*)\.(\d+|\*)\.(\d+|\*)\.(\d+|\*)")
_OBIS_SIGNS = re.compile(r"(\d+|\*)-(\d+|\*):(\d+|\*)\.(\d+|\*)(?:\.(\d+|\*))?(?:[*&.](\d+|\*))?")
#: As a meter's display has it: groups C, D and E.
_OBIS_DISPLAYED = re.compile(r"()()(\d+|\*)\.(\d+|\*)\.(\d+|\*)(?:[*&](\d+|\*))?")
_OBIS_OCTETS = re.compile(r"(?:0x)?[0-9A-Fa-f]{12}|[0-9A-Fa-f]{2}(?:[\s:-][0-9A-Fa-f]{2}){5}")
#: The places of a time's seconds.
_FRACTION = re.compile(r"(?::\d\d:\d\d|[T ]\d{6})\.(\d{1,9})", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_TITLE = re.compile(r"([A-Za-z]{3})([0-9A-Fa-f]{10})")
_YES, _NO = frozenset(("true", "yes", "1")), frozenset(("false", "no", "0"))
#: Digits of the longest number that is read.
_MOST_DIGITS = 40
#: Numbers are below this power of ten, and above one over it: all floating ones of 64 bits.
_MOST_POWER = 400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Number = int | Decimal


class ObisPattern(NamedTuple):
    """Logical names: those whose bits of `mask` are those of `value`; numbers of 48 bits."""

    mask: int
    value: int

    @property
    def is_one(self) -> bool:
        """Whether it has no wildcard."""
        return self.mask == (1 << 48) - 1


class Network(NamedTuple):
    """Addresses of a family (4 or 6) from `first` to `last`, both numbers; `port`: None for any."""

    family: int
    first: int
    last: int
    port: int | None = None


def read_number(literal: Literal) -> Number:
    """A number, decimal, hexadecimal (0x) or binary (0b)."""
    text = literal.text.lower()
    if literal.spelling not in (Spelling.NUMBER, Spelling.STRING) or len(text) > _MOST_DIGITS:
        raise ValueError
    if text.startswith(("0x", "0b")):
        return int(text, 0)
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError from None
    if not number.is_finite() or not -_MOST_POWER < number.adjusted() < _MOST_POWER:
        raise ValueError
    return int(number) if number == number.to_integral_value() else number


def read_duration(literal: Literal) -> Number:
    """Nanoseconds; a number without a unit is seconds, as in Wireshark."""
    found = _DURATION.fullmatch(literal.text.strip())
    if found is None:
        return _whole(read_number(literal) * _SECOND)
    if len(found[1]) > _MOST_DIGITS or found[2].lower() not in _UNITS:
        raise ValueError
    return _whole(Decimal(found[1]) * _UNITS[found[2].lower()])


def _whole(number: Number) -> Number:
    return int(number) if number == int(number) else number


def read_instant(literal: Literal) -> Number:
    """Nanoseconds since the epoch: of a date and time, local unless it has Z or an offset; or of seconds."""
    if literal.spelling is Spelling.NUMBER:
        return _whole(read_number(literal) * _SECOND)
    text, places = literal.text.strip().replace(",", "."), ""
    found = _FRACTION.search(text)
    if found is not None:
        places = found[1]
        text = text[: found.start(1) - 1] + text[found.end() :]
    if "." in text:  # 08.30 would be taken for something else than it is meant for
        raise ValueError
    if not text[:1].isdigit():
        raise ValueError
    try:
        moment = datetime.fromisoformat(text.upper().replace("T", " "))
    except ValueError:
        try:
            moment = datetime.combine(date.fromisoformat(text), datetime.min.time())
        except ValueError:
            raise ValueError from None
    try:
        # Of a local time that a change of clocks leaves out, timestamp() tells what it would have been.
        aware = datetime.fromtimestamp(moment.timestamp(), UTC) if moment.tzinfo is None else moment
        seconds = (aware - _EPOCH) // timedelta(seconds=1)
    except (OverflowError, OSError, ValueError):
        raise ValueError from None
    return seconds * _SECOND + int(f"{places:0<9}")


def read_obis(literal: Literal) -> ObisPattern:
    """A logical name, in dots or with signs (groups E and F may be left out), with wildcards.

    Also its groups C, D and E alone, and its six octets in hex.
    """
    text = literal.text.strip()
    if _OBIS_OCTETS.fullmatch(text):
        octets = bytes.fromhex(re.sub(r"[\s:-]", "", text.removeprefix("0x")))
        return ObisPattern((1 << 48) - 1, int.from_bytes(octets))
    found = _OBIS_DOTS.fullmatch(text) or _OBIS_SIGNS.fullmatch(text) or _OBIS_DISPLAYED.fullmatch(text)
    if found is None:
        raise ValueError
    mask = value = 0
    for group in found.groups():
        # Groups that were left out may be anything.
        wild = group in (None, "", "*")
        number = 0 if wild else int(group)
        if number > 255:
            raise ValueError
        mask, value = mask << 8 | (0 if wild else 255), value << 8 | number
    return ObisPattern(mask, value)


def read_address(literal: Literal, *, port: bool = False) -> Network:
    """An IP address, a network, or (where `port`) an address and a port."""
    text, number = literal.text.strip(), None
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?", text)
    plain = re.fullmatch(r"([\d.]+):(\d{1,5})", text)
    split = bracketed or plain
    if split is not None:
        text, number = split[1], int(split[2]) if split[2] else None
    if number is not None and (not port or number > 65_535):
        raise ValueError
    if "/" in text:
        network = ip_network(text, strict=False)
        return Network(network.version, int(network[0]), int(network[-1]))
    address = ip_address(text)
    return Network(address.version, int(address), int(address), number)


def read_octets(literal: Literal) -> bytes:
    """Octets in hex with colons, dashes, dots or nothing between; of a string those of its text."""
    if literal.spelling is Spelling.STRING:
        try:
            return literal.text.encode("latin-1")
        except UnicodeEncodeError:
            return literal.text.encode()
    text = literal.text.lower()
    if text.isdigit() and len(text) < 4 and not (len(text) == 2 and text[0] == "0"):
        number = int(text)
        if number > 255:
            raise ValueError
        return bytes((number,))
    text = re.sub("[:.-]", "", text.removeprefix("0x"))
    if not _HEX.fullmatch(text):
        raise ValueError
    return bytes.fromhex(text)


def read_flag(literal: Literal) -> bool:
    """True or false, yes or no, 1 or 0."""
    word = literal.text.lower()
    if word not in _YES | _NO:
        raise ValueError
    return word in _YES


def read_title(literal: Literal) -> str:
    """A system title in 16 upper-case hex digits: of these, with its three letters before them or in it."""
    text = re.sub(r"[\s:-]", "", literal.text)
    for candidate in (text, text[3:]):
        if re.fullmatch("[0-9A-Fa-f]{16}", candidate):
            return candidate.upper()
    found = _TITLE.fullmatch(text)
    if found is None:
        raise ValueError
    return (found[1].encode().hex() + found[2]).upper()


def read_text(literal: Literal) -> str:
    """Text as it is."""
    return literal.text
