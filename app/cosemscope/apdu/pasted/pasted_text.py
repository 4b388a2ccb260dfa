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
from cosemscope.apdu.pasted.number_texts import (
    HEX_ONLY,
    INVISIBLE,
    may_be_decimal,
    read_base64,
    read_decimals,
    read_literals,
)
from cosemscope.apdu.pasted.pieces import HexError, Pasted, Piece, Way


class _Line(NamedTuple):
    """One line taken apart: its digits in hex, the way, and how it follows on the line before.

    `begins`: another message begins; `goes_on`: a dump goes on; `open`: one long word, broken anywhere.
    """

    number: int
    digits: str
    way: Way | None
    begins: bool
    goes_on: bool = False
    open: bool = False


def read_pasted(text: str) -> Pasted:
    """The octets that `text` spells, and what was left out of it. Raises HexError when it spells none."""
    for reader in (read_literals, read_decimals, read_base64):
        found = reader(text)
        if found is not None:
            return found
    pasted = _Reader(text).pasted()
    if may_be_decimal(text):
        pasted = pasted._replace(notes=("Read as hex; the numbers could be decimal ones too.",))
    return pasted


def parse_octets(text: str) -> bytes:
    """The octets that `text` spells, one behind the other. Raises HexError when it spells none."""
    return read_pasted(text).octets


_STAMP, _LEVEL, _LABEL, _HEADING, _COMMENT = "time stamp", "level", "label", "heading", "comment"
_OFFSET, _BORDER = "offset", "border"

_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:\s?[AP]M)?(?:Z|[+-]\d\d:?\d\d)?"
#: What may stand before octets, in brackets or not: kind and form.
_PREFIXES = tuple(
    (kind, re.compile(form))
    for kind, form in (
        (_STAMP, rf"[\[(]?\d{{4}}[-/.]\d\d[-/.]\d\d(?:[T ,]+{_CLOCK})?[\])]?(?![:\w.-])"),
        (_STAMP, rf"[\[(]?\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}[T ,]+{_CLOCK}[\])]?(?![:\w])"),
        (_STAMP, rf"[\[(]?(?:[A-Z][a-z]{{2}}\s+)?[A-Z][a-z]{{2}}\s+\d{{1,2}}\s+{_CLOCK}[\])]?(?![:\w])"),
        (_STAMP, r"[\[(]?\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?:\s?[AP]M)?[\])]?(?![:\w.-])"),
        (_STAMP, r"[\[(]?\d{9,10}\.\d{1,9}[\])]?(?![:\w])"),
        (_LEVEL, r"[\[(][A-Z][\])]|[A-Z]/(?=[A-Za-z])|(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE|VERBOSE)\b"),
        (
            _LABEL,
            r"\[(?=[^\]]{0,80}\])[^\]]*?[^0-9A-Fa-f\s,;x\]][^\]]*\]|\((?=[^)]{0,80}\))[^)]*?[^0-9A-Fa-f\s,;x)][^)]*\)",
        ),
        (_LABEL, r"\(\d+\)(?=\s)"),
        (_LABEL, r"[<>]{2,}|[<=-]*-+>|<-+|[\u2190\u2192\u21d0\u21d2]|[<>](?=\s)"),
        (_LABEL, r"(?i:tx|rx|sent|send|recv|received|receive|request|response)\b(?=[\s:=>])"),
        (_LABEL, r"(?![0-9A-Fa-f]+\s*:)[A-Za-z_][\w .()/#-]*?\s*[:=](?!:)"),
        (_LABEL, r"[:;|*]"),
    )
)
_WAYS = (
    (
        Way.SENT,
        re.compile(r"(?i:\b(?:tx|sent|send|request|write|out|peer0)\b|peer0_)|-+>|>{2,}|[\u2192\u21d2]"),
    ),
    (
        Way.RECEIVED,
        re.compile(
            r"(?i:\b(?:rx|recv|received|receive|response|read|in|peer1)\b|peer1_)|<-+|<{2,}|[\u2190\u21d0]"
        ),
    ),
)
_COMMENTS = re.compile(r"(?:#|//|(?<!\S)--(?=\s)).*|/\*.{0,400}?\*/|<!--.{0,400}?-->")
_BEHIND = re.compile(r"[\s,;(\[]{0,8}\b\d{1,7}\s{0,4}(?:bytes?|octets?)\b[)\]]?$")
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>[^"']*)(?P=quote)|>(?P<inner>[^<>]+)<""")
_WRAPPING = re.compile(r"(?i)<?\b(?:buffer|bytearray|bytes\.fromhex|unhexlify|(?:hex|bytes)(?=\())\b[\s(]*")
_DECLARATION = re.compile(r"^[^\[\]]*\w\s{0,4}\[[^\]]{0,40}\]\s{0,4}=\s*(?=\{|$)")
_BORDERS = re.compile(r"[\s+|=_-]+|[\s|]*0\s+1\s+2\s+3\s+4\s+5\s+6\s+7(?:\s+[0-9A-Fa-f]+)*[\s|]*")
_SEPARATORS = re.compile(r"[\s,:;|\-_.{}()\[\]\"'<>*\u00b7\u2022\u2219\\]+|(?<=[0-9A-Fa-f])h\b")
_PREFIX = re.compile(r"\\x|0[xX](?=[0-9A-Fa-f])")
_DIGITS = re.compile(r"[0-9A-Fa-f]+")
#: What is taken off before the octets of a line at most.
_MOST_PREFIXES = 16
#: Digits of a word that may have been broken at the end of its line.
_LONG_WORD = 16


