"""Hex dumps: lines of offset, octets and perhaps characters, of one or of two directions."""

import re
from typing import NamedTuple

from cosemscope.apdu.pasted.pieces import Way


class DumpLine(NamedTuple):
    """A line of a hex dump: its octets, whether a dump begins with it, and the way (by its indent)."""

    octets: bytes
    begins: bool
    way: Way | None


_DUMP = re.compile(
    r"(?P<indent>\s{0,16})\|?\s{0,4}(?:0x)?(?P<offset>[0-9A-Fa-f]{4,16})h?(?P<gap>\s*[:|]\s*|\s{2,}|\t\s*|\s)(?P<rest>.*)"
)
_END = re.compile(r"\s*(?:0x)?[0-9A-Fa-f]{4,16}\s*")
#: Bases of offsets; the first wins where two explain as much.
_BASES = (16, 8, 10)
_HEX_GROUP = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def dump_lines(lines: list[str]) -> dict[int, DumpLine]:
    """The lines that are of hex dumps, by index: offsets that go on, or that only an offset can look like.

    Offsets are hex; octal (od) or decimal, where more octets stand behind offsets that go on by these.
    """
    return max((_lines_of(lines, base) for base in _BASES), key=_octets_in)


def _octets_in(found: dict[int, DumpLine]) -> int:
    return sum(len(line.octets) for line in found.values())


def _lines_of(lines: list[str], base: int) -> dict[int, DumpLine]:
    """The lines of dumps whose offsets are numbers to this base."""
    matches = {
        index: match
        for index, line in enumerate(lines)
        if (match := _DUMP.fullmatch(line)) and _offset(match["offset"], base) is not None
    }
    found: dict[int, DumpLine] = {}
    ends: dict[str, int] = {}
    indents = {match["indent"] for match in matches.values()}
    two_ways = len(indents) == 2 and "" in indents
    for index, match in matches.items():
        offset, indent = int(match["offset"], base), match["indent"]
        following = _following(matches, lines, index, indent if two_ways else None, base)
        count = following - offset if following is not None and 0 < following - offset <= 64 else None
        octets = _octets_of(match["rest"], count)
        goes_on = ends.get(indent) == offset
        follows = count is not None and len(octets) == count
        if not octets or not (goes_on or follows or _only_an_offset(match)):
            continue
        way = (Way.RECEIVED if indent else Way.SENT) if two_ways else None
        found[index] = DumpLine(octets, not goes_on, way)
        ends[indent] = offset + len(octets)
    # A last offset alone tells where its dump ends.
    for index, line in enumerate(lines):
        behind = index not in found and index - 1 in found and _END.fullmatch(line) is not None
        if behind and _offset(line, base) in ends.values():
            found[index] = DumpLine(b"", False, None)
    return found


def _offset(text: str, base: int) -> int | None:
    """The offset that a text spells to this base, or None."""
    try:
        return int(text.strip().removeprefix("0x"), base)
    except ValueError:
        return None


def _following(
    matches: dict[int, re.Match[str]], lines: list[str], index: int, indent: str | None, base: int
) -> int | None:
    """The offset of the dump's next line, which tells how many octets this one has; None without one."""
    for later in range(index + 1, len(lines)):
        match = matches.get(later)
        if match is None:
            return _offset(lines[later], base) if _END.fullmatch(lines[later]) else None
        if indent is None or match["indent"] == indent:
            return int(match["offset"], base)
        return None
    return None


def _only_an_offset(match: re.Match[str]) -> bool:
    """Whether a line alone is a dump's: behind its offset a mark or a wide gap, then another width."""
    width = len(match["rest"].split()[0]) if match["rest"].split() else 0
    marked = match["gap"].strip() in (":", "|") and width in (2, 4)
    return marked or (match["gap"] != " " and width == 2)


def _octets_of(rest: str, count: int | None) -> bytes:
    """The octets of one line of a dump, `count` of them where the next line's offset says so.

    Empty where more octets stand there than that: then it was no offset.
    """
    octets = b""
    groups = re.split(r"\s{2,}|\|", rest.strip())
    for index, group in enumerate(groups):
        last = index == len(groups) - 1 or rest.strip().endswith("|")
        if octets and last and len(group) == len(octets):
            break  # one character an octet: the characters' column
        if count is not None and len(octets) >= count:
            break
        for place, word in enumerate(words := group.split()):
            full = count is not None and len(octets) >= count
            if not _HEX_GROUP.fullmatch(word) or (full and len(" ".join(words[place:])) == count):
                return octets if count is None else octets[:count]
            octets += bytes.fromhex(word)
    return octets if count is None or len(octets) <= count else b""
