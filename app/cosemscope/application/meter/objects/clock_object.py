"""The meter's clock (class 8): the time that the caller tells, and how far a client has set it off."""

from collections.abc import Callable
from datetime import UTC, datetime

from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.meter.objects.cosem_object import (
    PUBLIC,
    UNMATCHED_TYPE,
    CosemObject,
    RefusedAccess,
    expect,
)

#: A clock can be set from the year 2000 on, and up to the year 2100: energies have 32 bits.
_EARLIEST, _LATEST = 946_684_800.0, 4_102_444_800.0


def date_time_of(seconds: float) -> bytes:
    """The twelve octets of a time in UTC, to the second."""
    return d.date_time_octets(datetime.fromtimestamp(int(min(max(seconds, 0), _LATEST)), UTC))


def seconds_of(octets: bytes) -> float | None:
    """The time in UTC that twelve octets say; None where they say none. No deviation counts as UTC."""
    if len(octets) != 12:
        return None
    year, month, day = int.from_bytes(octets[:2], "big"), octets[2], octets[3]
    hour, minute, second = (0 if octet == 0xFF else octet for octet in octets[5:8])
    deviation = int.from_bytes(octets[9:11], "big", signed=True)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() + 60 * (0 if deviation == -0x8000 else deviation)


class MeterClock:
    """The meter's time is the caller's and `offset` seconds; `changed` is told when a client sets it."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.changed: Callable[[float], None] = lambda now: None

    def time(self, now: float) -> float:
        """The meter's time, in seconds since 1970 (UTC)."""
        return now + self.offset

    def object(self) -> CosemObject:
        """The clock as an object: UTC, without daylight saving, synchronised by a crystal."""
        return CosemObject(
            8,
            0,
            "0.0.1.0.0.255",
            {
                2: lambda now: d.octet_string(date_time_of(self.time(now))),
                3: d.long(0),
                4: d.unsigned(0),
                5: d.octet_string(bytes.fromhex("ffff03fe0702000000800000")),
                6: d.octet_string(bytes.fromhex("ffff0afe0703000000800000")),
                7: d.integer(60),
                8: d.boolean(False),
                9: d.enum(1),
            },
            writes={2: self._set},
            acts={1: self._to_quarter, 3: self._to_minute, 6: self._shift},
            level=PUBLIC,
        )

    def _set(self, now: float, value: Data) -> None:
        told = seconds_of(expect(value, 9, 25).value)
        if told is None:
            raise RefusedAccess(UNMATCHED_TYPE)
        self._set_off(now, told - now)

    def _to_quarter(self, now: float, parameters: Data | None) -> None:
        self._round(now, 900)

    def _to_minute(self, now: float, parameters: Data | None) -> None:
        self._round(now, 60)

    def _round(self, now: float, step: int) -> None:
        self._set_off(now, round(self.time(now) / step) * step - now)

    def _shift(self, now: float, parameters: Data | None) -> None:
        seconds = expect(parameters, 16).value
        if not -900 <= seconds <= 900:
            raise RefusedAccess(UNMATCHED_TYPE)
        self._set_off(now, self.offset + seconds)

    def _set_off(self, now: float, offset: float) -> None:
        if not _EARLIEST <= now + offset < _LATEST:
            raise RefusedAccess(UNMATCHED_TYPE)
        self.offset = offset
        self.changed(now)
