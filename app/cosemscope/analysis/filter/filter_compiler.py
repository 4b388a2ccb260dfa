"""The compiler makes a predicate of a syntax tree: names become fields, literals values, types are checked.

An error names the columns, what stands there, and what would fit.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.analysis.fields.value_types import Term, Word
from cosemscope.analysis.filter.language import filter_literals as read
from cosemscope.analysis.filter.language.filter_errors import FilterError
from cosemscope.analysis.filter.language.filter_grammar import UNITS_APART
from cosemscope.analysis.filter.language.filter_names import field_named, near_names
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
from cosemscope.analysis.filter.language.filter_words import FieldWords, words_of
from cosemscope.analysis.filter.language.folding import folded
from cosemscope.analysis.filter.language.tree_names import TREE_FIELD, TREE_TEXT, tree_path
from cosemscope.analysis.filter.language.value_kinds import NUMERIC, ORDERED, SEARCHED, FilterKind, kind_of
from cosemscope.analysis.filter.masks import operands as op
from cosemscope.analysis.filter.masks import predicates as pr
from cosemscope.analysis.filter.masks import value_tests as vt
from cosemscope.analysis.filter.masks.calculations import calculate_number
from cosemscope.analysis.filter.masks.filter_vectors import Fold
from cosemscope.analysis.filter.masks.operands import Effort, Operand

#: What each function takes, and of which kind its result is (None: the kind of what it is given).
_FUNCTIONS: dict[str, tuple[frozenset[FilterKind], FilterKind | None, str]] = {
    "len": (
        frozenset((FilterKind.TEXT, FilterKind.WORD, FilterKind.OCTETS, FilterKind.TITLE, FilterKind.TREE)),
        FilterKind.NUMBER,
        "text or octets",
    ),
    "lower": (
        frozenset((FilterKind.TEXT, FilterKind.WORD, FilterKind.TITLE, FilterKind.TREE)),
        FilterKind.TEXT,
        "text",
    ),
    "upper": (
        frozenset((FilterKind.TEXT, FilterKind.WORD, FilterKind.TITLE, FilterKind.TREE)),
        FilterKind.TEXT,
        "text",
    ),
    "abs": (NUMERIC | {FilterKind.TREE}, None, "a number or a duration"),
    "min": (NUMERIC, None, "numbers, durations or times"),
    "max": (NUMERIC, None, "numbers, durations or times"),
    "count": (frozenset(FilterKind), FilterKind.NUMBER, "a field"),
}
FUNCTIONS = tuple(_FUNCTIONS)

#: The folds of each operator: by itself, and behind `any` and `all`; what is tested of each value.
_FOLDS: dict[str, tuple[str, Fold, Fold, Fold]] = {
    "==": ("==", Fold.ANY, Fold.ANY, Fold.ALL),
    "!=": ("==", Fold.NONE, Fold.NOT_ALL, Fold.NONE),
    "===": ("==", Fold.ALL, Fold.ANY, Fold.ALL),
    "!==": ("==", Fold.NOT_ALL, Fold.NOT_ALL, Fold.NONE),
    **{
        order: (order, Fold.ANY, Fold.ANY, Fold.ALL)
        for order in ("<", "<=", ">", ">=", "contains", "matches")
    },
}
#: Kinds of results of arithmetic, by operator and the kinds on both sides.
_N, _D, _I = FilterKind.NUMBER, FilterKind.DURATION, FilterKind.INSTANT
_RESULTS: dict[tuple[str, FilterKind, FilterKind], FilterKind] = {
    **{(sign, _N, _N): _N for sign in "+-*/%&"},
    **{(sign, _D, _D): _D for sign in "+-%"},
    ("/", _D, _D): _N,
    ("*", _D, _N): _D,
    ("*", _N, _D): _D,
    ("/", _D, _N): _D,
    ("-", _I, _I): _D,
    ("+", _I, _D): _I,
    ("+", _D, _I): _I,
    ("-", _I, _D): _I,
}
#: Literals by themselves, where nothing says what they are compared with.
_OWN_KINDS = {
    Spelling.NUMBER: FilterKind.NUMBER,
    Spelling.DURATION: FilterKind.DURATION,
    Spelling.INSTANT: FilterKind.INSTANT,
    Spelling.OBIS: FilterKind.OBIS,
    Spelling.ADDRESS: FilterKind.ADDRESS,
    Spelling.OCTETS: FilterKind.OCTETS,
    Spelling.STRING: FilterKind.TEXT,
    Spelling.WORD: FilterKind.WORD,
}


class _Fixed(NamedTuple):
    """A value that is the same for all rows, of literals alone."""

    kind: FilterKind
    value: Any


_Side = Operand | Literal | _Fixed


def compile_node(node: Node) -> pr.Predicate:
    """The predicate of a condition. Raises FilterError."""
    return _COMPILERS.get(type(node), _existence)(node)


# Conditions.


def _joined(node: Any) -> pr.Predicate:
    parts = [compile_node(part) for part in node.parts]
    trees = [part.inner for part in parts if isinstance(part, pr.OfTrees)]
    kind: Callable[..., pr.Predicate] = {"and": pr.AllOf, "or": pr.AnyOf, "xor": pr.OddOf}[node.operator]
    if len(trees) > 1:  # one look at each tree answers them all
        parts = [part for part in parts if not isinstance(part, pr.OfTrees)]
        parts.append(pr.OfTrees(Effort.TREES, kind(Effort.TREES, tuple(trees))))
    parts.sort(key=lambda part: part.effort)
    return parts[0] if len(parts) == 1 else kind(parts[-1].effort, tuple(parts))


def _negated(node: Any) -> pr.Predicate:
    inner = compile_node(node.inner)
    if isinstance(inner, pr.OfTrees):
        return pr.OfTrees(Effort.TREES, pr.Negated(Effort.TREES, inner.inner))
    return pr.Negated(inner.effort, inner)


def _finished(predicate: pr.Predicate) -> pr.Predicate:
    return pr.OfTrees(Effort.TREES, predicate) if predicate.effort is Effort.TREES else predicate


def _existence(node: Node) -> pr.Predicate:
    """A field by itself: whether there is a value, of a flag whether it is set, of bits whether one is."""
    if (
        isinstance(node, Literal)
        and node.spelling is Spelling.WORD
        and node.text.lower() in ("true", "false")
    ):
        return pr.Constantly(Effort.NOTHING, node.text.lower() == "true")
    side = _side(node)
    if not isinstance(side, Operand):
        raise _no_field(node)
    if side.kind is FilterKind.FLAG:
        return pr.Passes(side.effort, side, vt.NumberTest("==", 1), Fold.ANY)
    if isinstance(node, Arithmetic) and node.operator == "&":
        passes = pr.Passes(side.effort, side, vt.NumberTest("==", 0), Fold.NOT_ALL)
        return _finished(passes)
    return _finished(pr.Exists(side.effort, side))


def _no_field(node: Node) -> FilterError:
    if isinstance(node, Literal) and node.spelling is Spelling.WORD:
        return _unknown(node)
    return FilterError("this is a value and no condition: compare it with a field", node.start, node.stop)


def _comparison(node: Any) -> pr.Predicate:
    left, right = _side(node.left), _side(node.right)
    operator, fold = _fold(node)
    if isinstance(left, Operand) and not _means_word(left, node.right, operator):
        if isinstance(right, Operand):
            return _compared(node, operator, left, right)
        return _finished(_passes(left, _test(operator, left, node.right, right, node.left), fold))
    if isinstance(left, Operand):
        assert isinstance(node.right, Literal)
        return _finished(_passes(left, _test(operator, left, node.right, node.right, node.left), fold))
    if isinstance(right, Operand):
        if operator in ("contains", "matches"):
            raise FilterError(
                f"the field stands before “{operator}”, what is looked for behind it", node.start, node.stop
            )
        operator = vt.MIRRORED.get(operator, operator)
        return _finished(_passes(right, _test(operator, right, node.left, left, node.right), fold))
    raise _no_operand(node.left, node.right)


def _no_operand(left: Node, right: Node) -> FilterError:
    """Neither side is a field: the first word was meant for one."""
    for node in (left, right):
        if isinstance(node, Literal) and node.spelling is Spelling.WORD:
            return _unknown(node)
    return FilterError("there is no field on either side of the comparison", left.start, right.stop)


def _fold(node: Any) -> tuple[str, Fold]:
    test, *folds = _FOLDS[node.operator]
    return test, folds[("", "any", "all").index(node.quantifier)]


def _passes(operand: Operand, test: vt.Test, fold: Fold) -> pr.Passes:
    return pr.Passes(operand.effort, operand, test, fold)


def _membership(node: Any) -> pr.Predicate:
    operand = _side(node.left)
    if not isinstance(operand, Operand):
        raise _no_field(node.left)
    tests: list[vt.Test] = []
    for low, high in node.items:
        if high is None:
            _refuse_dash(low)
        ends = [(order, one) for order, one in (((">=", low), ("<=", high)) if high else (("==", low),))]
        found = []
        for order, one in ends:
            side: _Side = one if _means_word(operand, one, "==") else _side(one)
            if isinstance(side, Operand):
                raise FilterError("a set has values, and no fields", one.start, one.stop)
            found.append(_test(order, operand, one, side, node.left))
        tests.append(found[0] if len(found) == 1 else vt.AllOfTests(tuple(found)))
    fold = Fold.ALL if node.quantifier == "all" else Fold.ANY
    return _finished(_passes(operand, _one_of(tests), fold))


def _refuse_dash(node: Node) -> None:
    """Raise FilterError for 4059-4061 in a set, which is a difference and was meant for a range."""
    if isinstance(node, Arithmetic) and node.operator == "-":
        ends = [one for one in (node.left, node.right) if isinstance(one, Literal)]
        if [one.spelling for one in ends] == [Spelling.NUMBER] * 2:
            told = "..".join(one.text for one in ends)
            raise FilterError(f"a range has two dots: {told}", node.start, node.stop)


def _one_of(tests: list[vt.Test]) -> vt.Test:
    """Some tests as one: what a value may equal is looked up, however many values there are."""
    numbers: list[int] = []
    bits: dict[int, list[int]] = {}
    texts: list[str] = []
    words: list[str] = []
    others: list[vt.Test] = []
    for test in tests:
        match test:
            case vt.NumberTest("==", int(number)):
                numbers.append(number)
            case vt.NumberSet(some):
                numbers += some
            case vt.BitsTest(mask, value):
                bits.setdefault(mask, []).append(value)
            case vt.TextTest("==", text) if text not in vt.NO_NUMBERS:
                texts.append(text)
            case vt.WordTest(word):
                words.append(word)
            case _:
                others.append(test)
    found: list[vt.Test] = [vt.NumberSet(tuple(sorted(set(numbers))))] if numbers else []
    found += [vt.BitsTest(mask, *values) for mask, values in bits.items() if len(values) == 1]
    found += [vt.BitsSet(mask, tuple(sorted(values))) for mask, values in bits.items() if len(values) > 1]
    found += [vt.TextSet(frozenset(texts))] if texts else []
    found += [vt.WordSet(frozenset(words))] if words else []
    found += others
    return found[0] if len(found) == 1 else vt.OneOfTests(tuple(found))


def _compared(node: Any, operator: str, left: Operand, right: Operand) -> pr.Predicate:
    """Two fields, or what is made of them."""
    if operator in ("contains", "matches"):
        raise FilterError(
            f"behind “{operator}” stands text in quotes or octets", node.right.start, node.right.stop
        )
    if Effort.TREES in (left.effort, right.effort) and left.effort != right.effort:
        raise FilterError(
            "fields of trees are compared with values, or with one another", node.start, node.stop
        )
    alike = left.kind is right.kind or {left.kind, right.kind} <= {FilterKind.NUMBER, FilterKind.QUANTITY}
    alike |= {left.kind, right.kind} in (
        {FilterKind.ADDRESS, FilterKind.ENDPOINT},
        {FilterKind.WORD, FilterKind.RANK},
    )
    if not alike or FilterKind.TREE in (left.kind, right.kind):
        raise FilterError(
            f"{_shown(node.left)} is compared with {_fitting(left)}", node.right.start, node.right.stop
        )
    if operator != "==" and left.kind not in ORDERED - {FilterKind.RANK}:
        raise FilterError(f"{_shown(node.left)} has no order: use == or !=", node.start, node.stop)
    order, fold = _fold(node)
    every = fold in (Fold.ALL, Fold.NOT_ALL)
    effort = max(left.effort, right.effort)
    compares = pr.Compares(effort, order, left, right, every)
    if fold in (Fold.NONE, Fold.NOT_ALL):
        exist = (pr.Exists(left.effort, left), pr.Exists(right.effort, right))
        return _finished(pr.AllOf(effort, (*exist, pr.Negated(effort, compares))))
    return _finished(compares)


# Operands.


def _side(node: Node) -> _Side:
    """What stands on one side: an operand, a literal whose kind the other side tells, or a fixed value."""
    if isinstance(node, Literal):
        return _named(node)
    if isinstance(node, Call):
        return _function(node)
    if isinstance(node, Slice):
        return _slice(node)
    if isinstance(node, Arithmetic):
        return _arithmetic(node)
    raise FilterError("a condition is no value: it cannot be compared or counted with", node.start, node.stop)


def _named(node: Literal) -> Operand | Literal:
    """The operand that a word names; other literals, and words that name none, as they are."""
    if node.spelling is not Spelling.WORD:
        return node
    field = field_named(node.text)
    if field is not None:
        return op.FieldOperand(kind_of(field), _effort(field), field.several, field)
    if node.text.lower() == TREE_FIELD:
        return op.TreeNames(FilterKind.WORD, Effort.TREES, True)
    if node.text.lower() == TREE_TEXT:
        return op.TreeTexts(FilterKind.TEXT, Effort.TREES, True)
    path = tree_path(node.text)
    return node if path is None else op.TreeOperand(FilterKind.TREE, Effort.TREES, True, path)


def _effort(field: RowField) -> Effort:
    return Effort.LOOKS if field.cost is Cost.TREE else Effort.ARRAYS


def _unknown(node: Literal) -> FilterError:
    near = near_names(node.text)
    hint = f", but {_or(near)}" if near else "; `cosemscope fields` lists them"
    return FilterError(f"there is no field “{node.text}”{hint}", node.start, node.stop)


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _operand(node: Node) -> Operand:
    side = _side(node)
    if isinstance(side, Operand):
        return side
    raise _no_field(node)


def _function(node: Call) -> Operand:
    known = _FUNCTIONS.get(node.name)
    if known is None:
        raise FilterError(
            f"there is no function “{node.name}”; there are {_listed(FUNCTIONS)}", node.start, node.stop
        )
    kinds, result, wanted = known
    most = None if node.name in ("min", "max") else 1
    if not node.arguments or (most is not None and len(node.arguments) > most):
        raise FilterError(
            f"{node.name}() takes {'one field' if most else 'at least one field'}", node.start, node.stop
        )
    inner = [_operand(one) for one in node.arguments]
    for one, argument in zip(inner, node.arguments, strict=True):
        if one.kind not in kinds:
            raise FilterError(
                f"{node.name}() takes {wanted}, and {_shown(argument)} is none", argument.start, argument.stop
            )
    if (
        len({_numeric(one.kind) for one in inner}) > 1
        or len({one.effort is Effort.TREES for one in inner}) > 1
    ):
        raise FilterError(f"{node.name}() takes values of one kind", node.start, node.stop)
    effort = max(one.effort for one in inner)
    kind = result or _numeric(inner[0].kind)
    if node.name == "count":
        return op.CountOf(kind, effort, False, inner[0])
    if node.name in ("min", "max"):
        return op.Extreme(kind, effort, False, node.name == "max", tuple(inner))
    if inner[0].kind is FilterKind.WORD and isinstance(inner[0], op.FieldOperand):
        inner = [op.TextOf(FilterKind.TEXT, effort, inner[0].several, inner[0])]
    return op.EachOf(kind, effort, inner[0].several, node.name, inner[0])


def _numeric(kind: FilterKind) -> FilterKind:
    return FilterKind.NUMBER if kind in (FilterKind.QUANTITY, FilterKind.TREE) else kind


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}"


def _slice(node: Slice) -> Operand:
    inner = _operand(node.inner)
    if inner.kind not in (FilterKind.OCTETS, FilterKind.TEXT, FilterKind.TREE):
        raise FilterError(
            f"{_shown(node.inner)} is no octets and no text: it has no slices", node.start, node.stop
        )
    kind = FilterKind.OCTETS if inner.kind is FilterKind.TREE else inner.kind
    return op.SliceOf(kind, inner.effort, inner.several, inner, node.ranges)


def _arithmetic(node: Arithmetic) -> Operand | _Fixed:
    sides = [_side(node.left), _side(node.right)]
    joins = "; conditions are joined by “&&”" if node.operator == "&" else ""
    for place, one in enumerate((node.left, node.right)):
        side = sides[place]
        if isinstance(side, Literal):
            sides[place] = _counted(side, sides[1 - place])
        elif isinstance(side, Operand) and side.kind not in NUMERIC:
            raise FilterError(
                f"{_shown(one)} is no number and no time: nothing can be counted with it{joins}",
                one.start,
                one.stop,
            )
    left, right = sides
    assert not isinstance(left, Literal)
    assert not isinstance(right, Literal)
    sign = node.operator
    if sign == "negative":
        left, sign = _Fixed(_numeric(right.kind), 0), "-"
        if right.kind is FilterKind.INSTANT:
            raise FilterError("a time has no negative", node.start, node.stop)
    kind = _RESULTS.get((sign, _numeric(left.kind), _numeric(right.kind)))
    if kind is None:
        raise FilterError(
            f"{_of_kind(left.kind)} and {_of_kind(right.kind)} have no “{sign}”", node.start, node.stop
        )
    if isinstance(left, _Fixed) and isinstance(right, _Fixed):
        value = calculate_number(sign, left.value, right.value)
        if value is None or abs(value) > vt.MOST_NUMBER:
            raise FilterError("this has no result", node.start, node.stop)
        return _Fixed(kind, value)
    operands = [
        op.Constant(one.kind, Effort.NOTHING, False, one.value) if isinstance(one, _Fixed) else one
        for one in (left, right)
    ]
    if all(one.several for one in operands):
        raise FilterError("both sides have several values: which are meant?", node.start, node.stop)
    efforts = {one.effort for one in operands} - {Effort.NOTHING}
    if Effort.TREES in efforts and len(efforts) > 1:
        raise FilterError(
            "fields of trees are counted with values, or with one another", node.start, node.stop
        )
    several = any(one.several for one in operands)
    return op.Calculation(kind, max(efforts), several, sign, operands[0], operands[1])


_KIND_NAMES = {
    FilterKind.NUMBER: "a number",
    FilterKind.QUANTITY: "a number",
    FilterKind.DURATION: "a duration",
    FilterKind.INSTANT: "a time",
}


def _of_kind(kind: FilterKind) -> str:
    return _KIND_NAMES.get(kind, "this")


def _counted(literal: Literal, other: _Side) -> _Fixed:
    """A literal that is counted with: a number or a duration, beside a time also one in quotes."""
    kind = _OWN_KINDS[literal.spelling]
    if (
        literal.spelling is Spelling.STRING
        and not isinstance(other, Literal)
        and other.kind in (FilterKind.INSTANT, FilterKind.DURATION)
    ):
        kind = FilterKind.INSTANT
    if kind not in (FilterKind.NUMBER, FilterKind.DURATION, FilterKind.INSTANT):
        if literal.spelling is Spelling.WORD:
            raise _unknown(literal)
        raise FilterError(f"“{literal.text}” is no number and no time", literal.start, literal.stop)
    return _Fixed(kind, _read(_READERS[kind], literal, kind.value))


# Tests of values.


def _means_word(operand: Operand, node: Node, operator: str) -> bool:
    """Whether a word beside a field is one of the field's own, although a field has that name too."""
    if not isinstance(node, Literal) or node.spelling is not Spelling.WORD:
        return False
    if operator in ("contains", "matches"):
        return True
    words = _words(operand)
    return words is not None and words.known(node.text)


