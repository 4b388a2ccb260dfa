"""One line of a log taken apart: its octets, and the stamps, levels, labels, addresses and characters around.

A line is a row of tokens. The longest run of words of hex is its octets; what else stands in the line must be
recognised, or be words that cannot be meant as octets. Whatever could be octets with something wrong in them
is no label: the line is refused, with the word that is wrong.
"""

import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from cosemscope.apdu.pasted.pieces import Way
from cosemscope.apdu.pasted.time_stamps import Stamp, stamp_at

STAMP, LEVEL, LABEL, HEADING, COMMENT = "time stamp", "level", "label", "heading", "comment"
OFFSET, BORDER, ADDRESS, COUNT, CHARACTERS = "offset", "border", "address", "count", "column of characters"


class LogLine(NamedTuple):
    """A line taken apart: `words` of hex digits, or what is `wrong` with them; neither: a heading or blank.

    `numbers` are the octets of the line as a list of decimal numbers; `sure`: it can be nothing else. `way`
    and `stamp` are as told on the line, `ends` the addresses of an arrow between two, `left_out` the kinds of
    its tokens.
    """

    words: tuple[str, ...]
    wrong: str = ""
    numbers: bytes = b""
    sure: bool = False
    way: Way | None = None
    stamp: Stamp | None = None
    ends: tuple[str, str] | None = None
    left_out: Mapping[str, int] = MappingProxyType({})

    @property
    def is_heading(self) -> bool:
        """Whether words stand here, and no octets."""
        return not self.words and not self.numbers and not self.wrong and bool(self.left_out)


class _Token(NamedTuple):
    """Characters `start` to `stop` of a line: octets (`kind` ""), what is none (its kind), or a word."""

    kind: str
    text: str
    start: int
    stop: int
    stamp: Stamp | None = None


