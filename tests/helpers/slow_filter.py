"""Filters drawn at random, and an interpreter that takes them row by row, in plain Python, value by value.

It shares nothing with the compiled filters but what fields tell scripts: their JSON.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any

from hypothesis import strategies as st

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.apdu.fields import Field

SECOND = 10**9

NUMBERS = (
    *(
        "wport",
        "wport.src",
        "wport.dst",
        "wpdu.length",
        "wpdu.size",
        "wpdu.segments",
        "wpdu.packets",
        "class",
    ),
    *("tcp.port", "tcp.stream", "udp.port", "frame.number", "invoke_id", "attribute", "exchange.wpdus"),
    *("exchange.blocks", "exchange.responses", "association.exchanges", "wpdu.missing", "ic", "tcp.flags"),
)
DURATIONS = (
    "response_time",
    "exchange.response_time",
    "wpdu.time_delta",
    "exchange.block_times",
    "stream.age",
)
INSTANTS = ("wpdu.time", "frame.time", "exchange.time", "stream.first_time")
WORDS = (
    *("apdu", "service", "kind", "result", "exchange.status", "exchange.result", "direction", "protocol"),
    *("wpdu.framing", "association.security", "association.state", "stream.outcome", "class.name", "role"),
    *("obis.name", "wpdu.marks"),
)
TEXTS = ("wport.src.name", "stream.cause", "attribute.name", "association.mechanism", "value.text")
ADDRESSES = ("ip.src", "ip.dst", "ip.addr", "meter")
FLAGS = ("wpdu.truncated", "wpdu.shared", "stream.ended", "last_block", "exchange.own_time_at_least")
RANKS = ("chat", "note", "warning", "error")
PATHS = (
    "aarq.mechanism-name",
    "aare.result",
    "tree.invoke-id-and-priority",
    "get-request.class-id",
    "tree.length",
)


class SlowRows:
    """The values of rows as lists of plain values, read once by field."""

    def __init__(self, associations: Associations) -> None:
        self.associations = associations
        self.count = len(associations.analysis.wpdus)
        self._known: dict[str, list[list[Any]]] = {}
        self._trees: list[Field] = []

    def values(self, name: str) -> list[list[Any]]:
        """The values of each row."""
        if name not in self._known:
            analysis = self.associations.analysis
            looker = PassedRows(self.associations) if FIELDS[name].cost.value == "tree" else None
            told = FIELDS[name].jsons(AskedRows(analysis, slice(0, self.count), looker))
            lists = [one if isinstance(one, list) else [one] for one in told]
            plain = self._plain(name)
            self._known[name] = [[plain(one) for one in some if one not in (None, "")] for some in lists]
        return self._known[name]

    @staticmethod
    def _plain(name: str) -> Callable[[Any], Any]:
        if name in DURATIONS + INSTANTS:
            return lambda text: int(Decimal(text) * SECOND)
        if name in ADDRESSES:
            return ip_address
        return bytes.fromhex if name == "wpdu.octets" else lambda value: value

    def trees(self) -> list[Field]:
        """The tree of each row."""
        if not self._trees:
            self._trees = [self.associations.decode(row).root for row in range(self.count)]
        return self._trees

    def path(self, path: str) -> list[list[Field]]:
        """The fields of each row's tree that a path leads to, parents before children."""
        key = f"path {path}"
        if key not in self._known:
            names = path.split(".")
            if names[0] == "tree":
                names = names[1:]
            self._known[key] = [_led_to(root, names) for root in self.trees()]
        return self._known[key]


def _named(field: Field) -> str:
    return re.sub("[^a-z0-9]+", "-", field.name.lower()).strip("-")


def _led_to(field: Field, names: Sequence[str], above: tuple[str, ...] = ()) -> list[Field]:
    """Fields whose name is the last one, and above which stand the others in their order."""
    found = []
    if _named(field) == names[-1]:
        left = iter(above)
        if all(name in left for name in names[:-1]):
            found.append(field)
    for child in field.children:
        found += _led_to(child, names, (*above, _named(field)))
    return found


@dataclass(frozen=True)
class Drawn:
    """A filter, or an operand, as text; and what it is of a row."""

    text: str
    of: Callable[[int], Any]


ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_SPELT = {
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "===": "all_eq",
    "!==": "any_ne",
}