def _words(operand: Operand) -> FieldWords | None:
    return words_of(operand.field) if isinstance(operand, op.FieldOperand) else None


def _read(reader: Callable[[Literal], Any], literal: Literal, fits: str, subject: str = "") -> Any:
    try:
        return reader(literal)
    except ValueError:
        beside = f"{subject} is compared with {fits}, and" if subject else f"{fits} stands here, and"
        raise FilterError(f"{beside} “{literal.text}” is none", literal.start, literal.stop) from None


_READERS: dict[FilterKind, Callable[[Literal], Any]] = {
    FilterKind.NUMBER: read.read_number,
    FilterKind.DURATION: read.read_duration,
    FilterKind.INSTANT: read.read_instant,
    FilterKind.OBIS: read.read_obis,
    FilterKind.ADDRESS: read.read_address,
    FilterKind.ENDPOINT: lambda literal: read.read_address(literal, port=True),
    FilterKind.OCTETS: read.read_octets,
    FilterKind.FLAG: read.read_flag,
    FilterKind.TITLE: read.read_title,
    FilterKind.TEXT: read.read_text,
}


def _shown(node: Node) -> str:
    """What a node is called in an error."""
    if isinstance(node, Literal):
        return f"`{node.text}`"
    return f"{node.name}()" if isinstance(node, Call) else "this"


