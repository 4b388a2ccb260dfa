"""What may become of a WPDU that is held: each way is a value with a plan of what goes on, and when.

As typed on a command line: `go`, `delay=500ms`, `drop`, `double`, `split=8`, `replace=HEX`, and `source=17`,
`destination=1`, `invoke-id=3`, `at=8:HEX` for a field of it.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from cosemscope.apdu.names import tags as t
from cosemscope.transport.wpdu import HEADER_SIZE, MAX_DATA, Wpdu, decode_header

#: Seconds of a delay, at most: nothing is held for longer.
MOST_SECONDS = 60.0


class GoingOn(NamedTuple):
    """Octets that go on, `after` so many seconds."""

    octets: bytes
    after: float = 0.0


Plan = tuple[GoingOn, ...]
"""What goes on in the place of a WPDU, in this order; empty: nothing does."""


class HeldEdit:
    """One way. `words` say it in a comment; `plan` raises ValueError, in words, where it cannot be done."""

    @property
    def words(self) -> str:
        """What is done, as it is typed."""
        raise NotImplementedError

    def plan(self, wpdu: bytes) -> Plan:
        """What goes on in the place of these octets."""
        raise NotImplementedError


@dataclass(frozen=True)
class GoOn(HeldEdit):
    """It goes on as it came."""

    @property
    def words(self) -> str:
        """As typed."""
        return "go"

    def plan(self, wpdu: bytes) -> Plan:
        """Itself."""
        return (GoingOn(wpdu),)


@dataclass(frozen=True)
class DelayBy(HeldEdit):
    """It goes on as it came, so many seconds later."""

    seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= MOST_SECONDS:
            raise ValueError(f"{self.seconds:g} s is no delay: 0 to {MOST_SECONDS:g} s")

    @property
    def words(self) -> str:
        """As typed."""
        return f"delay={self.seconds * 1000:g}ms"

    def plan(self, wpdu: bytes) -> Plan:
        """Itself, later."""
        return (GoingOn(wpdu, self.seconds),)


@dataclass(frozen=True)
class DropIt(HeldEdit):
    """It does not go on."""

    @property
    def words(self) -> str:
        """As typed."""
        return "drop"

    def plan(self, wpdu: bytes) -> Plan:
        """Nothing."""
        return ()


@dataclass(frozen=True)
class DoubleIt(HeldEdit):
    """It goes on twice."""

    @property
    def words(self) -> str:
        """As typed."""
        return "double"

    def plan(self, wpdu: bytes) -> Plan:
        """Itself, and again."""
        return (GoingOn(wpdu), GoingOn(wpdu))


#: Seconds between the parts of what was split: in one segment they would meet the receiver as one.
_BETWEEN_PARTS = 0.05


@dataclass(frozen=True)
class SplitAt(HeldEdit):
    """Its first `at` octets go on, and the others a moment later, in a segment or datagram of their own."""

    at: int

    @property
    def words(self) -> str:
        """As typed."""
        return f"split={self.at}"

    def plan(self, wpdu: bytes) -> Plan:
        """Its two parts."""
        if not 0 < self.at < len(wpdu):
            raise ValueError(f"{len(wpdu)} octets cannot be split at {self.at}: 1 to {len(wpdu) - 1}")
        return (GoingOn(wpdu[: self.at]), GoingOn(wpdu[self.at :], _BETWEEN_PARTS))


@dataclass(frozen=True)
class ReplaceApdu(HeldEdit):
    """Another APDU goes on with its wPorts; the header's length is that one's."""

    apdu: bytes

    @property
    def words(self) -> str:
        """As typed, of a long one the number of its octets."""
        return f"replace={self.apdu.hex() if len(self.apdu) <= 32 else f'({len(self.apdu)} octets)'}"

    def plan(self, wpdu: bytes) -> Plan:
        """The WPDU with the other APDU."""
        header = decode_header(wpdu)
        if header is None:
            raise ValueError(f"{len(wpdu)} octets have no header: replace them with at=0:HEX")
        if len(self.apdu) > MAX_DATA:
            raise ValueError(f"{len(self.apdu):,} octets do not fit in a WPDU: {MAX_DATA:,} at most")
        return (
            GoingOn(Wpdu(header.source_wport, header.destination_wport, self.apdu, header.version).encode()),
        )


@dataclass(frozen=True)
class SetFields(HeldEdit):
    """Fields of it get other values: its wPorts, the invoke-id of its APDU, octets `at` a place in it.

    None leaves a field. `at` counts from the first octet of the header; 8 is the first one of the APDU.
    """

    source_wport: int | None = None
    destination_wport: int | None = None
    invoke_id: int | None = None
    at: int | None = None
    octets: bytes = b""

    def __post_init__(self) -> None:
        for number in (self.source_wport, self.destination_wport):
            if number is not None and not 0 <= number <= 0xFFFF:
                raise ValueError(f"{number} is no wPort (0 to 65535)")
        if (self.at is None) is not (not self.octets):
            raise ValueError("octets go with the place where they are to stand: at and octets")
        if self.at is not None and self.at < 0:
            raise ValueError(f"{self.at} is no place in a WPDU: octets count from 0")

    @property
    def words(self) -> str:
        """As typed, one after the other."""
        told = {"source": self.source_wport, "destination": self.destination_wport}
        told["invoke-id"] = self.invoke_id
        named = [f"{name}={value}" for name, value in told.items() if value is not None]
        return ", ".join([*named, *([f"at={self.at}:{self.octets.hex()}"] if self.octets else [])])

    def plan(self, wpdu: bytes) -> Plan:
        """The WPDU with the other values; as long as it was."""
        changed = bytearray(wpdu)
        for start, number in ((2, self.source_wport), (4, self.destination_wport)):
            if number is not None:
                _put(changed, start, number.to_bytes(2, "big"))
        if self.invoke_id is not None:
            _put_invoke_id(changed, self.invoke_id)
        if self.at is not None:
            _put(changed, self.at, self.octets)
        return (GoingOn(bytes(changed)),)


def _put(octets: bytearray, start: int, value: bytes) -> None:
    if start + len(value) > len(octets):
        raise ValueError(f"octets {start} to {start + len(value) - 1} are not there: it has {len(octets)}")
    octets[start : start + len(value)] = value


#: Services whose third octet is invoke-id-and-priority, and those that begin with a long one.
_SHORT_INVOKE_ID = {
    *(t.GET_REQUEST, t.SET_REQUEST, t.ACTION_REQUEST),
    *(t.GET_RESPONSE, t.SET_RESPONSE, t.ACTION_RESPONSE),
}
_LONG_INVOKE_ID = {t.ACCESS_REQUEST, t.ACCESS_RESPONSE, t.DATA_NOTIFICATION}


def _put_invoke_id(wpdu: bytearray, number: int) -> None:
    """Set the bits of the invoke-id; priority and service class stay (IEC 62056-5-3, 9.5)."""
    tag = wpdu[HEADER_SIZE] if len(wpdu) > HEADER_SIZE else None
    if tag in _SHORT_INVOKE_ID and len(wpdu) > HEADER_SIZE + 2:
        place, size = HEADER_SIZE + 2, 4
    elif tag in _LONG_INVOKE_ID and len(wpdu) > HEADER_SIZE + 4:
        place, size = HEADER_SIZE + 2, 24
    else:
        raise ValueError("this APDU has no invoke-id in the clear")
    if not 0 <= number < 1 << size:
        raise ValueError(f"{number} is no invoke-id of this APDU (0 to {(1 << size) - 1})")
    if size == 4:
        wpdu[place] = wpdu[place] & 0xF0 | number
    else:
        wpdu[place : place + 3] = number.to_bytes(3, "big")


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", text)
    if found is None:
        raise ValueError(f"{text!r} is no time, such as 500ms or 2s")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None


def _hex(text: str) -> bytes:
    try:
        found = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        raise ValueError(f"{text[:80]!r} is not hexadecimal") from None
    if not found:
        raise ValueError("there are no octets in it")
    return found


def _placed(text: str) -> SetFields:
    place, colon, octets = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} is no place with octets, such as 8:c001")
    return SetFields(at=_number(place), octets=_hex(octets))


_WITHOUT_VALUE: dict[str, HeldEdit] = {"go": GoOn(), "drop": DropIt(), "double": DoubleIt()}
_WITH_VALUE: dict[str, Callable[[str], HeldEdit]] = {
    "delay": lambda text: DelayBy(_seconds(text)),
    "split": lambda text: SplitAt(_number(text)),
    "replace": lambda text: ReplaceApdu(_hex(text)),
    "source": lambda text: SetFields(source_wport=_number(text)),
    "destination": lambda text: SetFields(destination_wport=_number(text)),
    "invoke-id": lambda text: SetFields(invoke_id=_number(text)),
    "at": _placed,
}


def parse_edit(text: str) -> HeldEdit:
    """The edit as typed. Raises ArgumentTypeError with the words that there are."""
    word, equals, value = text.strip().partition("=")
    if not equals and word in _WITHOUT_VALUE:
        return _WITHOUT_VALUE[word]
    if not equals or word not in _WITH_VALUE:
        known = ", ".join([*_WITHOUT_VALUE, *(f"{each}=..." for each in _WITH_VALUE)])
        raise ArgumentTypeError(f"{text[:80]!r} is nothing to do with a WPDU: {known}")
    try:
        return _WITH_VALUE[word](value.strip())
    except ValueError as error:
        raise ArgumentTypeError(f"{word}: {error}") from None