def compared(
    values: Callable[[int], list[Any]], operator: str, quantifier: str, passes: Callable[[Any], bool]
) -> Callable[[int], bool]:
    """A comparison by what passes (for != and !== by what is equal)."""

    def left(row: int) -> bool:
        told = [passes(value) for value in values(row)]
        if not told:
            return False
        if operator == "!=":
            return not all(told) if quantifier == "any" else not any(told)
        if operator == "!==":
            return not any(told) if quantifier == "all" else not all(told)
        if operator == "===":
            return any(told) if quantifier == "any" else all(told)
        return all(told) if quantifier == "all" else any(told)

    return left


def filters(rows: SlowRows) -> st.SearchStrategy[Drawn]:
    """Filters over all kinds of fields, nested."""
    simple = st.one_of(
        _numbers(rows), _numbers(rows), _durations(rows), _instants(rows), _words(rows), _texts(rows),
        _addresses(rows), _obis(rows), _flags(rows), _ranks(rows), _octets(rows), _trees(rows),
        _two_fields(rows), _existence(rows), _quantities(rows), _bits(rows),
    )  # fmt: skip
    return st.recursive(simple, _joined, max_leaves=6)


def _joined(inner: st.SearchStrategy[Drawn]) -> st.SearchStrategy[Drawn]:
    def join(parts: list[Drawn], how: str) -> Drawn:
        sign = f" {how} "
        text = "(" + sign.join(part.text for part in parts) + ")"
        if how in ("&&", "AND"):
            return Drawn(text, lambda row: all(part.of(row) for part in parts))
        if how in ("||", "or"):
            return Drawn(text, lambda row: any(part.of(row) for part in parts))
        return Drawn(text, lambda row: sum(part.of(row) for part in parts) % 2 == 1)

    joined = st.builds(
        join, st.lists(inner, min_size=2, max_size=3), st.sampled_from(("&&", "AND", "||", "or", "xor", "^^"))
    )
    inverted = st.builds(
        lambda part, sign: Drawn(f"{sign}({part.text})", lambda row: not part.of(row)),
        inner,
        st.sampled_from(("!", "not ")),
    )
    return joined | inverted


def _seen(rows: SlowRows, name: str, others: Sequence[Any]) -> st.SearchStrategy[Any]:
    """A value that some row has, or another."""
    told = list(dict.fromkeys(value for some in rows.values(name) for value in some))
    return st.sampled_from(told[:40] + list(others)) if told else st.sampled_from(list(others))


@st.composite
def _ordered(
    draw: Any, values: Drawn, literal: st.SearchStrategy[Any], spelt: Callable[[Any], st.SearchStrategy[str]]
) -> Drawn:
    """A comparison, or a set, of values in an order."""
    value = draw(literal)
    text = draw(spelt(value))
    quantifier = draw(st.sampled_from(("", "", "any ", "all ")))
    operator = draw(st.sampled_from(("==", "!=", "===", "!==", "<", "<=", ">", ">=", "in", "not in")))
    if operator in ("in", "not in"):
        low, high = sorted((value, draw(literal)))
        third = draw(literal)
        items = f"{draw(spelt(low))}..{draw(spelt(high))}, {draw(spelt(third))}"
        if operator == "not in":
            quantifier = ""
        among = compared(values.of, "==", quantifier.strip(), lambda one: low <= one <= high or one == third)
        whole = f"{quantifier}{values.text} {operator} {{{items}}}"
        return Drawn(whole, (lambda row: not among(row)) if operator == "not in" else among)
    passes = ORDERS.get(operator, lambda left, right: left == right)
    sign = draw(st.sampled_from((operator, _SPELT[operator], _SPELT[operator].upper())))
    return Drawn(
        f"{quantifier}{values.text} {sign} {text}",
        compared(values.of, operator, quantifier.strip(), lambda one: passes(one, value)),
    )


@st.composite
def _counted(draw: Any, rows: SlowRows) -> Drawn:
    """A field of numbers, or what is made of it."""
    name = draw(st.sampled_from(NUMBERS))
    told = rows.values(name)
    number = draw(st.integers(-5, 70_000))
    kind = draw(st.integers(0, 7))
    if kind == 1:
        return Drawn(
            f"{name} + {number}" if number >= 0 else f"{name} - {-number}",
            lambda row: [one + number for one in told[row]],
        )
    if kind == 2:
        return Drawn(f"{name} * {abs(number)}", lambda row: [one * abs(number) for one in told[row]])
    if kind == 3:
        return Drawn(
            f"{name} % {abs(number)}", lambda row: [one % abs(number) for one in told[row] if number]
        )
    if kind == 4:
        return Drawn(
            f"abs({name} - {abs(number)})", lambda row: [abs(one - abs(number)) for one in told[row]]
        )
    if kind == 5:
        return Drawn(f"count({name})", lambda row: [len(told[row])])
    if kind == 6:
        other = draw(st.sampled_from(NUMBERS))
        more, which = rows.values(other), draw(st.sampled_from((min, max)))

        def extreme(row: int) -> list[Any]:
            both = told[row] + more[row]
            return [which(both)] if both else []

        return Drawn(f"{which.__name__}({name}, {other})", extreme)
    return Drawn(draw(st.sampled_from((name, name.upper()))), lambda row: told[row])