def _fitting(operand: Operand) -> str:
    """What an operand is compared with, with words of its own."""
    if operand.kind in (FilterKind.WORD, FilterKind.RANK):
        words = _words(operand)
        examples = words.examples() if words is not None else ""
        return f"{operand.kind.value}{examples}" if examples else 'a word, such as "text"'
    return str(operand.kind.value)


def _test(operator: str, operand: Operand, node: Node, side: _Side, subject: Node) -> vt.Test:
    """What a comparison asks of the values of an operand; `side`: what stands on the other side."""
    shown = _shown(subject)
    if operator in ("contains", "matches"):
        return _search(operator, operand, node, side, shown)
    if operator != "==" and operand.kind not in ORDERED:
        raise FilterError(f"{shown} has no order: use == or !=", node.start, node.stop)
    if isinstance(side, _Fixed):
        return _fixed_test(operator, operand, node, side, shown)
    assert isinstance(side, Literal)
    return _TESTS.get(operand.kind, _number_test)(operator, operand, side, shown)


def _fixed_test(operator: str, operand: Operand, node: Node, fixed: _Fixed, shown: str) -> vt.Test:
    """A value of arithmetic."""
    value, kind = fixed.value, _numeric(operand.kind)
    if kind in (FilterKind.DURATION, FilterKind.INSTANT) and fixed.kind is FilterKind.NUMBER:
        value = calculate_number("*", value, 1_000_000_000)
    elif kind is not fixed.kind:
        raise FilterError(f"{shown} is compared with {_fitting(operand)}", node.start, node.stop)
    if operand.kind is FilterKind.TREE:
        return vt.TreeTest(operator, number=value)
    return vt.NumberTest(operator, value)


