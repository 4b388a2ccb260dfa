"""Image transfer (class 18): blocks in any order, resumed where one is missing, verified, activated.

The octets are not kept, only which blocks have come and the checksum of each: nothing is ever run.
"""

import hashlib
from collections.abc import Callable

from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.meter.objects.cosem_object import (
    OTHER_REASON,
    TEMPORARY_FAILURE,
    UNMATCHED_TYPE,
    CosemObject,
    RefusedAccess,
    expect,
    expect_structure,
)

#: Octets of a block, and of an image at most.
BLOCK_SIZE = 128
_MOST = 1 << 24
NOT_INITIATED, INITIATED, VERIFYING, VERIFIED, VERIFY_FAILED, ACTIVATING, ACTIVATED, FAILED = range(8)


class ImageTransfer:
    """One image on its way into the meter. `activated` is told its identifier."""

    def __init__(self, activated: Callable[[float, bytes], None]) -> None:
        self.status = NOT_INITIATED
        self.identifier, self.size = b"", 0
        self._activated = activated
        self._came: dict[int, bytes] = {}
        self._missing = 0

    @property
    def _blocks(self) -> int:
        return -(-self.size // BLOCK_SIZE)

    def object(self) -> CosemObject:
        """The image transfer as an object."""
        return CosemObject(
            18,
            0,
            "0.0.44.0.0.255",
            {
                2: d.double_long_unsigned(BLOCK_SIZE),
                3: lambda now: d.bit_string(
                    "".join("01"[number in self._came] for number in range(self._blocks))
                ),
                4: lambda now: d.double_long_unsigned(self._missing),
                5: d.boolean(True),
                6: lambda now: d.enum(self.status),
                7: lambda now: d.array([self._info()] if self.status >= VERIFIED else []),
            },
            acts={1: self._initiate, 2: self._block, 3: self._verify, 4: self._activate},
        )

    def _info(self) -> Data:
        digest = hashlib.sha256(b"".join(self._came[number] for number in sorted(self._came))).digest()
        return d.structure(
            d.double_long_unsigned(self.size), d.octet_string(self.identifier), d.octet_string(digest)
        )

    def _initiate(self, now: float, parameters: Data | None) -> None:
        identifier, size = expect_structure(parameters, 2)
        octets = expect(size, 6).value
        if not 1 <= octets <= _MOST or len(expect(identifier, 9).value) > 64:
            raise RefusedAccess(OTHER_REASON)
        self.identifier, self.size = identifier.value, octets
        self._came, self._missing, self.status = {}, 0, INITIATED

    def _block(self, now: float, parameters: Data | None) -> None:
        number, content = expect_structure(parameters, 2)
        if self.status != INITIATED:
            raise RefusedAccess(TEMPORARY_FAILURE)
        place, octets = expect(number, 6).value, expect(content, 9).value
        last = place == self._blocks - 1
        wanted = self.size - place * BLOCK_SIZE if last else BLOCK_SIZE
        if place >= self._blocks or len(octets) != wanted:
            raise RefusedAccess(UNMATCHED_TYPE)
        self._came[place] = hashlib.sha256(octets).digest()
        while self._missing in self._came:
            self._missing += 1

    def _verify(self, now: float, parameters: Data | None) -> None:
        if self.status not in (INITIATED, VERIFIED, VERIFY_FAILED):
            raise RefusedAccess(TEMPORARY_FAILURE)
        if len(self._came) < self._blocks:
            raise RefusedAccess(OTHER_REASON)
        self.status = VERIFIED

    def _activate(self, now: float, parameters: Data | None) -> None:
        if self.status != VERIFIED:
            raise RefusedAccess(TEMPORARY_FAILURE)
        self.status = ACTIVATED
        self._activated(now, self.identifier)
