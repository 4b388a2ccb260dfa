"""The registry: names are unique and documented, those that no field has are answered with the nearest."""

import re

import pytest

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import UnknownFieldError
from cosemscope.analysis.fields.value_types import Flag


def test_every_field_is_documented() -> None:
    """A name in the words of the field, a title that fits above a column, a meaning without a stop."""
    assert len(FIELDS) >= 90
    for name, field in FIELDS.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", name)
        assert 0 < len(field.title) <= 18, name
        assert len(field.meaning) > 5, name
        assert re.search(r"([^.]|\.\.\.)$", field.meaning), name
        assert not field.meaning[0].islower() or field.meaning.startswith("wPort"), name


def test_titles_are_unique() -> None:
    """Two columns of a table can be told from each other."""
    titles = [field.title for field in FIELDS.values()]
    assert {title for title in titles if titles.count(title) > 1} == set()


@pytest.mark.parametrize("name", ["obis", "OBIS", " Frame.Number "])
def test_names_in_any_case(name: str) -> None:
    """As people type them."""
    assert FIELDS.named(name).name == name.strip().lower()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("obsi", "obis"),
        ("tcp.sport", "tcp.srcport"),
        ("wpdu.lenght", "wpdu.length"),
        ("number", "frame.number"),
    ],
)
def test_the_nearest_names_are_offered(name: str, nearest: str) -> None:
    """A slip of the finger costs a glance."""
    with pytest.raises(UnknownFieldError, match=f"no field “{name}”, but .*{nearest}"):
        FIELDS.named(name)


def test_a_name_that_is_like_none() -> None:
    """Where they are listed is said."""
    with pytest.raises(UnknownFieldError, match="cosemscope fields"):
        FIELDS.named("qqqq")


def test_a_name_is_declared_once() -> None:
    """The second one is told."""
    with pytest.raises(ValueError, match="declared twice"):
        FIELDS.declared("obis", Flag(), "Title", "Meaning")(lambda asked: asked.numbers > 0)