def _number_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    words = _words(operand)
    if words is not None and literal.spelling in (Spelling.WORD, Spelling.STRING) and operator == "==":
        return _named_number(words, literal, shown)
    return vt.NumberTest(operator, _read(_READERS[operand.kind], literal, operand.kind.value, shown))


def _named_number(words: FieldWords, literal: Literal, shown: str) -> vt.Test:
    """A number by its name, such as that of a class."""
    numbers = words.numbers(literal.text)
    if numbers is None:
        raise _no_word(words, literal, shown)
    return vt.NumberSet(numbers)


def _no_word(words: FieldWords, literal: Literal, shown: str) -> FilterError:
    near = words.near(literal.text)
    such = f", but {_or(near)}" if near else f"; there are {words.examples()}"
    return FilterError(f"{shown} is never “{literal.text}”{such}", literal.start, literal.stop)


def _quantity_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    if literal.spelling is Spelling.NUMBER:
        return vt.NumberTest(operator, _read(read.read_number, literal, operand.kind.value, shown))
    if literal.spelling is Spelling.STRING:
        return vt.TextTest(operator, literal.text)
    if literal.spelling is Spelling.WORD and operator == "==":
        return vt.WordTest(folded(literal.text))
    apart = f"; {UNITS_APART}" if literal.text[:1].isdigit() else ""
    raise FilterError(f"{shown} is compared with {operand.kind.value}{apart}", literal.start, literal.stop)