@st.composite
def _numbers(draw: Any, rows: SlowRows) -> Drawn:
    values = draw(_counted(rows))
    name = draw(st.sampled_from(NUMBERS))
    literal = _seen(rows, name, (0, 1, 16, 4059, 65_535, 1 << 70)) | st.integers(0, 300)
    return draw(
        _ordered(values, literal, lambda number: st.sampled_from((str(number), hex(number), f"{number}.0")))
    )


@st.composite
def _durations(draw: Any, rows: SlowRows) -> Drawn:
    name = draw(st.sampled_from(DURATIONS))
    told = rows.values(name)
    values = Drawn(name, lambda row: told[row])
    if draw(st.booleans()):
        values = Drawn(f"{name} * 2 + 3ms", lambda row: [one * 2 + 3_000_000 for one in told[row]])

    def spelt(time: int) -> st.SearchStrategy[str]:
        told = [
            f"{time}ns",
            f"{Decimal(time) / 1000:f}us",
            f"{Decimal(time) / SECOND:f}s",
            f"{Decimal(time) / SECOND:f}",
        ]
        return st.sampled_from(told)

    literal = _seen(rows, name, (0, 10**6, SECOND)).filter(lambda time: time >= 0)
    return draw(_ordered(values, literal, spelt))


@st.composite
def _instants(draw: Any, rows: SlowRows) -> Drawn:
    name = draw(st.sampled_from(INSTANTS))
    told = rows.values(name)

    def spelt(time: int) -> st.SearchStrategy[str]:
        second, rest = divmod(time, SECOND)
        from datetime import UTC, datetime, timedelta, timezone

        moment = datetime.fromtimestamp(second, UTC)
        ahead = moment.astimezone(timezone(timedelta(hours=2)))
        texts = [f'"{moment:%Y-%m-%d %H:%M:%S}.{rest:09d}Z"', f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}z"]
        texts += [f"{ahead:%Y-%m-%dT%H:%M:%S}.{rest:09d}+02:00", f"{second}.{rest:09d}"]
        texts += [f'"{moment.astimezone():%Y-%m-%d %H:%M:%S}.{rest:09d}"']
        return st.sampled_from(texts)

    return draw(
        _ordered(Drawn(name, lambda row: told[row]), _seen(rows, name, (1_760_000_000 * SECOND,)), spelt)
    )


@st.composite
def _words(draw: Any, rows: SlowRows) -> Drawn:
    name = draw(st.sampled_from(WORDS))
    told = rows.values(name)
    word = draw(_seen(rows, name, ()) if any(told) else st.just(None))
    if word is None:
        return draw(_existence(rows))
    how = draw(st.integers(0, 3))
    if how == 0:
        part = word[1:4]
        return Drawn(
            f'{name} contains "{part}"', compared(lambda row: told[row], "==", "", lambda one: part in one)
        )
    if how == 1:
        pattern = re.compile(re.escape(word[:3]), re.IGNORECASE)
        quoted = word[:3].upper().replace("(", r"\\(")
        return Drawn(
            f'{name} matches "^{quoted}"',
            compared(lambda row: told[row], "==", "", lambda one: pattern.match(one) is not None),
        )
    operator = draw(st.sampled_from(("==", "!=", "===", "!==")))
    spelt = draw(st.sampled_from((f'"{word}"', f'"{word.upper()}"')))
    if re.fullmatch(r"[A-Za-z][\w-]*( [\w-]+)*", word):
        spelt = draw(st.sampled_from((spelt, word.replace(" ", "-"), word.replace(" ", "_").lower())))
    return Drawn(
        f"{name} {operator} {spelt}",
        compared(lambda row: told[row], operator, "", lambda one: one.lower() == word.lower()),
    )


