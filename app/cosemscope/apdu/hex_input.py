"""Octets as people paste them: hex with spaces, colons, commas, 0x, \\x or line breaks, or a hex dump.

A dump has an offset before every line and perhaps the octets as characters behind them. Comments from # or //
to the end of the line are left out, and so is a label before a line ("TX:").
"""

import re

_COMMENT = re.compile(r"(#|//).*")
_DUMP_LINE = re.compile(r"\s*(?:0x)?([0-9A-Fa-f]{3,16})(:\s*|\s*\|\s*|\s{2,}|\t|\s)(.*)")
_END_OFFSET = re.compile(r"[0-9A-Fa-f]{4,16}")
_PREFIX = re.compile(r"\\x|0[xX]")
_ONE_DIGIT = re.compile(r"\b([0-9A-Fa-f])h\b")
_SEPARATORS = re.compile(r"[\s,:;|\-_.{}()\[\]\"'<>]+|h\b")
_LABEL = re.compile(r"^\s*(?![0-9A-Fa-f]+:)[A-Za-z]\w*:\s")
_BYTES_LITERAL = re.compile(r"\bb(?=['\"])")
_BYTE_ORDER_MARK = "\ufeff"
_HEX_GROUP = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class HexError(ValueError):
    """Text that is no hex: a sentence for people."""


def parse_octets(text: str) -> bytes:
    """The octets that `text` spells. Raises HexError when it spells none or something else stands in it."""
    lines = [_COMMENT.sub("", line).rstrip() for line in text.removeprefix(_BYTE_ORDER_MARK).splitlines()]
    lines = [line for line in lines if line.strip()]
    octets = _parse_dump(lines)
    return octets if octets is not None else _parse_plain(lines)


def _parse_plain(lines: list[str]) -> bytes:
    digits: list[str] = []
    odd = ""
    for number, line in enumerate(lines, 1):
        bare = _ONE_DIGIT.sub(r"0\1 ", _BYTES_LITERAL.sub("", _LABEL.sub("", line, count=1)))
        bare = _SEPARATORS.sub(" ", _PREFIX.sub(" ", bare))
        for word in bare.split():
            stranger = next((mark for mark in word if mark not in "0123456789abcdefABCDEF"), None)
            if stranger is not None:
                raise HexError(f"line {number}: {stranger!r} in {word[:20]!r} is no hex digit")
            if len(word) == 1 and _PREFIX.search(line):
                word = f"0{word}"
            if len(word) % 2 and not odd:
                odd = f"{word[:20]!r} in line {number}"
            digits.append(word)
    joined = "".join(digits)
    if not joined:
        raise HexError("no hex digits were given")
    if len(joined) % 2:
        raise HexError(f"{len(joined)} hex digits make no whole octets: {odd} has one too many or too few")
    return bytes.fromhex(joined)


def _parse_dump(lines: list[str]) -> bytes | None:
    """The octets of a hex dump; None when the lines are none: then every line has its offset before it."""
    end = lines[-1].strip() if len(lines) > 1 and _END_OFFSET.fullmatch(lines[-1].strip()) else ""
    matches = [_DUMP_LINE.fullmatch(line) for line in (lines[:-1] if end else lines)]
    if not matches or not all(matches):
        return None
    found = [(int(match[1], 16), match[2], match[3]) for match in matches if match]
    base = found[0][0]
    plain_space = any(separator == " " for _, separator, _ in found)
    if base != 0 or (len(found) == 1 and plain_space):
        return None
    octets = b""
    for index, (offset, _, rest) in enumerate(found):
        if offset != len(octets):
            return None
        following = found[index + 1][0] - offset if index + 1 < len(found) else None
        if following is None and end:
            following = int(end, 16) - offset
        octets += _dump_line(rest, following)
    return octets if octets and (not end or int(end, 16) == len(octets)) else None


def _dump_line(rest: str, count: int | None) -> bytes:
    """The octets of one line of a dump, `count` of them where the next line's offset says so."""
    octets = b""
    groups = re.split(r"\s{2,}|\|", rest.strip())
    for index, group in enumerate(groups):
        words = group.split()
        last = index == len(groups) - 1 or rest.strip().endswith("|")
        if octets and last and len(group) == len(octets):
            break  # one character an octet: the characters' column
        for word in words:
            if (count is not None and len(octets) >= count) or not _HEX_GROUP.fullmatch(word):
                return octets if count is None else octets[:count]
            octets += bytes.fromhex(word)
    return octets if count is None else octets[:count]