def _word_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    if literal.spelling not in (Spelling.WORD, Spelling.STRING, Spelling.NUMBER):
        raise FilterError(f"{shown} is compared with {_fitting(operand)}", literal.start, literal.stop)
    if not isinstance(operand, op.FieldOperand):
        return vt.WordTest(folded(literal.text))
    words, type_ = words_of(operand.field), operand.field.type
    if words is not None and not words.known(literal.text):
        raise _no_word(words, literal, shown)
    if operand.kind is FilterKind.RANK:
        assert words is not None
        numbers = words.numbers(literal.text) or (0,)
        return vt.NumberTest(operator, numbers[0])
    if isinstance(type_, Term):
        return vt.WordTest(folded(literal.text))
    found = words.numbers(literal.text) if words is not None else None
    if found is not None:
        return vt.NumberSet(found)
    return vt.NamedTest(type_, vt.WordTest(folded(literal.text)))


def _text_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    if literal.spelling is Spelling.WORD and operator == "==":
        return vt.WordTest(folded(literal.text))
    if literal.spelling is not Spelling.STRING:
        raise FilterError(f"{shown} is compared with {operand.kind.value}", literal.start, literal.stop)
    return vt.TextTest(operator, literal.text)


def _title_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    return vt.TitleTest(_read(read.read_title, literal, operand.kind.value, shown))


