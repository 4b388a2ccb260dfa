"""Mutants of a module: every place where one of Cosmic Ray's operators changes what the module does.

The operators are those that slips are made of: comparisons, constants, signs and operators of arithmetic,
negations, and the ends of loops. A change that does not compile is no mutant, nor is one of what type
checkers watch over: annotations, and whether a dataclass is frozen, has slots or takes fields by name.
"""

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cosmic_ray.ast import Visitor, ast_nodes, get_ast
from cosmic_ray.operators.provider import OperatorProvider

_ORDERS = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
_COMPARISONS = [(a, b) for a in _ORDERS for b in _ORDERS if a != b] + [("Is", "IsNot"), ("IsNot", "Is")]
#: Operators of arithmetic and the ones that are mistaken for them.
_ARITHMETIC = (
    ("Add", "Sub"),
    ("Sub", "Add"),
    ("Mul", "FloorDiv"),
    ("Div", "Mul"),
    ("FloorDiv", "Mul"),
    ("FloorDiv", "Mod"),
    ("Mod", "FloorDiv"),
    ("Pow", "Mul"),
    ("LShift", "RShift"),
    ("RShift", "LShift"),
    ("BitAnd", "BitOr"),
    ("BitOr", "BitAnd"),
    ("BitXor", "BitAnd"),
)
#: Names of the operators that are used, out of Cosmic Ray's.
OPERATORS = (
    *(f"ReplaceComparisonOperator_{old}_{new}" for old, new in _COMPARISONS),
    *(f"ReplaceBinaryOperator_{old}_{new}" for old, new in _ARITHMETIC),
    "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Invert",
    "ReplaceUnaryOperator_Delete_Not",
    "NumberReplacer",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "AddNot",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
)


@dataclass(frozen=True)
class Mutant:
    """A module changed in one place: the line before and after, and the whole new source."""

    module: Path
    line: int
    was: str
    becomes: str
    source: str


@dataclass(frozen=True)
class _Change:
    """The change that an operator makes at its place of this number, counted through the whole module."""

    operator: str
    number: int


class _Changer(Visitor):
    """One change of a parso tree."""

    def __init__(self, change: _Change) -> None:
        self._operator = _operator(change.operator)
        self._left = change.number

    def visit(self, node):
        """The node, or what the operator makes of it where the place is its own."""
        for index, _ in enumerate(self._operator.mutation_positions(node)):
            if self._left == 0:
                node = self._operator.mutate(node, index)
            self._left -= 1
        return node


@cache
def _operator(name: str):
    return OperatorProvider()[name]()


@cache
def _places(module: Path) -> Sequence[tuple[_Change, ...]]:
    """The places of a module in the order of its text, each with the changes that can be made there."""
    nodes = list(ast_nodes(get_ast(module.read_text(encoding="utf-8"))))
    found: dict[tuple, list[_Change]] = {}
    for name in OPERATORS:
        operator = _operator(name)
        positions = [position for node in nodes for position in operator.mutation_positions(node)]
        for number, position in enumerate(positions):
            found.setdefault(position, []).append(_Change(name, number))
    return [tuple(found[position]) for position in sorted(found)]


def _change(module: Path, change: _Change) -> Mutant | None:
    """The mutant that a change makes; None where it does not compile or does nothing at run time."""
    old = module.read_text(encoding="utf-8")
    new = _Changer(change).walk(get_ast(old)).get_code()
    try:
        if _what_it_does(old) == _what_it_does(new):
            return None
    except SyntaxError:
        return None
    # No operator adds a line end, so that lines stand beside each other.
    for line, (was, becomes) in enumerate(zip(old.split("\n"), new.split("\n"), strict=True), 1):
        if was != becomes:
            return Mutant(module, line, was.strip(), becomes.strip(), new)
    return None


class _Unchecked(ast.NodeTransformer):
    """A module's syntax tree without what type checkers watch over."""

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST | None:
        return None if node.arg in ("frozen", "slots", "kw_only") else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return ast.Pass()
        return self.generic_visit(node)


def _what_it_does(source: str) -> str:
    return ast.dump(_Unchecked().visit(ast.parse(source)))


def modules_of(package: Path, parts: Sequence[str]) -> list[Path]:
    """The modules of a package that lie at or below one of `parts`, paths inside the package; sorted."""
    found = set()
    for part in parts:
        path = package / part
        found.update([path] if path.is_file() else path.rglob("*.py"))
    return sorted(found)


def every_mutant(module: Path) -> Iterator[Mutant]:
    """All mutants of a module, in the order of its text."""
    for place in _places(module):
        yield from (mutant for change in place if (mutant := _change(module, change)))


def draw(modules: Sequence[Path], count: int, seed: str) -> list[Mutant]:
    """So many mutants of these modules, or all there are, each of another place; a seed draws the same again.

    Each place has the same chance, whatever the number of changes that can be made there.
    """
    source = random.Random(seed)
    places = [(module, place) for module in modules for place in _places(module)]
    source.shuffle(places)
    found: list[Mutant] = []
    for module, place in places:
        if len(found) == count:
            break
        mutant = _change(module, source.choice(place))
        if mutant is not None:
            found.append(mutant)
    return found
