"""Where WPDUs begin and end in a stream that passes: it is cut into whole ones only while somebody asks.

Otherwise the octets go by as they came, nothing of them is kept, and headers alone are counted, so that
cutting can begin at the next WPDU whenever a breakpoint is set. A stream that is no wrapper is never cut.
"""

from typing import NamedTuple

from cosemscope.transport.wpdu import HEADER_SIZE, VERSION, decode_header, scan_headers


class CutPiece(NamedTuple):
    """Octets of the stream in their order; `whole`: they are exactly one WPDU."""

    octets: bytes
    whole: bool


class WpduCutter:
    """One direction of a connection. `foreign`: what came is no wrapper, and is not looked at any more."""

    def __init__(self) -> None:
        self.foreign = False
        self._left = 0  # octets of the WPDU at hand that are still to go by
        self._begun = b""  # octets of a header of which the first have gone by
        self._kept = bytearray()  # octets of a WPDU that is not whole, while cutting

    @property
    def kept(self) -> int:
        """Octets that came and were not given out yet: less than a WPDU."""
        return len(self._kept)

    def take(self, octets: bytes, *, cutting: bool) -> list[CutPiece]:
        """What can go on of these octets and those kept. In time proportional to them."""
        if self.foreign:
            return [CutPiece(octets, False)]
        if not cutting:
            return [CutPiece(each, False) for each in (self.give_up(), self._passed(octets)) if each]
        pieces = []
        if not self._kept and (self._left or self._begun):
            stop = self._end_of_begun(octets)
            if stop:
                pieces.append(CutPiece(self._passed(octets[:stop]), False))
                octets = octets[stop:]
        if self.foreign and octets:
            return [*pieces, CutPiece(octets, False)]
        return [*pieces, *self._cut(octets)] if octets else pieces

    def give_up(self) -> bytes:
        """The octets kept, which go on as they are: their WPDU will not be cut."""
        kept, self._kept = bytes(self._kept), bytearray()
        return self._passed(kept)

    def _passed(self, octets: bytes) -> bytes:
        """Count what goes by; the same octets."""
        at = min(self._left, len(octets))
        self._left -= at
        while at < len(octets) and not self.foreign:
            if not self._begun:
                at = scan_headers(octets, at).stop
            step = HEADER_SIZE - len(self._begun)
            self._begun += octets[at : at + step]
            at = min(at + step, len(octets))
            self._read_header()
            step = min(self._left, len(octets) - at)
            self._left -= step
            at += step
        return octets

    def _read_header(self) -> None:
        """What the header that goes by says, once it is whole."""
        if len(self._begun) >= 2 and int.from_bytes(self._begun[:2], "big") != VERSION:
            self.foreign = True
        header = decode_header(self._begun)
        if header is not None:
            self._left, self._begun = header.length, b""

    def _end_of_begun(self, octets: bytes) -> int:
        """How many of the octets belong to the WPDU that has begun to go by; all, when that is not known."""
        if not self._begun:
            return min(self._left, len(octets))
        step = HEADER_SIZE - len(self._begun)
        header = decode_header(self._begun + octets[:step])
        return len(octets) if header is None else min(step + header.length, len(octets))

    def _cut(self, octets: bytes) -> list[CutPiece]:
        """Whole WPDUs, and the rest kept."""
        kept = self._kept
        kept += octets
        if len(kept) >= HEADER_SIZE and kept[1] == VERSION and not kept[0]:
            missing = HEADER_SIZE + int.from_bytes(kept[6:8], "big") - len(kept)
            if missing > 0:
                return []  # without a copy: it may come octet by octet
        whole = bytes(kept)
        scan = scan_headers(whole)
        pieces = [
            CutPiece(whole[start : start + HEADER_SIZE + length], True) for start, _, _, length in scan.rows
        ]
        del kept[: scan.stop]
        if len(kept) >= 2 and int.from_bytes(kept[:2], "big") != VERSION:
            self.foreign = True
            pieces.append(CutPiece(bytes(kept), False))
            kept.clear()
        return pieces
