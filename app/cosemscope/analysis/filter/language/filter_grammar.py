"""The grammar of the filter turns text into a syntax tree, or into an error with the columns.

It is Wireshark's manner: `&&` binds closer than `||`, `!` looser than a comparison, arithmetic closer than
both. Parsing takes time in proportion to the text; nesting is bounded, so no text exhausts the stack.
"""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from cosemscope.analysis.filter.language.filter_errors import FilterError
from cosemscope.analysis.filter.language.filter_names import field_named
from cosemscope.analysis.filter.language.filter_nodes import (
    Arithmetic,
    Call,
    Comparison,
    Junction,
    Literal,
    Membership,
    Node,
    Not,
    Slice,
    Spelling,
)
from cosemscope.wording import printable

#: Characters of the longest filter, and how deep its parts may be nested.
LONGEST = 16_384
DEEPEST = 60

_GRAMMAR = r"""
?start: disjunction
?disjunction: exclusion (_OR exclusion)*          -> any_of
?exclusion: conjunction (_XOR conjunction)*       -> one_of
?conjunction: negation (_AND negation)*           -> all_of
?negation: NOT negation                           -> negated
         | test
?test: sum
     | quantified
     | sum (relation sum)+                        -> compared
     | sum IN set                                 -> member
     | sum NOT_IN set                             -> no_member
quantified: QUANTIFIER sum relation sum           -> quantified
          | QUANTIFIER sum IN set                 -> quantified_member
!relation: "==" | "!=" | "===" | "!==" | "<" | "<=" | ">" | ">=" | "~"
         | EQ | NE | LT | LE | GT | GE | ALL_EQ | ANY_NE | CONTAINS | MATCHES
set: OPEN_SET [item ("," item)*] CLOSE_SET
item: sum [".." sum]
?sum: product
    | sum PLUS product                            -> arithmetic
    | sum MINUS product                           -> arithmetic
?product: mask
    | product TIMES mask                          -> arithmetic
    | product OVER mask                           -> arithmetic
    | product MODULO mask                         -> arithmetic
?mask: signed
    | mask BITS signed                            -> arithmetic
?signed: MINUS signed                             -> minus
    | sliced
?sliced: atom
    | sliced "[" range ("," range)* CLOSE_SLICE   -> slice
range: INDEX                                      -> index
    | INDEX ":" INDEX                             -> from_length
    | INDEX "-" INDEX                             -> from_to
    | INDEX ":"                                   -> from_on
    | ":" INDEX                                   -> up_to
?atom: OPEN disjunction CLOSE                     -> bracketed
    | NAME CALL [disjunction ("," disjunction)*] CLOSE -> call
    | literal
literal: INSTANT | OBIS | ADDRESS | COLONS | DOTTED | DURATION | NUMBER | STRING | RAW | NAME

_OR.5: "||" | /or(?![\w.])/i
_XOR.5: "^^" | /xor(?![\w.])/i
_AND.5: "&&" | /and(?![\w.])/i
NOT.5: /!(?!=)/ | /not(?![\w.])/i
NOT_IN.6: /(not|!)\s*in(?![\w.])/i
IN.5: /in(?![\w.])/i
QUANTIFIER.5: /(any|all)(?=\s+[\w"'(])/i
CONTAINS.5: /contains(?![\w.])/i
MATCHES.5: /matches(?![\w.])/i
EQ.5: /(eq|any_eq)(?![\w.])/i
NE.5: /(ne|all_ne)(?![\w.])/i
ALL_EQ.5: /all_eq(?![\w.])/i
ANY_NE.5: /any_ne(?![\w.])/i
LT.5: /lt(?![\w.])/i
LE.5: /le(?![\w.])/i
GT.5: /gt(?![\w.])/i
GE.5: /ge(?![\w.])/i
PLUS: "+"
MINUS: "-"
TIMES: "*"
OVER: "/"
MODULO: "%"
BITS: "&"
OPEN: "("
CALL: "("
CLOSE: ")"
OPEN_SET: "{"
CLOSE_SET: "}"
CLOSE_SLICE: "]"
INDEX: /-?\d{1,9}/
INSTANT.9: /\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?(?![\w:]|\.(?!\.))/i
OBIS.8: /(\d+|\*)(\.(\d+|\*)){5}(?!\w|\.(?!\.))/
      | /(\d+|\*)-(\d+|\*):(\d+|\*)\.(\d+|\*)(\.(\d+|\*))?([*&.](\d+|\*))?(?!\w|\.(?!\.))/
ADDRESS.7: /\d+(\.\d+){3}(:\d+|\/\d+)?(?!\w|\.(?!\.))/
         | /\[[0-9A-Fa-f:.]+\](:\d+)?/
         | /(?=[0-9A-Fa-f:]*::)[0-9A-Fa-f:]+(\d+(\.\d+){3})?(\/\d+)?/
COLONS.6: /[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})+(\/\d+)?(?![\w:])/
DOTTED.5: /(\d+-\d+:)?\d\w*(\.(\w+|\*)){2,}([*&](\d+|\*))?(?!\w|\.(?!\.))/
DURATION.4: /(\d+(\.\d+)?|\.\d+)\s*(ns|us|µs|μs|ms|s|sec|min|h|d)(?!\w|\.(?!\.))/i
NUMBER.3: /0x[0-9a-f]+(?!\w|\.(?!\.))|0b[01]+(?!\w|\.(?!\.))|(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?(?![\w])/i
NAME: /[A-Za-z_]\w*([.-]\w+)*|\d[\w]*[A-Za-z_]\w*/
STRING: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/s
RAW.6: /r"[^"]*"|r'[^']*'/is
%ignore /\s+/
"""

