"""Octets as people paste them: hex in any dress, among the stamps, labels and headings of logs.

A line is taken apart into what stands before its octets (a stamp, a level, a label, an offset), the octets,
and what stands behind (characters, a count). Nothing is taken for octets that is not: what was left out is
counted by kind, and what could be read in two ways is said.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from cosemscope.apdu.pasted.hex_dumps import DumpLine, dump_lines
from cosemscope.apdu.pasted.log_lines import (
    BORDER,
    COMMENT,
    HEADING,
    LABEL,
    LONG_WORD,
    OFFSET,
    LogLine,
    first_stranger,
    take_apart,
    way_in,
)
from cosemscope.apdu.pasted.number_texts import (
    DECIMAL_NOTE,
    HEX_ONLY,
    INVISIBLE,
    also_decimal,
    read_base64,
    read_decimals,
    read_literals,
    read_telegram,
)
from cosemscope.apdu.pasted.pasted_tables import read_json, read_table
from cosemscope.apdu.pasted.pieces import HexError, Pasted, Piece, Way
from cosemscope.apdu.pasted.time_stamps import Stamp
from cosemscope.apdu.pasted.translated_xml import BESIDE_NOTE, read_xml, without_xml


class _Line(NamedTuple):
    """One line taken apart: its digits in hex, way and time, and how it follows on the line before.

    `begins`: another message begins; `goes_on`: a dump goes on; `open`: one long word, broken anywhere.
    """

    number: int
    digits: str
    way: Way | None
    stamp: Stamp | None
    begins: bool
    goes_on: bool = False
    open: bool = False


def read_pasted(text: str) -> Pasted:
    """The octets that `text` spells, and what was left out of it. Raises HexError when it spells none."""
    for reader in (read_telegram, read_xml, read_literals, read_json, read_table, read_decimals, read_base64):
        found = reader(text)
        if found is not None:
            return found
    bare = without_xml(text)
    pasted = _Reader(bare).pasted()
    if bare != text:
        return pasted._replace(notes=(*pasted.notes, BESIDE_NOTE))
    other = also_decimal(text)
    return pasted._replace(notes=(other,)) if other else pasted


def parse_octets(text: str) -> bytes:
    """The octets that `text` spells, one behind the other. Raises HexError when it spells none."""
    return read_pasted(text).octets


#: What terminals, mark-up and compilers add: colours, quotation marks of mails, marks of code, casts.
_ADDED = re.compile(
    r"\x1b\[[0-9;]*[A-Za-z]|\((?:unsigned\s)?(?:s?byte|Byte|char|uint8_t|u8)\)(?=\s?-?[0-9])|`+"
    r"|^(?:\s*>)+(?=\s*(?:[0-9A-Fa-f]{2}[\s:-]?){4,}\s*$)"
)
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>[^"']*)(?P=quote)|>(?P<inner>[^<>]+)<""")
_TAGS = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_WRAPPING = re.compile(r"(?i)<?\b(?:buffer|bytearray|bytes\.fromhex|unhexlify|(?:hex|bytes)(?=\())\b[\s(]*")
_DECLARATION = re.compile(r"^[^\[\]]*\w\s{0,4}\[[^\]]{0,40}\]\s{0,4}=\s*(?=\{|$)")
#: Digits of a number behind a label, as "RSSI: 60" has it, at most.
_NUMBER = 4
_BORDERS = re.compile(r"[\s+|=_-]+|[\s|]*0\s+1\s+2\s+3\s+4\s+5\s+6\s+7(?:\s+[0-9A-Fa-f]+)*[\s|]*")


