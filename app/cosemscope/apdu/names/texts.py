"""Values as texts for people: logical names, numbers in their units, octets, system titles.

A load profile asks for the same logical names and titles ten thousand times: those are remembered.
"""

from decimal import Decimal
from functools import lru_cache

from cosemscope.apdu.names.blue_book import dotted, obis_name, unit
from cosemscope.wording import printable

#: Units that people read in thousands.
KILO_UNITS = frozenset({"W", "VA", "var", "Wh", "VAh", "varh"})
_SHOWN_OCTETS = 64
_NO_UNIT = 255
_SHOWN_CHARACTERS = 200


@lru_cache(4096)
def obis_text(instance: bytes) -> str:
    """A logical name in dots, and what the value groups mean: "1.0.1.8.0.255 Active energy import (+A)"."""
    name = obis_name(instance)
    return f"{dotted(instance)} {name}" if name else dotted(instance)


def scaled_text(value: int | float, scaler: int, code: int) -> str:
    """A number with its scaler and unit applied: 123456, scaler 1, unit 30 is "1234.56 kWh"."""
    symbol = unit(code)
    try:
        number = Decimal(repr(value)).scaleb(scaler)
    except ArithmeticError:
        return f"{value} × 10^{scaler} {symbol}".rstrip()
    return quantity_text(number, symbol, plain=-20 <= scaler <= 20)


def quantity_text(number: Decimal, symbol: str, *, plain: bool = True) -> str:
    """A number in its unit, which may be "": 4978644 and "Wh" are "4978.644 kWh"; `plain`: no exponent."""
    if symbol in KILO_UNITS and number.is_finite() and abs(number) >= 1000:
        number, symbol = number.scaleb(-3).normalize(), "k" + symbol
    words = f"{number:f}" if plain and number.is_finite() else str(number)
    return f"{words} {symbol}".rstrip()


def scaler_unit_text(scaler: int, code: int) -> str:
    """A scaler_unit for people: "scaler 10^-1, unit Wh"; code 255 is that of counts and ratios."""
    return f"scaler 10^{scaler}, {'no unit (255)' if code == _NO_UNIT else f'unit {unit(code) or code}'}"


def hex_text(octets: bytes) -> str:
    """Octets in hex, cut after 64 with their number."""
    if len(octets) <= _SHOWN_OCTETS:
        return octets.hex()
    return f"{octets[:_SHOWN_OCTETS].hex()}… ({len(octets)} octets)"


def octets_text(octets: bytes) -> str:
    """Octets as people read them: in quotes when all are printable ASCII (at least two), else in hex.

    Text that zeros fill up (at least four characters of it) is shown as text, with the number of zeros.
    """
    if not octets:
        return "empty"
    text = octets.rstrip(b"\0")
    filled = len(octets) - len(text)
    if len(text) > (3 if filled else 1) and text.isascii() and (words := text.decode("ascii")).isprintable():
        return f"{quoted(words)}, {filled} zero octet{'s'[: filled != 1]}" if filled else quoted(words)
    return hex_text(octets)


def quoted(words: str) -> str:
    """Text in quotes, control characters escaped, cut after 200 characters."""
    shown = words if len(words) <= _SHOWN_CHARACTERS else words[:_SHOWN_CHARACTERS] + "…"
    return f'"{printable(shown)}"'


#: Octets of a system title.
TITLE_SIZE = 8


@lru_cache(1024)
def title_text(title: bytes) -> str:
    """A system title: manufacturer's three letters and the rest in hex, "KFM 4B464D6750000009"."""
    flag = title[:3]
    if len(title) == TITLE_SIZE and flag.isalpha() and flag.isascii():
        return f"{flag.decode()} {title.hex().upper()}"
    return title.hex().upper()
