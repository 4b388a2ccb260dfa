"""Whole texts that are no lines of hex: string literals, decimal lists, base64."""

import ast
import base64
import binascii
import re

from cosemscope.apdu.names.text_marks import is_telegram
from cosemscope.apdu.names.texts import hex_text
from cosemscope.apdu.pasted.pieces import Pasted, Piece

INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"), "")
# In these each character is read in one way, once: else a text that does not end like one costs too much.
_LITERAL = re.compile(
    r"""\b[bB](?P<quote>['"])(?P<body>(?:\\.|(?!(?P=quote))[^\\])*+)(?P=quote)""", re.DOTALL
)
_ESCAPED = re.compile(r"""(?P<quote>")(?P<body>(?:[^"\\\n])*+\\x[0-9A-Fa-f]{2}[^"\n]*+)(?P=quote)""")
#: Said of octets that were spelled as decimal numbers.
DECIMAL_NOTE = "Read as decimal numbers."
HEX_ONLY = re.compile(r"(?:[0-9A-Fa-f]{2}[\s:.,-]?)+")


def read_literals(text: str) -> Pasted | None:
    """Octets in Python's or C's string literals, each a piece: b'\\xc4\\x01', "\\xc4\\x01"."""
    form = _LITERAL if _LITERAL.search(text) else _ESCAPED
    pieces, line, seen = [], 1, 0
    for match in form.finditer(text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        try:
            octets = ast.literal_eval(f"b{match['quote']}{match['body']}{match['quote']}")
        except (SyntaxError, ValueError):
            return None
        if HEX_ONLY.fullmatch(match["body"]):  # as binascii.hexlify gives it
            octets = bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", match["body"]))
        pieces.append(Piece(octets, None, line))
    around = form.sub(" ", text)
    if not any(piece.octets for piece in pieces) or re.search(r"\b(?:0x)?(?:[0-9A-Fa-f]{2}\s+){2}", around):
        return None
    return Pasted(tuple(pieces), {}, ())


def read_telegram(text: str) -> Pasted | None:
    """The octets of a text of IEC 62056-21 or P1 that is pasted as it is; None for any other text."""
    bare = text.strip()
    if not bare.isascii() or not is_telegram(f"{bare}\n".encode()):
        return None
    octets = "".join(f"{line}\r\n" for line in bare.splitlines()).encode()
    return Pasted((Piece(octets, None, 1),), {}, ("Read as a text of IEC 62056-21 (P1), not as hex.",))


_BRACKETS = re.compile(r"[\[\](){};]")
_NUMBER = re.compile(r"-?\d{1,3}")
_TWO_DIGITS = re.compile(r"\s*\d\d\s*(?:,\s*\d\d\s*){2,},?\s*")


def read_decimals(text: str) -> Pasted | None:
    """A list of decimal octets, signed ones (Java's) too; None where the numbers may be hex."""
    bare = _BRACKETS.sub(" ", text.translate(INVISIBLE))
    words = [word for word in re.split(r"[\s,]+", bare) if word]
    if len(words) < 3 or not all(_NUMBER.fullmatch(word) for word in words):
        return None
    values = [int(word) for word in words]
    sure = [len(word.lstrip("-")) != 2 or word.startswith("-") for word in words]
    padded = any(len(word) == 2 and word.startswith("0") for word in words)
    listed = "," in bare or any(len(word) == 3 for word in words)
    if not any(sure) or padded or not listed or not -128 <= min(values) <= max(values) <= 255:
        return None
    return Pasted((Piece(bytes(value & 0xFF for value in values), None, 1),), {}, (DECIMAL_NOTE,))


def also_decimal(text: str) -> str:
    """The other reading of a list of pairs of digits that was read as hex, in a sentence; "" for none."""
    bare = _BRACKETS.sub(" ", text)
    if _TWO_DIGITS.fullmatch(bare) is None:
        return ""
    octets = bytes(map(int, re.findall(r"\d\d", bare)))
    return f"Read as hex; the numbers could be decimal ones too, and the octets then {hex_text(octets)}."


_BASE64 = re.compile(
    r"(?:[A-Za-z0-9+/]{4}){3,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|(?:[A-Za-z0-9+/]{4}){4,}"
)
_BINARY_YAML = re.compile(r"(?m)^.*!!binary\s*\|?\s*$")


def read_base64(text: str) -> Pasted | None:
    """Octets in base64, each YAML block a piece; None where the text is none or may be hex."""
    blocks = [block for block in _BINARY_YAML.split(text) if block.strip()]
    marked = _BINARY_YAML.search(text) is not None
    if marked:
        blocks = [
            re.split(r"(?m)^\S", block, maxsplit=1)[0] for block in blocks[-len(_BINARY_YAML.findall(text)) :]
        ]
    pieces = []
    for block in blocks:
        joined = "".join(block.split())
        kinds = (re.search(kind, joined) for kind in ("[G-Z]", "[g-z]", "[0-9+/=]"))
        if not marked and (not _BASE64.fullmatch(joined) or not all(kinds)):
            return None
        try:
            pieces.append(Piece(base64.b64decode(joined, validate=True), None, 1))
        except binascii.Error:
            return None
    return Pasted(tuple(pieces), {}, ("Read as base64.",)) if pieces else None
