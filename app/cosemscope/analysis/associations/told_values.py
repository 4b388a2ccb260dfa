"""The values that answers and SET requests tell of objects: numbers with scalers applied, words, units.

Of a list it is that of the first item, whose object is shown beside it. A block tells none before the last.
"""

import re
from decimal import Decimal
from typing import NamedTuple

from cosemscope.apdu.context import Context
from cosemscope.apdu.data.scaled_fields import tag_of, told_number
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded, Field, find, first, walk
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.blue_book import unit
from cosemscope.apdu.names.texts import quantity_text
from cosemscope.apdu.summary import hidden, is_secret

#: APDUs with a value, and the name of the value's field in their trees.
_NAMES = {t.GET_RESPONSE: "data", t.SET_REQUEST: "value", t.READ_RESPONSE: "data"}
#: The field of what methods take and return.
_PARAMETER = "data"
#: Lists of results and values in their trees; what stands before the values in a request.
_LISTS = frozenset(("result", "result-list", "value-list", "list"))
_BEFORE = frozenset(("attribute-descriptor", "attribute-descriptor-list", "access-selection"))
#: A number with its unit, perhaps in thousands, as texts of fields have it.
_SCALED = re.compile(r"(-?\d+(?:\.\d+)?) (k?)([A-Za-z°%³²/·Ωµ]+)")
#: Scalers beyond are no scalers of a meter.
_MOST_SCALED = 40


class ToldValue(NamedTuple):
    """A value and its unit; None for either that is not there."""

    value: Decimal | float | str | None = None
    unit: str | None = None

    @property
    def text(self) -> str | None:
        """Both for people, spelt as info lines do: "4978.644 kWh", "236.0 V"."""
        if self.value is None or isinstance(self.value, str):
            return self.value
        number = self.value if isinstance(self.value, Decimal) else Decimal(repr(self.value))
        return quantity_text(number, self.unit or "")


def told_value(context: Context, apdu: bytes) -> ToldValue:
    """What the innermost APDU of a row says of its object."""
    # What a long array is told as needs no more of it than a brief tree has.
    field = value_field(context.for_brief_tree(), apdu) if apdu and apdu[0] in _NAMES else None
    if field is None:
        return ToldValue()
    request = context.request
    references = request.references if request is not None else ()
    if references and is_secret(references[0]):
        return ToldValue(hidden(field))
    known = context.scaler_unit
    scaled = known(references[0]) if known is not None and references else None
    if isinstance(field.value, bool) or not isinstance(field.value, int | float):
        return ToldValue(in_words(field))
    if scaled is None:
        return by_text(field)
    return scaled_value(told_number(tag_of(field), field.value), scaled)


def scaled_value(number: int | float, scaler_unit: tuple[int, int]) -> ToldValue:
    """A number as it was sent with its scaler and its unit."""
    scaler, code = scaler_unit
    if abs(scaler) > _MOST_SCALED:
        return ToldValue(number, unit(code))
    return ToldValue(Decimal(repr(number)).scaleb(scaler), unit(code))


def value_field(context: Context, apdu: bytes) -> Field | None:
    """The field of the value in the innermost APDU of a row, or of a method's parameter; None for none."""
    name = _NAMES.get(apdu[0], _PARAMETER) if apdu else None
    return None if name is None else _data(decode_apdu(apdu, context), name)


def _data(decoded: Decoded, name: str) -> Field | None:
    """The field of the value, of a list that of the first item; that of blocks stands in the joined body."""
    root = decoded.root
    joined = next((field for field in walk(root) if field.source), None) if len(decoded.sources) > 1 else None
    if joined is not None:
        return _first_item(joined) if _is_list(joined) else joined
    for part in root.children:
        for field in walk(part) if part.name not in _BEFORE else ():
            if _is_list(field):
                return _first_item(field)
            if field.name == name and not (field.value and not field.children and part.name == "datablock"):
                return field
    return None


def _is_list(field: Field) -> bool:
    return field.name in _LISTS and bool(field.children) and field.children[0].name == "count"


def _first_item(listed: Field) -> Field | None:
    """The value of a list's first item; None where that is an error."""
    item = first(listed, "[1]")
    return item if item is None or find(item, "choice") is None else find(item, "data")


def by_text(field: Field) -> ToldValue:
    """A number as its text has it: scaled by what stands beside it, a code's name, or as it is."""
    number = _SCALED.fullmatch(field.text)
    if number is not None:
        return ToldValue(Decimal(number[1]).scaleb(3 if number[2] else 0), number[3])
    named = field.text and field.text != str(field.value) and isinstance(field.value, int)
    return ToldValue(field.text if named else told_number(tag_of(field), field.value))


def in_words(field: Field) -> str:
    """Text and times as they are, without the quotes; anything else in words."""
    text = field.text or str(field.value)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