class _Reader:
    """Reads lines; dumps keep their offsets, so that the next line tells how many octets one has."""

    def __init__(self, text: str) -> None:
        self._lines = text.translate(INVISIBLE).splitlines()
        self._left_out: Counter[str] = Counter()
        self._way: Way | None = None
        self._begins = True
        self._stranger = ""  # what is wrong with the first heading, should there be no octets at all

    def pasted(self) -> Pasted:
        """The pieces: a line each, but a dump and a word that goes on in the next lines are one."""
        found: list[tuple[_Line, list[str]]] = []
        odd = False
        for line in self._taken_apart(dump_lines(self._lines)):
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
            raise HexError(self._stranger or "no hex digits were given")
        pieces = (
            Piece(bytes.fromhex("".join(digits)), line.way, line.number, line.begins)
            for line, digits in found
        )
        return Pasted(tuple(pieces), dict(self._left_out), ())

    def _taken_apart(self, dump: dict[int, DumpLine]) -> Iterator[_Line]:
        for index, line in enumerate(self._lines):
            if index in dump:
                yield from self._dump_line(index, dump[index])
            elif _BORDERS.fullmatch(line) and line.strip():
                self._left_out[_BORDER] += 1
            else:
                yield from self._plain_line(index + 1, line)

    def _dump_line(self, index: int, line: DumpLine) -> Iterator[_Line]:
        self._left_out[_OFFSET] += 1
        if line.octets:
            way = self._way if line.way is None else line.way
            yield _Line(index + 1, line.octets.hex(), way, line.begins, goes_on=not line.begins)
            self._begins = False

    def _plain_line(self, number: int, line: str) -> Iterator[_Line]:
        """The octets of a line that is no dump's; headings and comments are left out."""
        bare, comments = _COMMENTS.subn(" ", line)
        if comments:
            self._left_out[_COMMENT] += comments
        before = bare
        bare, declared = _DECLARATION.subn("", bare)
        rest, kinds = _without_prefixes(_WRAPPING.sub(" ", bare))
        kinds[_LABEL] += declared
        rest = _BEHIND.sub("", rest)
        words, stranger = _words(rest)
        if stranger:
            quoted = _quoted_hex(bare)
            if quoted:
                words, stranger, kinds = quoted, "", Counter({_LABEL: 1})
        if _is_heading(rest) if stranger else not words:
            if stranger and not self._stranger:
                self._stranger = f"line {number}: {stranger}"
            if before.strip():  # a heading ends a message, and may tell the way of the octets below it
                self._left_out[_HEADING] += 1
                self._way = _way(before)
            self._begins = self._begins or not comments
            return
        if stranger:
            raise HexError(f"line {number}: {stranger}")
        self._left_out.update(+kinds)
        way = _way(before[: len(before) - len(rest)]) if kinds else None
        begins = self._begins or (way is not None and way is not self._way)
        self._way = way or self._way
        self._begins = False
        open_word = len(words) == 1 and len(words[0]) >= _LONG_WORD
        yield _Line(number, "".join(words), self._way, begins, open=open_word)


def _half(digits: str, line: int) -> str:
    return f"{digits[-20:]!r} in line {line} has one hex digit too many or too few: octets have two"


def _without_prefixes(line: str) -> tuple[str, Counter[str]]:
    """A line without what stands before its octets, and how many of each kind that was."""
    rest, kinds = line.strip(), Counter[str]()
    for _ in range(_MOST_PREFIXES):
        for kind, form in _PREFIXES:
            match = form.match(rest)
            if match and match.end():
                if match[0].strip(" :;|*"):
                    kinds[kind] += 1
                rest = rest[match.end() :].lstrip()
                break
        else:
            break
    return rest, kinds


def _way(text: str) -> Way | None:
    """The way that a label or a heading tells; None where it tells none, or both."""
    ways = [way for way, form in _WAYS if form.search(text)]
    return ways[0] if len(ways) == 1 else None


def _words(text: str) -> tuple[list[str], str]:
    """The words of hex in a text, and what is wrong with the first that is none ("" where all are)."""
    marked = bool(_PREFIX.search(text)) or bool(re.search(r"[0-9A-Fa-f]h\b", text))
    bare = _SEPARATORS.sub(" ", _PREFIX.sub(" ", text))
    words: list[str] = []
    for word in bare.split():
        if not _DIGITS.fullmatch(word):
            mark = next(mark for mark in word if mark not in "0123456789abcdefABCDEF")
            return words, f"{mark!r} in {word[:20]!r} is no hex digit"
        if len(word) == 1 and marked:
            word = f"0{word}"
        if len(word) % 2 and (len(word) < _LONG_WORD or len(bare.split()) > 1):
            return words, f"{word[:20]!r} has one hex digit too many or too few: octets have two"
        words.append(word)
    return words, ""


def _quoted_hex(line: str) -> list[str]:
    """Hex in quotes or between tags, two octets or more; empty where there is none."""
    texts = [match["text"] or match["inner"] or "" for match in _QUOTED.finditer(line)]
    return ["".join(text.split()) for text in texts if HEX_ONLY.fullmatch(text) and len(text) >= 4]


def _is_heading(text: str) -> bool:
    """Whether a line is words rather than octets with something wrong in them."""
    words = re.findall(r"\S+", text)
    digits = [word for word in words if _DIGITS.fullmatch(word) and len(word) == 2]
    foreign = [word for word in words if re.search(r"[G-Zg-z]", word)]
    return len(foreign) >= max(1, len(digits)) and len(digits) < 3 and not re.search(r"[0-9A-Fa-f]{8}", text)