_HEX, _WORD = "", "word"
#: Names of numbers that are no octets; the last few only where no octets follow the number.
_COUNTED = (
    r"(?i:\b(?:len(?:gth)?|size|count|port|[pt]id|pri|time(?:out)?|baud(?:rate)?|thread|session|rssi))\b"
)
_NUMBERED = (
    r"(?i:\b(?:bytes|octets|id|seq|no|nr|num(?:ber)?|line|index|offset|retry|channel|slot|frame|packet|message|"
    r"telegram|block|from|to|at))\b"
)
_NO_OCTETS = r"(?!(?:\s+|[:.,-])(?:0x)?[0-9A-Fa-f]{2}\b)"
_HOST = (
    r"(?:\d{1,3}(?:\.\d{1,3}){3}(?:[:.]\d{1,5})?|\[[0-9A-Fa-f:]*:[0-9A-Fa-f:]*\](?::\d{1,5})?"
    r"|(?![0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\b)[A-Za-z][\w.-]*:\d{2,5})"
)
#: What may stand on a line beside its octets: kind and form, the first that fits is taken.
_FORMS = (
    (COUNT, r"(?<!.)\s*(?:#\d{1,5}\b[:.)]?|\d{1,5}[:.)])(?=\s)"),
    (COMMENT, r"(?:#|//|(?<!\S)--(?=\s)).*|/\*.{0,400}?\*/|<!--.{0,400}?-->"),
    (LEVEL, r"\d+\s+\d+\s+[VDIWEF]\s+(?=[A-Za-z][\w.$-]*\s*:)"),
    (LEVEL, r"[\[(][A-Z][\])]|\b[VDIWEF]/(?=[A-Za-z])"),
    (
        LEVEL,
        r"\[?\b(?:DEBUG|DBG|INFO|INF|WARN(?:ING)?|WRN|ERROR|ERR|TRACE|TRC|VERBOSE|NOTICE|FATAL)\b\]?:?(?!\w)",
    ),
    (LEVEL, r"<\d{1,3}>(?:1(?=\s))?"),
    (ADDRESS, rf"(?<![\w.:]){_HOST}(?![\w.]|:\S)"),
    (COUNT, r"[(\[]?\b\d{1,7}\s{0,4}(?:bytes?|octets?)\b[)\]]?"),
    (COUNT, rf"{_COUNTED}(?:\s*(?i:of|is)\b)?\s*[:=]?\s*\d{{1,7}}\b"),
    (COUNT, rf"{_NUMBERED}\s*[:=#]?\s*\d{{1,7}}\b{_NO_OCTETS}"),
    (
        LABEL,
        r"\[(?=[^\]]{0,80}\])[^\]]*?[^0-9A-Fa-f\s,;x\]-][^\]]*\]|\((?=[^)]{0,80}\))[^)]*?[^0-9A-Fa-f\s,;x)\[\]{}-][^)]*\)",
    ),
    (LABEL, r"\[\d{1,5}\](?=\s*[:=])|\(\s*\d+\)(?=\s|:)"),
    (LABEL, r"[<>]{2,}|<[=-]+|[=-]+>|[\u2190\u2192\u21d0\u21d2]|(?<!\S)[<>](?=\s)"),
    (LABEL, r"(?![0-9A-Fa-f]+\s*[:=])[A-Za-z_][\w.#/$-]*\s*(?:::|[:=](?!:))"),
)
#: All forms as one; the number of the group that fits is the place of its kind.
_ANY_FORM = re.compile("|".join(f"({form})" for _, form in _FORMS))
_WORDS = re.compile(r"[^\s,;|\"'`(){}\[\]<>=*]+")
_SPLIT = re.compile(r"[:._\u00b7\u2022\u2219\\-]+")
_MARK = re.compile(r"\\x|0[xX](?=[0-9A-Fa-f])|[%$&](?=[0-9A-Fa-f]{2}(?![0-9A-Za-z]))|(?<=[0-9A-Fa-f])h\b")
_DIGITS = re.compile(r"[0-9A-Fa-f]+")
_LETTERS = re.compile(r"[A-Za-z]{3,}[.!]?")
#: What parts a label from the octets behind it, or the octets from what stands behind them.
_PARTED = re.compile(r"[:=>\]\)|\t,;]|\s{2,}|\s-\s|[(\[]$")
_BEHIND = re.compile(r"\s{2,}|[\t|(\[;<>]|\s-+\s")
_CHARACTERS = re.compile(r"(?P<octets>.*?[0-9A-Fa-f]{2})(?:\s{2,}|\s*\|)(?P<shown>\S(?:.{0,30}\S)?)\s*\|?\s*")
_DECIMALS = re.compile(r"[\[({\s]*(?:-?\d{1,3}\s*,\s*){2,}-?\d{1,3}\s*,?[\])}\s;]*")
#: Digits of a word that may have been broken at the end of its line.
LONG_WORD = 16
_WAYS = (
    (
        Way.SENT,
        re.compile(
            r"(?i:\b(?:tx|sent|sends?|sending|request|writes?|writing|out|peer0)\b|peer0_)|-+>|=+>|>{2,}|[\u2192\u21d2]"
        ),
    ),
    (
        Way.RECEIVED,
        re.compile(
            r"(?i:\b(?:rx|recv|rcvd|received?|receiving|response|reads?|reading|in|peer1)\b|peer1_|serialreceived)"
            r"|<-+|<=+|<{2,}|[\u2190\u21d0]"
        ),
    ),
)


def way_in(text: str) -> Way | None:
    """The way that a label or a heading tells; None where it tells none, or both."""
    ways = [way for way, form in _WAYS if form.search(text)]
    return ways[0] if len(ways) == 1 else None


def take_apart(line: str) -> LogLine:
    """A line taken apart; never raises."""
    line = _without_characters(line)
    tokens = _tokens(line)
    around = [token for token in tokens if token.kind not in (_HEX, _WORD)]
    kinds = Counter(token.kind for token in around)
    stamp = next((token.stamp for token in around if token.stamp is not None), None)
    told = LogLine((), way=_way(line, around), stamp=stamp, ends=_ends(line, around), left_out=kinds)
    decimals = _decimals(line, tokens)
    if decimals is not None:
        told = told._replace(numbers=decimals[0], sure=decimals[1])
    run, wrong = _run(line, tokens)
    strangers = len({token.start for token in tokens if token.kind == _WORD} - {token.start for token in run})
    if not run:
        heading = strangers or wrong or any(kind not in (STAMP, COMMENT) for kind in kinds)
        kinds = Counter({kind: kinds[kind] for kind in (STAMP, COMMENT)}) + Counter(
            {HEADING: int(bool(heading))}
        )
    elif run and strangers:
        kinds[LABEL] += 1
    way = told.way or (way_in(line[: run[0].start]) if run else way_in(line))
    marked = _is_marked(run)
    words = tuple(digits for token in run for digits in _hex_words(token.text, marked=marked))
    return told._replace(words=words, wrong=wrong, way=way, left_out=kinds)


