"""COSEM answers for tests, built from octets: a meter that knows association, GET in blocks and release.

The answers are APDUs only; what carries them is the test's business.
"""

from collections.abc import Callable

NAME = "0.0.42.0.0.255"
LONG = "0.0.96.1.0.255"
VALUES = {NAME: b"CSC0000000000001", LONG: bytes(index % 251 for index in range(1000))}


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, length of one octet, content."""
    return bytes((tag, len(content))) + content


def octet_string(value: bytes) -> bytes:
    """An octet-string of the Data CHOICE, with a length in as many octets as it needs."""
    size = len(value)
    length = bytes((size,)) if size < 0x80 else bytes((0x82,)) + size.to_bytes(2, "big")
    return b"\x09" + length + value


def aare(aarq: bytes, max_pdu: int = 512) -> bytes:
    """Accept an association: LN referencing without ciphering, what the client proposes of conformance."""
    proposed = aarq[aarq.index(b"\x5f\x1f\x04\x00") + 4 :][:3]
    initiate = b"\x08\x00\x06\x5f\x1f\x04\x00" + proposed + max_pdu.to_bytes(2, "big") + b"\x00\x07"
    return tlv(
        0x61,
        tlv(0xA1, tlv(0x06, bytes.fromhex("60857405080101")))
        + tlv(0xA2, tlv(0x02, b"\x00"))
        + tlv(0xA3, tlv(0xA1, tlv(0x02, b"\x00")))
        + tlv(0xBE, tlv(0x04, initiate)),
    )


class Meter:
    """Answers one association's APDUs; a block carries at most `block` octets."""

    def __init__(self, block: int = 400) -> None:
        self.block = block
        self._rest = b""
        self._number = 0
        self._answers: dict[int, Callable[[bytes], bytes]] = {
            0x60: aare,
            0x62: lambda _: bytes.fromhex("6303800100"),
            0xC0: self._get,
        }

    def answer(self, apdu: bytes) -> bytes:
        """The response APDU; an exception-response for what a meter this small does not know."""
        handler = self._answers.get(apdu[0])
        return handler(apdu) if handler else bytes.fromhex("d80102")

    def _get(self, apdu: bytes) -> bytes:
        choice, invoke = apdu[1], apdu[2]
        if choice == 2:
            return self._next_block(invoke)
        obis = ".".join(map(str, apdu[5:11]))
        if obis not in VALUES:
            return bytes((0xC4, 0x01, invoke, 0x01, 0x04))  # object undefined
        data = octet_string(VALUES[obis])
        if len(data) <= self.block:
            return bytes((0xC4, 0x01, invoke, 0x00)) + data
        self._rest, self._number = data, 0
        return self._next_block(invoke)

    def _next_block(self, invoke: int) -> bytes:
        part, self._rest = self._rest[: self.block], self._rest[self.block :]
        self._number += 1
        last = not self._rest
        head = bytes((0xC4, 0x02, invoke, last)) + self._number.to_bytes(4, "big") + b"\x00"
        return head + b"\x82" + len(part).to_bytes(2, "big") + part
