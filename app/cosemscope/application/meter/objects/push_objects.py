"""Push setups (class 40): which attributes are pushed, to whom, and how often."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.data_values import NULL_DATA, Data
from cosemscope.application.encoding.notifications import DataNotification
from cosemscope.application.encoding.octet_codecs import write_count
from cosemscope.application.meter.objects.clock_object import date_time_of
from cosemscope.application.meter.objects.cosem_object import (
    OTHER_REASON,
    UNMATCHED_TYPE,
    CosemObject,
    RefusedAccess,
    Value,
    expect,
    expect_structure,
    octets_of,
)

TCP, UDP = 0, 1
_MOST_ITEMS = 32
_MOST_WAITING = 64


class DuePush(NamedTuple):
    """A push that is to be sent: `destination` is HOST:PORT as the setup has it, `service` TCP or UDP."""

    service: int
    destination: str
    apdu: bytes


class PushSetup:
    """One push setup. `read` gives an attribute's value; `interval` in seconds, 0 for only when told to."""

    def __init__(
        self,
        name: str,
        items: Sequence[Reference],
        read: Callable[[Reference, float], Value],
        destination: str = "",
        service: int = TCP,
        *,
        interval: float = 0.0,
    ) -> None:
        self.name, self.items = name, tuple(items)
        self.destination, self.service, self.interval = destination, service, interval
        self._read = read
        self._next: float | None = None
        self._waiting: list[DuePush] = []
        self._number = 0

    def object(self) -> CosemObject:
        """The push setup as an object."""
        return CosemObject(
            40,
            0,
            self.name,
            {
                2: lambda now: d.array(map(_item, self.items)),
                3: lambda now: d.structure(
                    d.enum(self.service), d.octet_string(self.destination.encode()), d.enum(0)
                ),
                4: d.array([]),
                5: d.long_unsigned(0),
                6: d.unsigned(0),
                7: d.long_unsigned(0),
            },
            writes={2: self._set_items, 3: self._set_destination},
            acts={1: lambda now, parameters: self.push(now)},
        )

    def _set_items(self, now: float, value: Data) -> None:
        items = []
        for definition in expect(value, 1).value:
            class_id, name, member, index = expect_structure(definition, 4)
            expect(index, 18)
            instance = expect(name, 9).value
            if len(instance) != 6:
                raise RefusedAccess(UNMATCHED_TYPE)
            items.append(Reference(expect(class_id, 18).value, instance, expect(member, 15).value))
        if len(items) > _MOST_ITEMS:
            raise RefusedAccess(OTHER_REASON)
        self.items = tuple(items)

    def _set_destination(self, now: float, value: Data) -> None:
        service, destination, message = expect_structure(value, 3)
        if expect(service, 22).value not in (TCP, UDP) or expect(message, 22).value != 0:
            raise RefusedAccess(OTHER_REASON)
        try:
            text = expect(destination, 9).value.decode("ascii")
        except UnicodeDecodeError:
            raise RefusedAccess(UNMATCHED_TYPE) from None
        self.service, self.destination = service.value, text

    def push(self, now: float) -> None:
        """Push at once. Raises RefusedAccess where nobody is named to push to."""
        if not self.destination:
            raise RefusedAccess(OTHER_REASON)
        self._number = self._number % 0xFFFFFF + 1
        body = bytearray(b"\x02")
        write_count(body, len(self.items))
        for item in self.items:
            try:
                body += octets_of(self._read(item, now))
            except RefusedAccess:
                body += octets_of(NULL_DATA)
        # The body of a DataNotification is its last field, of one octet where it is null-data.
        head = encode(DataNotification(self._number, date_time_of(now), NULL_DATA))[:-1]
        self._waiting = [
            *self._waiting[1 - _MOST_WAITING :],
            DuePush(self.service, self.destination, head + bytes(body)),
        ]

    def due(self, now: float) -> list[DuePush]:
        """What is to be sent by now."""
        if self.interval and self.destination:
            if self._next is None:
                self._next = now + self.interval
            elif now >= self._next:
                self._next = max(self._next + self.interval, now)
                self.push(now)
        waiting, self._waiting = self._waiting, []
        return waiting


def _item(reference: Reference) -> Data:
    class_id, instance, member, _ = reference
    name = d.octet_string(instance)
    return d.structure(d.long_unsigned(class_id), name, d.integer(member), d.long_unsigned(0))