class _Reader:
    """Reads lines; dumps keep their offsets, so that the next line tells how many octets one has."""

    def __init__(self, text: str) -> None:
        self._lines = [_ADDED.sub("", line) for line in text.translate(INVISIBLE).splitlines()]
        self._left_out: Counter[str] = Counter()
        self._way: Way | None = None
        self._stamp: Stamp | None = None
        self._ends: tuple[str, str] | None = None  # the first addresses between which octets went
        self._begins = True

    def pasted(self) -> Pasted:
        """The pieces: a line each, but a dump and a word that goes on in the next lines are one."""
        dump = dump_lines(self._lines)
        taken = {
            index: _line_of(line)
            for index, line in enumerate(self._lines)
            if index not in dump and line.strip() and not _BORDERS.fullmatch(line)
        }
        decimal = any(line.sure for line in taken.values())
        longest = max((_digits_in(line) for line in taken.values()), default=0)
        taken = {index: _without_number(line, longest) for index, line in taken.items()}
        found: list[tuple[_Line, list[str]]] = []
        odd = False
        for line in self._taken_apart(dump, taken, decimal):
            if found and (odd or line.goes_on):
                found[-1][1].append(line.digits)
            else:
                found.append((line, [line.digits]))
            odd ^= len(line.digits) % 2 == 1
            if odd and not line.open:
                raise HexError(_half(line.digits, line.number))
        if odd:
            raise HexError(_half(found[-1][1][-1], len(self._lines)))
        if not found:
            raise HexError(self._no_octets())
        pieces = (
            Piece(bytes.fromhex("".join(digits)), line.way, line.number, line.begins, line.stamp)
            for line, digits in found
        )
        return Pasted(tuple(pieces), dict(+self._left_out), (DECIMAL_NOTE,) if decimal else ())

    def _no_octets(self) -> str:
        strangers = ((number, first_stranger(line)) for number, line in enumerate(self._lines, 1))
        found = next((one for one in strangers if one[1]), None)
        return f"line {found[0]}: {found[1]}" if found else "no hex digits were given"

    def _taken_apart(
        self, dump: dict[int, DumpLine], taken: dict[int, LogLine], decimal: bool
    ) -> Iterator[_Line]:
        for index, line in enumerate(self._lines):
            if index in dump:
                yield from self._dump_line(index, dump[index])
            elif index in taken:
                yield from self._log_line(index + 1, taken[index], decimal)
            else:
                self._left_out[BORDER] += bool(line.strip())
                self._begins = True

    def _dump_line(self, index: int, line: DumpLine) -> Iterator[_Line]:
        self._left_out[OFFSET] += 1
        if line.octets:
            way = self._way if line.way is None else line.way
            yield _Line(index + 1, line.octets.hex(), way, self._stamp, line.begins, goes_on=not line.begins)
            self._begins = False

    def _log_line(self, number: int, line: LogLine, decimal: bool) -> Iterator[_Line]:
        """The octets of a line that is no dump's; headings and comments are left out."""
        self._left_out.update(line.left_out)
        self._stamp = line.stamp or self._stamp
        way = self._way_between(line.ends) if line.ends else line.way
        if line.is_heading:
            commented = set(line.left_out) == {COMMENT}
            self._begins = self._begins or not commented
            self._way = way or (self._way if commented or line.stamp or line.ends else None)
            return
        digits = line.numbers.hex() if decimal and line.numbers else "".join(line.words)
        if line.wrong and not (decimal and line.numbers):
            raise HexError(f"line {number}: {line.wrong}")
        if not digits:  # brackets, commas
            return
        begins = self._begins or (way is not None and way is not self._way)
        self._way = way or self._way
        self._begins = False
        open_word = len(line.words) == 1 and len(digits) >= LONG_WORD
        yield _Line(number, digits, self._way, self._stamp, begins, open=open_word)

    def _way_between(self, ends: tuple[str, str]) -> Way | None:
        """The way of octets between two addresses: the first pair that is met is the sender's."""
        self._ends = self._ends or ends
        ways = {self._ends: Way.SENT, self._ends[::-1]: Way.RECEIVED}
        return ways.get(ends)


def _line_of(line: str) -> LogLine:
    """A line taken apart, whatever wraps its octets: a declaration, quotes, tags."""
    bare, declared = _DECLARATION.subn("", line)
    taken = take_apart(_WRAPPING.sub(" ", bare))
    if declared:
        left_out = Counter(taken.left_out) + Counter({LABEL: 1})
        return taken._replace(left_out=left_out, way=taken.way or way_in(line[: len(line) - len(bare)]))
    if taken.wrong or not taken.words:
        quoted = _quoted_hex(line)
        if quoted:
            return taken._replace(
                words=tuple(quoted), wrong="", way=way_in(line), left_out=Counter({LABEL: 1})
            )
        untagged, tags = _TAGS.subn(" ", line)
        if tags:
            inner = take_apart(untagged)
            return inner._replace(way=way_in(line), left_out=Counter(inner.left_out) + Counter({LABEL: tags}))
    return taken


def _digits_in(line: LogLine) -> int:
    return sum(map(len, line.words))


def _without_number(line: LogLine, longest: int) -> LogLine:
    """A heading of a line that is a label with a number, beside lines of which one has many octets."""
    short = 0 < _digits_in(line) <= _NUMBER and longest >= LONG_WORD
    if not short or line.way is not None or LABEL not in line.left_out or line.numbers:
        return line
    return line._replace(words=(), wrong="", left_out={HEADING: 1})


def _half(digits: str, line: int) -> str:
    return f"{digits[-20:]!r} in line {line} has one hex digit too many or too few: octets have two"


def _quoted_hex(line: str) -> list[str]:
    """Hex in quotes or between tags, two octets or more; empty where there is none."""
    texts = [match["text"] or match["inner"] or "" for match in _QUOTED.finditer(line)]
    return ["".join(text.split()) for text in texts if HEX_ONLY.fullmatch(text) and len(text) >= 4]