def _without_characters(line: str) -> str:
    """A line without the characters that some write behind octets, one for each."""
    match = _CHARACTERS.fullmatch(line)
    if match is None:
        return line
    last = re.search(r"(?:\b[0-9A-Fa-f]{2}\b[\s:-]?)+$", match["octets"])
    octets = len(re.findall(r"[0-9A-Fa-f]{2}", last[0])) if last is not None else 0
    return match["octets"] if octets == len(match["shown"]) else line


def _tokens(line: str) -> list[_Token]:
    """The tokens of a line, in order; separators are none."""
    tokens: list[_Token] = []
    at = 0
    while at < len(line):
        stamp, stop = stamp_at(line, at) if _may_begin(line, at) else (None, at)
        if stamp is not None:
            tokens.append(_Token(STAMP, line[at:stop], at, stop, stamp))
            at = stop
            continue
        kind, match = _form_at(line, at)
        if match is None or (kind == _WORD and not any(map(str.isalnum, match[0]))):
            at += 1
            continue
        if kind == _WORD and _hex_words(match[0], marked=True):
            kind = _HEX
        tokens.append(_Token(kind, match[0], at, match.end()))
        at = match.end()
    return tokens


def _form_at(line: str, at: int) -> tuple[str, re.Match[str] | None]:
    """What stands at a place of a line: one of the forms, else a word, or a separator (None)."""
    match = _ANY_FORM.match(line, at)
    if match is not None and match.lastindex is not None and match.end() > at:
        return _FORMS[match.lastindex - 1][0], match
    return _WORD, _WORDS.match(line, at)


def first_stranger(line: str) -> str:
    """What is wrong with the first word of a line that is no hex, in a sentence; "" for nothing."""
    words = (token.text for token in _tokens(line) if token.kind == _WORD)
    return next(map(_no_digit, words), "")


def _may_begin(line: str, at: int) -> bool:
    """Whether a stamp may begin here: not within a word."""
    begins = line[at].isdigit() or line[at] in "[(+" or line[at].isupper()
    return begins and (at == 0 or line[at - 1] in " \t,;|\"'([=>")


def _is_marked(tokens: list[_Token]) -> bool:
    return any(_MARK.search(token.text) for token in tokens)


def _hex_words(text: str, *, marked: bool) -> list[str]:
    """The words of hex digits that a word is, whole; empty where it is none. Odd ones only if `marked`."""
    bare = _SPLIT.sub(" ", _MARK.sub(" ", text)).split()
    if not bare or not all(map(_DIGITS.fullmatch, bare)):
        return []
    return [f"0{word}" if len(word) == 1 and marked else word for word in bare]


def _run(line: str, tokens: list[_Token]) -> tuple[list[_Token], str]:
    """The longest run of words of hex, and what is wrong with it or with the words around."""
    runs: list[list[_Token]] = [[]]
    for token in tokens:
        if token.kind == _HEX:
            runs[-1].append(token)
        elif runs[-1]:
            runs.append([])
    runs = [run for run in runs if run]
    words = [token for token in tokens if token.kind == _WORD]
    if not runs:
        return [], next((_no_digit(token.text) for token in words if _nearly_hex(token.text)), "")
    run = max(reversed(runs), key=lambda one: sum(len(token.text) for token in one))
    others = [one for one in runs if one is not run]
    if _is_words(run, others, words, tokens):
        return [], ""
    wrong = _odd(run) or _stranger(line, run, tokens) or next(filter(None, map(_octets_like, others)), "")
    if wrong and not _octets_like(run) and words:
        return [], ""  # words, and no octets that could be meant
    return run, wrong


