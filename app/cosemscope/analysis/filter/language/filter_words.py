"""The words that a field can be compared with, and the numbers that they stand for."""

import re
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.fields.value_types import Term, Word
from cosemscope.analysis.filter.language.folding import folded
from cosemscope.apdu.names.blue_book import class_name, class_numbers
from cosemscope.apdu.names.tags import APDU_TAGS

#: Fields of numbers that have names besides: the name of each number.
_NAMES_OF_NUMBERS = {
    "class": lambda: {number: class_name(number) for number in class_numbers()},
    "exchange.class": lambda: {number: class_name(number) for number in class_numbers()},
    "apdu.tag": lambda: dict(APDU_TAGS),
}
#: FieldWords that an error gives as examples, and those that begin an unnamed code.
_EXAMPLES, _UNNAMED = 4, "code-"
#: Words that are named as near to one, at most.
_NEAREST = 3
_PLAIN = re.compile(r"[A-Za-z_]\w*(?:[.-]\w+)*")


class FieldWords(NamedTuple):
    """Words as they are shown, by what they are folded to, and the numbers that they stand for, if any."""

    shown: dict[str, str]
    standing_for: dict[str, tuple[int, ...]]

    def known(self, word: str) -> bool:
        """Whether it is one of the words, or a number's that has no name."""
        key = folded(word)
        return key in self.shown or (not self.standing_for and key.startswith(_UNNAMED))

    def numbers(self, word: str) -> tuple[int, ...] | None:
        """The numbers that a word stands for; None where it stands for none."""
        return self.standing_for.get(folded(word))

    def near(self, word: str) -> list[str]:
        """The words nearest to one that there is not: those that look like it, or that it is a part of."""
        wanted = folded(word)
        parts = [key for key in self.shown if wanted and wanted in key]
        parts.sort(key=lambda key: key.find(wanted))
        found = get_close_matches(wanted, self.shown, _NEAREST, 0.6) or parts[:_NEAREST]
        return [quoted(self.shown[key]) for key in found]

    def examples(self) -> str:
        """Some of the words."""
        return ", ".join(map(quoted, islice(self.shown.values(), _EXAMPLES)))


def quoted(word: str) -> str:
    """A word as it is written in a filter: as it is, with hyphens for blanks, or in quotes."""
    plain = "-".join(word.split())
    return plain if _PLAIN.fullmatch(plain) else f'"{word}"'


def words_of(field: RowField) -> FieldWords | None:
    """The words of a field; None where it has none, or nobody can list them."""
    if field.name.startswith("expert."):
        import cosemscope.analysis.expert.run  # noqa: F401 -- registers every kind of items
    if isinstance(field.type, Term):
        words = field.type.words
        return None if words is None else FieldWords({folded(word): word for word in words}, {})
    return _numbered(field)


@lru_cache(256)
def _numbered(field: RowField) -> FieldWords | None:
    names: dict[int, str] = {}
    if isinstance(field.type, Word) and field.type.numbers is not None:
        names = {
            number: field.type.text(number) for number in field.type.numbers if number != field.type.none
        }
    elif field.name in _NAMES_OF_NUMBERS:
        names = _NAMES_OF_NUMBERS[field.name]()
    if not names:
        return None
    shown: dict[str, str] = {}
    numbers: dict[str, tuple[int, ...]] = {}
    for number, name in names.items():
        key = folded(name)
        shown.setdefault(key, name)
        numbers[key] = (*numbers.get(key, ()), number)
    return FieldWords(shown, numbers)