_SYMBOLS = {
    "eq": "==",
    "any_eq": "==",
    "ne": "!=",
    "all_ne": "!=",
    "all_eq": "===",
    "any_ne": "!==",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "~": "matches",
}
_SPELLINGS = {
    "INSTANT": Spelling.INSTANT,
    "OBIS": Spelling.OBIS,
    "ADDRESS": Spelling.ADDRESS,
    "COLONS": Spelling.OCTETS,
    "DOTTED": Spelling.OBIS,
    "DURATION": Spelling.DURATION,
    "NUMBER": Spelling.NUMBER,
    "STRING": Spelling.STRING,
    "RAW": Spelling.STRING,
    "NAME": Spelling.WORD,
}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_ESCAPED = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)


def parse_filter(text: str) -> Node | None:
    """The syntax tree of a filter; None of one that is empty. Raises FilterError."""
    if not text.strip():
        return None
    if len(text) > LONGEST:
        raise FilterError(
            f"the filter has {len(text):,} characters; it may have {LONGEST:,}", LONGEST, len(text)
        )
    try:
        return cast(Node, _parser().parse(text))
    except UnexpectedEOF:
        raise FilterError("the filter ends too early", len(text), len(text) + 1) from None
    except UnexpectedToken as error:
        raise _unexpected(error, text) from None
    except UnexpectedCharacters as error:
        raise _no_token(text, error.pos_in_stream or 0) from None
    except VisitError as error:
        raise error.orig_exc from None


@lru_cache(1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Nodes(), maybe_placeholders=True, cache=False)


