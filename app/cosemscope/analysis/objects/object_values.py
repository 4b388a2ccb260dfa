"""Values of attributes as the object view keeps and shows them: small ones kept, large ones read again.

A number is kept as it was sent, since its scaler may be told anywhere in the capture;
texts, times and codes are kept in words. Of what has elements the words are kept, and its
tree is decoded again from the capture when somebody looks.
"""

import re
from decimal import Decimal
from typing import NamedTuple

from cosemscope.analysis.associations.told_values import ToldValue, by_text, in_words
from cosemscope.analysis.objects.told_data import ToldData
from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.scaled_fields import tag_of, told_number
from cosemscope.apdu.data.shapes import shape_of
from cosemscope.apdu.data.types import FIXED
from cosemscope.apdu.names.blue_book import unit
from cosemscope.apdu.summary import hidden, is_secret

#: Scalers beyond are no scalers of a meter.
_MOST_SCALED = 40
_MOST_WORDS = 200
#: How octets were understood, which trees say of what the class does not tell.
_READ_AS = re.compile(r" \(read as [a-z-]+(?: [a-z-]+)*\)$")
ScalerUnit = tuple[int, int]


class KeptValue(NamedTuple):
    """A value as it is kept: a number as it was sent, or what it says in words with its unit."""

    number: int | float | None = None
    told: ToldValue = ToldValue()
    scaler_unit: ScalerUnit | None = None

    def scaled(self, scaler_unit: ScalerUnit | None) -> ToldValue:
        """The value and its unit; `scaler_unit` is what the meter said of it elsewhere."""
        beside = self.scaler_unit or scaler_unit
        if self.number is None:
            return self.told
        if beside is None:
            return self.told if self.told.value is not None else ToldValue(self.number)
        scaler, code = beside
        if abs(scaler) > _MOST_SCALED:
            return ToldValue(self.number, unit(code) or None)
        return ToldValue(Decimal(repr(self.number)).scaleb(scaler), unit(code) or None)


def kept_number(reference: Reference, data: bytes) -> KeptValue | None:
    """What is kept of Data that are a number without words of its own, and no secret; None of any other."""
    size, convert = FIXED.get(data[0], (0, None)) if data else (0, None)
    if convert is None or len(data) != 1 + size or shape_of(reference) is not None or is_secret(reference):
        return None
    value, _ = convert(data[1:])
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return KeptValue(told_number(data[0], value)) if is_number else None


def kept(one: ToldData) -> KeptValue | None:
    """What is kept of an item; None of a refused one. Secrets are not."""
    field = one.field
    if field is None:
        return None
    if is_secret(one.reference):
        return KeptValue(told=ToldValue(hidden(field)))
    value = field.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        told, number = by_text(field), told_number(tag_of(field), value)
        return KeptValue(number, told if told != ToldValue(number) else ToldValue(), one.scaler_unit)
    words = _READ_AS.sub("", in_words(field))
    return KeptValue(told=ToldValue(words if len(words) <= _MOST_WORDS else words[: _MOST_WORDS - 1] + "…"))
