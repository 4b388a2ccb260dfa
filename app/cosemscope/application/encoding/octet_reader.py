"""A place in octets that are read strictly: what does not fit raises `ParseError` and nothing is guessed.

The decoder shows octets to people and never raises; protocol machines want a value, or to be told why not.
"""

from cosemscope.apdu.cursor import MAX_DEPTH


class ParseError(ValueError):
    """Octets that are not what they should be: `offset` is the octet, `expected` what should stand there."""

    def __init__(self, offset: int, expected: str, found: str) -> None:
        super().__init__(f"expected {expected} at offset {offset}, found {found}")
        self.offset = offset
        self.expected = expected


class OctetReader:
    """Reads octets from `position` to `end`; every size is checked against `end` before it is believed."""

    __slots__ = ("data", "end", "expansion", "position")

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end
        #: values that compact arrays may still expand to: their types can be longer than their contents
        self.expansion = 250 + 4 * len(data)

    def take(self, size: int, what: str) -> bytes:
        """The next `size` octets."""
        start = self.position
        stop = start + size
        if stop > self.end:
            raise self.missing(size, what)
        self.position = stop
        return self.data[start:stop]

    def octet(self, what: str) -> int:
        """The next octet."""
        at = self.position
        if at >= self.end:
            raise self.missing(1, what)
        self.position = at + 1
        return self.data[at]

    def number(self, size: int, what: str) -> int:
        """An unsigned integer of `size` octets, most significant first."""
        return int.from_bytes(self.take(size, what), "big")

    def count(self, what: str) -> int:
        """A number in the coding of A-XDR lengths (IEC 61334-6), not checked against anything."""
        at = self.position
        first = self.octet(what)
        if first < 0x80:
            return first
        size = first - 0x80
        if not 1 <= size <= 4:
            raise ParseError(at, f"a {what} (00 to 7F, or 81 to 84 and that many octets)", f"0x{first:02X}")
        return self.number(size, what)

    def length(self, what: str) -> int:
        """The length of the octets that follow, checked against the octets at hand."""
        at = self.position
        size = self.count(f"length of {what}")
        if size > self.end - self.position:
            raise ParseError(at, f"{size} octets of {what} after the length", f"{self.end - self.position}")
        return size

    def octets(self, what: str) -> bytes:
        """An octet string, length first."""
        return self.take(self.length(what), what)

    def rest(self) -> bytes:
        """All that is left."""
        start, self.position = self.position, self.end
        return self.data[start : self.end]

    def missing(self, size: int, what: str) -> ParseError:
        """The error for octets that end before `size` octets of `what`."""
        left = max(self.end - self.position, 0)
        octets = f"{size} octet{'s'[: size != 1]} of {what}"
        return ParseError(self.position, octets, f"{left or 'no'} octet{'s'[: left != 1]}")

    def unexpected(self, value: int, expected: str) -> ParseError:
        """The error for the octet read last, with a `value` other than expected."""
        return ParseError(self.position - 1, expected, f"0x{value:02X}")

    def finish(self, what: str) -> None:
        """Raises ParseError unless all octets were read."""
        left = self.end - self.position
        if left:
            raise ParseError(self.position, f"the end of the {what}", f"{left} octet{'s'[: left != 1]} more")

    def check_depth(self, depth: int, what: str) -> None:
        """Raises ParseError where `what` is nested deeper than real APDUs ever are."""
        if depth >= MAX_DEPTH:
            raise ParseError(self.position, f"at most {MAX_DEPTH} levels of {what}", "more")