def _is_words(
    run: list[_Token], others: list[list[_Token]], words: list[_Token], tokens: list[_Token]
) -> bool:
    """Whether a line is words with numbers among them."""
    digits = [digits for token in run for digits in _hex_words(token.text, marked=True)]
    first = tokens.index(run[0])
    labelled = first > 0 and tokens[first - 1].kind not in (_WORD, COUNT, ADDRESS)
    return len(words) >= len(digits) and len("".join(digits)) < 6 and not labelled


def _odd(run: list[_Token]) -> str:
    """What is wrong with the digits of a run, "" for nothing; a long word may go on in the next line."""
    marked = _is_marked(run)
    words = [digits for token in run for digits in _hex_words(token.text, marked=marked)]
    for word in words:
        if len(word) % 2 and (len(word) < LONG_WORD or len(words) > 1):
            return f"{word[:20]!r} has one hex digit too many or too few: octets have two"
    return ""


def _stranger(line: str, run: list[_Token], tokens: list[_Token]) -> str:
    """The word beside the run that may be octets with something wrong in them, in a sentence; ""."""
    first, last = tokens.index(run[0]), tokens.index(run[-1])
    if first and tokens[first - 1].kind == _WORD:
        before = tokens[first - 1]
        parted = _PARTED.search(line[before.start : run[0].start])
        if not parted and not _LETTERS.fullmatch(before.text) and way_in(before.text) is None:
            return _no_digit(before.text)
    if last + 1 < len(tokens) and tokens[last + 1].kind == _WORD:
        behind = tokens[last + 1]
        if not _BEHIND.search(line[run[-1].stop : behind.start]):
            return _no_digit(behind.text)
    return ""


def _nearly_hex(word: str) -> bool:
    """Whether a long word is hex but for a few characters."""
    digits = sum(map(len, _DIGITS.findall(word)))
    return len(word) >= LONG_WORD and digits * 4 >= len(word) * 3 and any(map(str.isdecimal, word))


def _octets_like(run: list[_Token]) -> str:
    """Whether other hex of a line may be octets as well: two pairs in a row, or a long word."""
    words = [digits for token in run for digits in _hex_words(token.text, marked=False)]
    pairs = sum(len(word) == 2 for word in words)
    if pairs >= 2 or any(len(word) >= 8 and not word.isdecimal() for word in words):
        return f"{' '.join(words)[:20]!r} stands apart from other octets"
    return ""


def _no_digit(word: str) -> str:
    bare = _SPLIT.sub("", _MARK.sub("", word))
    mark = next((mark for mark in bare if mark not in "0123456789abcdefABCDEF"), bare[:1])
    return f"{mark!r} in {word[:20]!r} is no hex digit"


def _way(line: str, around: list[_Token]) -> Way | None:
    return way_in(" ".join(token.text for token in around if token.kind in (LABEL, LEVEL, COUNT)))


def _ends(line: str, around: list[_Token]) -> tuple[str, str] | None:
    """The two addresses of a line with an arrow between them, in the order in which octets go."""
    for one, arrow, other in zip(around, around[1:], around[2:], strict=False):
        if (
            one.kind == other.kind == ADDRESS
            and arrow.kind == LABEL
            and set(arrow.text.strip()) <= set("<>-=")
        ):
            return (other.text, one.text) if "<" in arrow.text else (one.text, other.text)
    return None


def _decimals(line: str, tokens: list[_Token]) -> tuple[bytes, bool] | None:
    """The octets of a list of decimal numbers behind the labels of a line, and whether it is surely one."""
    starts = (token.start for token in tokens if token.kind == _HEX)
    start = next(starts, len(line))
    rest = line[start:]
    if not _DECIMALS.fullmatch(rest):
        return None
    words = re.findall(r"-?\d+", rest)
    values = [int(word) for word in words]
    if any(len(word) > 1 and word.startswith("0") for word in words) or not all(
        -128 <= v <= 255 for v in values
    ):
        return None
    return bytes(value & 0xFF for value in values), any(len(word.lstrip("-")) != 2 for word in words)
