"""Codes of fields say what the field's JSON says of every row, in the order of the values."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.counting.field_codes import FieldCodes, coded_field, coded_parts, kept_parts
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource


@pytest.fixture(scope="module")
def passed() -> Iterator[tuple[Analysis, PassedRows]]:
    """A sample after all passes."""
    with open_capture(Path(str(resource("samples/first-look.pcapng")))) as reader:
        analysis = Analysis(reader).run()
        associations = Associations(analysis)
        find_items(associations)
        yield analysis, PassedRows(associations)


def told(codes: FieldCodes, field: Any, rows: np.ndarray[Any, Any]) -> list[set[str]]:
    """The JSON of each row's values as the codes say."""
    place, own = codes.entries(rows)
    sets: list[set[str]] = [set() for _ in rows]
    owners = range(len(rows)) if place is None else place.tolist()
    for owner, value in zip(owners, codes.jsons(field.type, own), strict=True):
        sets[owner].add(repr(value))
    return sets


@pytest.mark.parametrize("name", FIELDS)
def test_codes_say_what_the_field_says(passed: tuple[Analysis, PassedRows], name: str) -> None:
    """All rows at once, some of them in any order, and in parts; several values of a row are all there."""
    analysis, looker = passed
    field = FIELDS[name]
    rows = np.arange(len(analysis.wpdus))
    asked = AskedRows(analysis, rows, looker if field.cost is Cost.TREE else None)
    values = field.jsons(asked)
    wanted = [
        {repr(one) for one in value} or {repr(field.type.nothing)} if field.several else {repr(value)}
        for value in values
    ]
    codes = coded_field(field, asked)
    assert told(codes, field, rows) == wanted
    some = rows[::-3]
    assert told(codes, field, some) == [wanted[row] for row in some.tolist()]
    asked_parts = (AskedRows(analysis, rows[at : at + 50], looker) for at in range(0, len(rows), 50))
    parts = coded_parts(field.type, map(field.values, asked_parts))
    if field.cost is Cost.TREE:  # others may tell more to who looks
        assert told(parts, field, rows) == wanted
    asked_parts = (AskedRows(analysis, rows[at : at + 50], looker) for at in range(0, len(rows), 50))
    kept = kept_parts(map(field.values, asked_parts)).as_values(field.type, some)
    if field.cost is Cost.TREE:
        assert field.type.jsons(kept) == [values[row] for row in some.tolist()]
    again = field.type.jsons(codes.as_values(field.type, some))
    if field.several:  # each once, in the order of the values
        again, wanted_again = ([set(map(repr, one)) for one in lists] for lists in (again, values[::-3]))
        assert again == wanted_again
    else:
        assert again == values[::-3]
    places = field.type.order(codes.values)
    assert places.tolist() == sorted(places.tolist())
    texts = codes.jsons(field.type, np.arange(codes.width))[:-1]
    assert len({repr(text) for text in texts}) == len(texts)


def test_no_rows_have_no_codes(passed: tuple[Analysis, PassedRows]) -> None:
    """Also where rows would have come in parts."""
    assert len(coded_parts(FIELDS["info"].type, ()).codes) == 0
    assert len(coded_field(FIELDS["wport"], AskedRows(passed[0], np.arange(0))).codes) == 0