def unescaped(text: str) -> str:
    """What a string with escapes says: backslash and x and two hex digits, n, r, t, 0, or any character."""

    def plain(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        return _ESCAPES.get(found[2], found[2])

    return _ESCAPED.sub(plain, text)


@v_args(inline=True)
class _Nodes(Transformer[Token, Node]):
    """Makes nodes of rules and tokens while the text is parsed: nothing is ever walked down."""

    def any_of(self, *parts: Node) -> Node:
        return _joined("or", parts)

    def one_of(self, *parts: Node) -> Node:
        return _joined("xor", parts)

    def all_of(self, *parts: Node) -> Node:
        return _joined("and", parts)

    def negated(self, mark: Token, inner: Node) -> Node:
        return Not(_start(mark), inner.stop, inner, depth=_deeper(inner))

    def bracketed(self, mark: Token, inner: Node, end: Token) -> Node:
        return _within(inner, _start(mark), _stop(end))

    def relation(self, token: Token) -> str:
        word = str(token).lower()
        return _SYMBOLS.get(word, word)

    def compared(self, left: Node, *rest: Any) -> Node:
        parts: list[Node] = []
        for operator, right in zip(rest[::2], rest[1::2], strict=True):
            parts.append(
                Comparison(left.start, right.stop, operator, left, right, depth=_deeper(left, right))
            )
            left = right
        return _joined("and", tuple(parts))

    def member(self, left: Node, _: Token, items: Any) -> Node:
        return _member(left, items, "", left.start)

    def no_member(self, left: Node, _: Token, items: Any) -> Node:
        inner = _member(left, items, "", left.start)
        return Not(inner.start, inner.stop, inner, depth=_deeper(inner))

    def quantified(self, quantifier: Token, left: Node, operator: str, right: Node) -> Node:
        start = _start(quantifier)
        return Comparison(
            start, right.stop, operator, left, right, str(quantifier).lower(), depth=_deeper(left, right)
        )

    def quantified_member(self, quantifier: Token, left: Node, _: Token, items: Any) -> Node:
        return _member(left, items, str(quantifier).lower(), _start(quantifier))

    def set(self, opened: Token, *items: Any) -> Any:
        found = [item for item in items[:-1] if item is not None]
        if not found:
            raise FilterError(
                "the set is empty; it takes values with commas between", _start(opened), _stop(items[-1])
            )
        return found, _stop(items[-1])

    def item(self, low: Node, high: Node | None) -> Any:
        return low, high

    def arithmetic(self, left: Node, operator: Token, right: Node) -> Node:
        return Arithmetic(left.start, right.stop, str(operator), left, right, depth=_deeper(left, right))

    def minus(self, mark: Token, inner: Node) -> Node:
        zero = Literal(_start(mark), _stop(mark), Spelling.NUMBER, "0")
        return Arithmetic(_start(mark), inner.stop, "negative", zero, inner, depth=_deeper(inner))

    def slice(self, inner: Node, *ranges: Any) -> Node:
        return Slice(inner.start, _stop(ranges[-1]), inner, tuple(ranges[:-1]), depth=_deeper(inner))

    def index(self, first: Token) -> Any:
        at = int(first)
        return at, at + 1 if at != -1 else None

    def from_length(self, first: Token, length: Token) -> Any:
        at, count = int(first), int(length)
        if count <= 0:
            raise FilterError("a slice has at least one octet: [first:length]", _start(length), _stop(length))
        if at < 0 <= at + count:
            if at + count:
                raise FilterError("the slice reaches beyond the end", _start(first), _stop(length))
            return at, None
        return at, at + count

    def from_to(self, first: Token, last: Token) -> Any:
        at, end = int(first), int(last)
        if at < 0 or end < at:
            raise FilterError(
                "a slice goes from a first octet to a later one: [first-last]", _start(first), _stop(last)
            )
        return at, end + 1

    def from_on(self, first: Token) -> Any:
        return int(first), None

    def up_to(self, length: Token) -> Any:
        if int(length) <= 0:
            raise FilterError("a slice has at least one octet: [:length]", _start(length), _stop(length))
        return 0, int(length)

    def call(self, name: Token, _: Token, *rest: Any) -> Node:
        arguments = tuple(one for one in rest[:-1] if one is not None)
        return Call(_start(name), _stop(rest[-1]), str(name).lower(), arguments, depth=_deeper(*arguments))

    def literal(self, token: Token) -> Node:
        text = str(token)
        if token.type == "STRING":
            text = unescaped(text[1:-1])
        elif token.type == "RAW":
            text = text[2:-1]
        return Literal(_start(token), _stop(token), _SPELLINGS[token.type], text)


def _start(token: Token) -> int:
    return token.start_pos or 0


def _stop(token: Token) -> int:
    return token.end_pos or 0


def _within(inner: Node, start: int, stop: int) -> Node:
    """The same node with the brackets around it."""
    return replace(inner, start=start, stop=stop)


def _joined(operator: str, parts: tuple[Node, ...]) -> Node:
    if len(parts) == 1:
        return parts[0]
    return Junction(parts[0].start, parts[-1].stop, operator, parts, depth=_deeper(*parts))


def _member(left: Node, items: Any, quantifier: str, start: int) -> Node:
    found, stop = items
    inside = [node for item in found for node in item if node is not None]
    return Membership(start, stop, left, tuple(found), quantifier, depth=_deeper(left, *inside))


def _deeper(*inner: Node) -> int:
    """The depth of a node that has these inside. Raises FilterError where that is too deep."""
    depth = 1 + max((node.depth for node in inner), default=0)
    if depth > DEEPEST:
        start, stop = min(node.start for node in inner), max(node.stop for node in inner)
        raise FilterError(f"more than {DEEPEST} conditions are nested in one another here", start, stop)
    return depth


#: What is said to be expected, the first that fits: names of terminals, and words for them.
_EXPECTED = (
    ({"INDEX"}, "a number of octets, as in [8:2]"),
    ({"NAME", "STRING"}, "a field or a value"),
    ({"OPEN_SET"}, "a set of values in braces, such as {1, 2, 5..9}"),
    ({"CLOSE_SLICE"}, "a “]”"),
    ({"CLOSE_SET"}, "a comma or the “}” of the set"),
    ({"CLOSE", "_AND"}, "a comparison, “&&”, “||” or a “)”"),
    ({"CLOSE"}, "a “)”"),
    ({"_AND", "PLUS"}, "a comparison, “&&” or “||”"),
    ({"_AND"}, "“&&” or “||”"),
    ({"IN"}, "a comparison"),
)


#: Signs of other languages, and of a slip, and what they are here.
_OTHER_SIGNS = {
    **{"=<": "<=", "=>": ">=", "<>": "!=", "=!": "!=", "=": "==", "|": "||"},
    **{"≠": "!=", "≤": "<=", "≥": ">=", "∧": "&&", "∨": "||", "¬": "!"},
}
_CURVED_QUOTES = frozenset("“”„‟«»‘’‚‹›")
_SIGNS = "=!<>|"
#: A word of the grammar where a value should stand, which it was taken for; and a value that ends at a blank.
_TAKEN_FOR_NAME = re.compile(
    r"(?<![\w.])(and|or|xor|in|eq|ne|lt|le|gt|ge|contains|matches)\s+$", re.IGNORECASE
)
_BARE_VALUE = re.compile(
    r"(?:[=<>~]|\b(?:eq|ne|lt|le|gt|ge|contains|matches))\s*([\w.:-]+)\s+$", re.IGNORECASE
)
#: What is said of a number with a unit that it cannot have.
UNITS_APART = (
    "only durations have units (ns us ms s min h d); "
    "others are asked for apart, as in value > 230 && unit == V"
)


def _misspelt(text: str, at: int) -> FilterError | None:
    """The error of a sign or a quotation mark that is another one here; None where there is none."""
    for start, stop in ((at - 1, at + 1), (at, at + 2), (at, at + 1)):
        sign = text[start:stop] if start >= 0 else ""
        if stop - start == 1 and text[at - 1 : at] in tuple(_SIGNS):
            continue
        if sign in _OTHER_SIGNS:
            return FilterError(f"“{sign}” is written “{_OTHER_SIGNS[sign]}” in a filter", start, stop)
    if text[at] in _CURVED_QUOTES:
        return FilterError('text stands in straight quotes, such as "CSP"', at, at + 1)
    return None


def _hint(token: Token, text: str) -> str:
    """What is said besides of something behind a value: most likely it belongs to the value."""
    value = _BARE_VALUE.search(text, 0, _start(token))
    if value is None or token.type not in _SPELLINGS or field_named(str(token)) is not None:
        return ""
    if token.type == "NAME" and re.fullmatch(r"[\d.]+", value[1]):
        return f"; {UNITS_APART}"
    return "; what has blanks stands in quotes"


def _unexpected(error: UnexpectedToken, text: str) -> FilterError:
    """What was expected where something else stands."""
    names = set(error.accepts or error.expected)
    wanted = next((words for some, words in _EXPECTED if some <= names), "something else")
    token = cast(Token, error.token)
    if token.type == "$END":
        end = len(text.rstrip())
        return FilterError(f"the filter ends where {wanted} should follow", end, end + 1)
    taken = _TAKEN_FOR_NAME.search(text, 0, _start(token))
    if taken is not None and "_AND" in names:
        return FilterError(f"“{taken[1]}” stands where a field or a value should stand", *taken.span(1))
    misspelt = _misspelt(text, _start(token))
    if misspelt is not None:
        return misspelt
    hint = _hint(token, text) if "_AND" in names else ""
    return FilterError(f"“{token}” stands where {wanted} should stand{hint}", _start(token), _stop(token))


def _no_token(text: str, at: int) -> FilterError:
    """Something begins here that is nothing of a filter."""
    if text[at] in "\"'":
        return FilterError("the text has no quotation mark at its end", at, len(text))
    return _misspelt(text, at) or FilterError(
        f"“{printable(text[at])}” begins nothing that a filter has", at, at + 1
    )
