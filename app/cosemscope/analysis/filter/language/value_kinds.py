"""The kinds of values that a filter compares: which types of fields they are, and what fits each of them."""

from enum import Enum

from cosemscope.analysis.fields import value_types as types
from cosemscope.analysis.fields.row_field import RowField


class FilterKind(Enum):
    """A kind of values; its own value says what it is compared with."""

    NUMBER = "a number, such as 16 or 0x10"
    QUANTITY = "a number, such as 230 or 230.5, or text in quotes"
    DURATION = "a duration, such as 500ms, 1.5s or 2min"
    INSTANT = 'a time, such as "2026-11-02 08:00" (local), 2026-11-02T08:00:00Z or 2026-11-02'
    WORD = "a word, such as "
    RANK = "a word of an order, such as "
    TEXT = 'text in quotes, such as "CSP"'
    TITLE = 'a system title, such as 4353500000000001 or "CSP 4353500000000001"'
    OBIS = "an OBIS code, such as 1.0.1.8.0.255, 1-0:1.8.0*255 or 1.0.*.8.0.255"
    ADDRESS = "an IP address, such as 10.1.0.7, 10.1.0.0/16 or fe80::1"
    ENDPOINT = "an IP address or an address with a port, such as 10.1.0.7:4059"
    OCTETS = 'octets, such as c0:01, c001, 0xc0 or "text"'
    FLAG = "true or false"
    TREE = "a number, a word, text in quotes, octets or an OBIS code"
    CONDITION = "a condition"


#: The kind of each type, the first that a field's type is an instance of.
_KINDS: tuple[tuple[type[types.ValueType], FilterKind], ...] = (
    (types.Rank, FilterKind.RANK),
    (types.Word, FilterKind.WORD),
    (types.Term, FilterKind.WORD),
    (types.SystemTitle, FilterKind.TITLE),
    (types.Text, FilterKind.TEXT),
    (types.Quantity, FilterKind.QUANTITY),
    (types.Octets, FilterKind.OCTETS),
    (types.Instant, FilterKind.INSTANT),
    (types.Duration, FilterKind.DURATION),
    (types.Obis, FilterKind.OBIS),
    (types.Flag, FilterKind.FLAG),
    (types.Integer, FilterKind.NUMBER),
)

#: Kinds that are counted with, that are in an order, and in which one can look for a part.
NUMERIC = frozenset((FilterKind.NUMBER, FilterKind.QUANTITY, FilterKind.DURATION, FilterKind.INSTANT))
ORDERED = NUMERIC | {
    FilterKind.RANK,
    FilterKind.TEXT,
    FilterKind.OBIS,
    FilterKind.ADDRESS,
    FilterKind.ENDPOINT,
    FilterKind.OCTETS,
    FilterKind.TREE,
}
SEARCHED = frozenset(
    (
        FilterKind.TEXT,
        FilterKind.WORD,
        FilterKind.RANK,
        FilterKind.TITLE,
        FilterKind.OCTETS,
        FilterKind.QUANTITY,
        FilterKind.TREE,
    )
)


def kind_of(field: RowField) -> FilterKind:
    """The kind of a field's values."""
    if isinstance(field.type, types.Address):
        return FilterKind.ENDPOINT if field.type.has_port else FilterKind.ADDRESS
    return next(kind for type_, kind in _KINDS if isinstance(field.type, type_))
