"""The security setup (class 64), the keys of a meter, and the counters of who protects APDUs with them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.suites import SUITES
from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.meter.objects.cosem_object import (
    OTHER_REASON,
    UNMATCHED_TYPE,
    CosemObject,
    RefusedAccess,
    expect,
    expect_structure,
)

_MOST_TITLES = 1024
_KEY_NAMES = {0: "encryption", 1: "broadcast", 2: "authentication"}
_LAST = 2**32 - 1


class MeterKeys:
    """The keys of a meter and the counters under them.

    `keys` are the meter's own, `clients` public keys of clients (HLS 7). `counter` is the invocation counter
    of the next APDU that the meter protects, `client_title` that of the client that associated last. Of each
    client's system title the last counter is known: one that is not higher is replayed.
    """

    def __init__(
        self, keys: KeySet, title: bytes, suite: int, counter: int = 1, clients: tuple[KeySet, ...] = ()
    ) -> None:
        self.keys, self.title, self.suite, self.clients = keys, title, suite, clients
        self.counter = counter
        self.client_title = bytes(TITLE_SIZE)
        self._last: dict[bytes, int] = {}
        self._highest = 0

    def next_counter(self) -> int:
        """A counter that was never used before under these keys."""
        self.counter += 1
        return self.counter - 1

    @property
    def highest(self) -> int:
        """The highest counter of any client: who goes on above it is never refused."""
        return self._highest

    def expected(self, title: bytes) -> int:
        """The least counter that the holder of a title may use."""
        return min(self._last.get(title, -1) + 1, _LAST)

    def take(self, title: bytes, counter: int) -> bool:
        """Whether the counter of a client is a new one; it is used up then."""
        if counter < self.expected(title):
            return False
        if title not in self._last and len(self._last) >= _MOST_TITLES:
            self._last.pop(next(iter(self._last)))
        self._last[title] = counter
        self._highest = max(self._highest, counter)
        return True

    def change(self, name: str, octets: bytes) -> None:
        """Another key in the place of one; counters begin anew."""
        changed: Any = {name: octets}
        self.keys = replace(self.keys, **changed)
        self._last, self._highest = {}, 0
        self.counter = 1


class SecuritySetup:
    """The security setup of the management logical device; `told` is told when a key was changed."""

    def __init__(self, keys: MeterKeys, policy: int, told: Callable[[float], None]) -> None:
        self._keys, self._policy, self._told = keys, policy, told

    def object(self) -> CosemObject:
        """The security setup as an object."""
        return CosemObject(
            64,
            0 if self._keys.suite == 0 else 1,
            "0.0.43.0.0.255",
            {
                2: d.enum(self._policy),
                3: d.enum(self._keys.suite),
                4: lambda now: d.octet_string(self._keys.client_title),
                5: d.octet_string(self._keys.title),
                **({6: d.array([])} if self._keys.suite else {}),
            },
            acts={2: self._transfer},
        )

    def _transfer(self, now: float, parameters: Data | None) -> None:
        """Keys that come wrapped with the master key; all fit, or none is changed."""
        master, size = self._keys.keys.master, SUITES[self._keys.suite].key_size
        if master is None:
            raise RefusedAccess(OTHER_REASON)
        found = []
        for each in expect(parameters, 1).value:
            key_id, wrapped = expect_structure(each, 2)
            name = _KEY_NAMES.get(expect(key_id, 22).value)
            if name is None:
                raise RefusedAccess(UNMATCHED_TYPE)
            try:
                octets = aes_key_unwrap(master, expect(wrapped, 9).value)
            except (InvalidUnwrap, ValueError):
                raise RefusedAccess(OTHER_REASON) from None
            if len(octets) != size:
                raise RefusedAccess(OTHER_REASON)
            found.append((name, octets))
        for name, octets in found:
            self._keys.change(name, octets)
        self._told(now)

    def counter_object(self) -> CosemObject:
        """The counter that clients ask the public client for: the highest that any of them has used."""
        return CosemObject(
            1, 0, "0.0.43.1.0.255", {2: lambda now: d.double_long_unsigned(self._keys.highest)}, level=0
        )