def _obis_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    pattern: read.ObisPattern = _read(read.read_obis, literal, operand.kind.value, shown)
    if operator == "==":
        return vt.BitsTest(pattern.mask, pattern.value)
    if not pattern.is_one:
        raise FilterError("an OBIS code with * is no end of an order", literal.start, literal.stop)
    return vt.NumberTest(operator, pattern.value)


def _address_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    network: read.Network = _read(_READERS[operand.kind], literal, operand.kind.value, shown)
    return vt.AddressTest(operator, *network)


def _octets_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    return vt.OctetsTest(operator, _read(read.read_octets, literal, operand.kind.value, shown))


def _flag_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    return vt.NumberTest(operator, int(_read(read.read_flag, literal, operand.kind.value, shown)))


def _tree_test(operator: str, operand: Operand, literal: Literal, shown: str) -> vt.Test:
    """What a literal may be: number, octets, logical name, or text."""
    if literal.spelling is Spelling.NUMBER:
        number = _read(read.read_number, literal, operand.kind.value, shown)
        return vt.TreeTest(operator, number=number, octets=_maybe(read.read_octets, literal))
    if literal.spelling is Spelling.OBIS:
        # What has dots and is no logical name may be an object identifier.
        pattern: read.ObisPattern | None = _maybe(read.read_obis, literal)
        bits = None if pattern is None else (pattern.mask, pattern.value)
        return vt.TreeTest(operator, bits=bits, word=literal.text)
    if literal.spelling in (Spelling.OCTETS, Spelling.STRING, Spelling.WORD):
        return vt.TreeTest(operator, octets=_maybe(read.read_octets, literal), word=literal.text)
    raise FilterError(f"{shown} is compared with {operand.kind.value}", literal.start, literal.stop)