@st.composite
def _texts(draw: Any, rows: SlowRows) -> Drawn:
    name = draw(st.sampled_from(TEXTS))
    told = rows.values(name)
    text = draw(_seen(rows, name, ("a",)))
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    how = draw(st.integers(0, 4))
    if how == 0:
        start = draw(st.integers(0, max(len(text) - 1, 0)))
        part = text[start : start + 4]
        shown = part.replace("\\", "\\\\").replace('"', '\\"')
        return Drawn(
            f'{name} contains "{shown}"', compared(lambda row: told[row], "==", "", lambda one: part in one)
        )
    if how == 1:
        return Drawn(
            f'lower({name}) == "{quoted.lower()}"',
            compared(lambda row: told[row], "==", "", lambda one: one.lower() == text.lower()),
        )
    if how == 2:
        size = len(text)
        return Drawn(
            f"len({name}) <= {size}", compared(lambda row: told[row], "==", "", lambda one: len(one) <= size)
        )
    operator = draw(st.sampled_from(("==", "!=", "<", ">=", "===")))
    passes = ORDERS.get(operator, lambda left, right: left == right)
    return Drawn(
        f'{name} {operator} "{quoted}"',
        compared(lambda row: told[row], operator, "", lambda one: passes(one, text)),
    )


@st.composite
def _addresses(draw: Any, rows: SlowRows) -> Drawn:
    name = draw(st.sampled_from(ADDRESSES))
    told = rows.values(name)
    address = draw(_seen(rows, name, (ip_address("10.0.0.1"), ip_address("fe80::1"))))
    if draw(st.booleans()):
        prefix = draw(st.integers(0, address.max_prefixlen))
        network = ip_network(f"{address}/{prefix}", strict=False)
        operator = draw(st.sampled_from(("==", "!=")))
        return Drawn(
            f"{name} {operator} {address}/{prefix}",
            compared(lambda row: told[row], operator, "", lambda one: one in network),
        )
    operator = draw(st.sampled_from(("==", "!=", "<", ">=", ">", "<=", "===")))
    passes = ORDERS.get(operator, lambda left, right: left == right)

    def key(one: Any) -> tuple[int, int]:
        return one.version, int(one)

    return Drawn(
        f"{name} {operator} {address}",
        compared(lambda row: told[row], operator, "", lambda one: passes(key(one), key(address))),
    )


@st.composite
def _obis(draw: Any, rows: SlowRows) -> Drawn:
    told = rows.values("obis")
    groups = draw(_seen(rows, "obis", ("1.0.1.8.0.255",))).split(".")
    wild = draw(st.lists(st.booleans(), min_size=6, max_size=6))
    spelt = ["*" if hidden else group for group, hidden in zip(groups, wild, strict=True)]
    signs = "{}-{}:{}.{}.{}*{}".format(*spelt)
    operator = draw(st.sampled_from(("==", "!=")))

    def fits(one: str) -> bool:
        return all(want in ("*", have) for want, have in zip(spelt, one.split("."), strict=True))

    text = draw(st.sampled_from((".".join(spelt), signs)))
    return Drawn(f"obis {operator} {text}", compared(lambda row: told[row], operator, "", fits))


@st.composite
def _flags(draw: Any, rows: SlowRows) -> Drawn:
    name = draw(st.sampled_from(FLAGS))
    told = rows.values(name)
    if draw(st.booleans()):
        return Drawn(name, lambda row: any(told[row]))
    wanted = draw(st.booleans())
    text = draw(st.sampled_from((str(wanted).lower(), str(int(wanted)))))
    operator = draw(st.sampled_from(("==", "!=")))
    return Drawn(
        f"{name} {operator} {text}", compared(lambda row: told[row], operator, "", lambda one: one == wanted)
    )


@st.composite
def _ranks(draw: Any, rows: SlowRows) -> Drawn:
    told = rows.values("expert.severity")
    word = draw(st.sampled_from(RANKS))
    operator = draw(st.sampled_from(("==", "!=", *ORDERS)))
    passes = ORDERS.get(operator, lambda left, right: left == right)
    at = RANKS.index(word)
    return Drawn(
        f"expert.severity {operator} {word}",
        compared(lambda row: told[row], operator, "", lambda one: passes(RANKS.index(one), at)),
    )


@st.composite
def _octets(draw: Any, rows: SlowRows) -> Drawn:
    told = rows.values("wpdu.octets")
    octets = draw(_seen(rows, "wpdu.octets", (b"\0",)))
    start = draw(st.integers(0, max(len(octets) - 1, 0)))
    size = draw(st.integers(1, 4))
    part = octets[start : start + size]
    if draw(st.booleans()) and len(part) > 1:
        return Drawn(
            f"wpdu.octets contains {part.hex(':')}",
            compared(lambda row: told[row], "==", "", lambda one: part in one),
        )
    sliced = draw(st.sampled_from((f"[{start}:{size}]", f"[{start}-{start + size - 1}]")))
    operator = draw(st.sampled_from(("==", "!=", "<", ">=")))
    passes = ORDERS.get(operator, lambda left, right: left == right)
    values = [[one[start : start + size] for one in some if start + size <= len(one)] for some in told]
    spelt = draw(st.sampled_from((part.hex(":") if len(part) > 1 else f"0x{part.hex()}", f"0x{part.hex()}")))
    return Drawn(
        f"wpdu.octets{sliced} {operator} {spelt}",
        compared(lambda row: values[row], operator, "", lambda one: passes(one, part)),
    )