def _maybe(reader: Callable[[Literal], Any], literal: Literal) -> Any:
    try:
        return reader(literal)
    except ValueError:
        return None


_TESTS: dict[FilterKind, Callable[[str, Operand, Literal, str], vt.Test]] = {
    FilterKind.QUANTITY: _quantity_test,
    FilterKind.WORD: _word_test,
    FilterKind.RANK: _word_test,
    FilterKind.TEXT: _text_test,
    FilterKind.TITLE: _title_test,
    FilterKind.OBIS: _obis_test,
    FilterKind.ADDRESS: _address_test,
    FilterKind.ENDPOINT: _address_test,
    FilterKind.OCTETS: _octets_test,
    FilterKind.FLAG: _flag_test,
    FilterKind.TREE: _tree_test,
}


def _search(operator: str, operand: Operand, node: Node, side: _Side, shown: str) -> vt.Test:
    """`contains` and `matches`."""
    if operand.kind not in SEARCHED:
        raise FilterError(
            f"{shown} is no text and no octets: “{operator}” finds nothing in it", node.start, node.stop
        )
    if not isinstance(side, Literal):
        raise FilterError(f"behind “{operator}” stands text in quotes or octets", node.start, node.stop)
    if operator == "matches":
        return _in_words(operand, _pattern(operand, side))
    if operand.kind is FilterKind.OCTETS:
        return vt.PartTest(_read(read.read_octets, side, operand.kind.value, shown))
    if operand.kind is FilterKind.TREE:
        return vt.TreeTest("contains", octets=_maybe(read.read_octets, side), word=side.text)
    return _in_words(operand, vt.PartTest(side.text))


def _pattern(operand: Operand, literal: Literal) -> vt.Test:
    if literal.spelling is not Spelling.STRING:
        raise FilterError(
            "behind “matches” stands a regular expression in quotes", literal.start, literal.stop
        )
    pattern: str | bytes = literal.text
    try:
        if operand.kind is FilterKind.OCTETS:
            pattern = literal.text.encode("latin-1")
        vt.compiled(pattern)
    except ValueError as error:
        raise FilterError(
            f"this is no regular expression of RE2: {error}", literal.start, literal.stop
        ) from None
    return vt.TreePatternTest(literal.text) if operand.kind is FilterKind.TREE else vt.PatternTest(pattern)


def _in_words(operand: Operand, test: vt.Test) -> vt.Test:
    """A test of texts, of a field whose values are numbers that have names."""
    if isinstance(operand, op.FieldOperand) and isinstance(operand.field.type, Word):
        return vt.NamedTest(operand.field.type, test)
    return test


_COMPILERS: dict[type[Node], Callable[[Any], pr.Predicate]] = {
    Junction: _joined,
    Not: _negated,
    Comparison: _comparison,
    Membership: _membership,
}