@st.composite
def _trees(draw: Any, rows: SlowRows) -> Drawn:
    how = draw(st.integers(0, 4))
    if how == 0:
        name = draw(st.sampled_from(("clock-status", "mechanism-name", "tag", "day-of-week", "nothing")))
        told = rows.path(f"tree.{name}")
        return Drawn(f'field == "{name}"', lambda row: bool(told[row]))
    path = draw(st.sampled_from(PATHS))
    told = rows.path(path)
    if how == 1:
        return Drawn(path, lambda row: bool(told[row]))
    number = draw(st.integers(0, 70))
    if how == 2:
        operator = draw(st.sampled_from(("==", "!=", *ORDERS)))
        passes = ORDERS.get(operator, lambda left, right: left == right)

        def number_passes(one: Field) -> bool:
            if isinstance(one.value, bytes):
                return number < 256 and passes(one.value, bytes((number,)))
            return isinstance(one.value, int) and passes(one.value, number)

        return Drawn(
            f"{path} {operator} {number}", compared(lambda row: told[row], operator, "", number_passes)
        )
    part = draw(st.sampled_from(("a", "1", "ow", "accepted")))

    def has(one: Field) -> bool:
        inside = isinstance(one.value, bytes) and part.encode() in one.value
        shown = one.text or (
            ""
            if one.value is None
            else one.value.decode("latin-1")
            if isinstance(one.value, bytes)
            else str(one.value)
        )
        return inside or part in shown

    return Drawn(f'{path} contains "{part}"', compared(lambda row: told[row], "==", "", has))


@st.composite
def _two_fields(draw: Any, rows: SlowRows) -> Drawn:
    group = draw(st.sampled_from((NUMBERS, DURATIONS, INSTANTS, WORDS, ADDRESSES)))
    left, right = draw(st.sampled_from(group)), draw(st.sampled_from(group))
    one, other = rows.values(left), rows.values(right)
    operators = ("==", "!=", "===", "!==") if group is WORDS else ("==", "!=", "===", "!==", *ORDERS)
    operator = draw(st.sampled_from(operators))
    quantifier = draw(st.sampled_from(("", "any ", "all ")))

    def key(value: Any) -> Any:
        if isinstance(value, str):
            return value.lower()
        return (value.version, int(value)) if group is ADDRESSES else value

    passes = ORDERS.get(operator, lambda mine, its: mine == its)
    pairs = lambda row: [(key(mine), key(its)) for mine in one[row] for its in other[row]]  # noqa: E731
    return Drawn(
        f"{quantifier}{left} {operator} {right}",
        compared(pairs, operator, quantifier.strip(), lambda pair: passes(*pair)),
    )


@st.composite
def _existence(draw: Any, rows: SlowRows) -> Drawn:
    name = draw(st.sampled_from((*NUMBERS, *DURATIONS, *WORDS, *TEXTS, "obis", "expert.severity", "unit")))
    told = rows.values(name)
    return Drawn(name, lambda row: bool(told[row]))


@st.composite
def _quantities(draw: Any, rows: SlowRows) -> Drawn:
    told = rows.values("value")
    value = draw(_seen(rows, "value", (0, 230.5)))
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return Drawn(
            f'value == "{quoted}"', compared(lambda row: told[row], "==", "", lambda one: one == value)
        )
    operator = draw(st.sampled_from(("==", "!=", *ORDERS)))
    passes = ORDERS.get(operator, lambda left, right: left == right)
    shown = f"{Decimal(repr(value)):f}" if value >= 0 else "0"
    value = value if value >= 0 else 0
    return Drawn(
        f"value {operator} {shown}",
        compared(
            lambda row: told[row], operator, "", lambda one: not isinstance(one, str) and passes(one, value)
        ),
    )


@st.composite
def _bits(draw: Any, rows: SlowRows) -> Drawn:
    name, bits = draw(st.sampled_from(("tcp.flags", "wport", "wpdu.length"))), draw(st.integers(0, 300))
    told = rows.values(name)
    return Drawn(f"{name} & {bits}", lambda row: any(one & bits for one in told[row]))
