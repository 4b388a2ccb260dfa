"""Rows of fields: values and octets as text, and the ways from an octet and from a place to its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex

from cosemscope.apdu.fields import ByteSource, Decoded, Field, Problem
from cosemscope.gui.panes.details.field_model import FieldModel, machine_text, octets_text, value_text

ROOT = QModelIndex()

#: Ten octets: a header of four, within it two numbers, then a list of three pairs.
PAIRS = tuple(Field(f"[{n}]", n, 4 + 2 * n, 6 + 2 * n) for n in range(3))
TREE = Field(
    "WPDU",
    None,
    0,
    10,
    (
        Field("header", None, 0, 4, (Field("a", 1, 0, 2), Field("b", 2, 2, 4))),
        Field("list", None, 4, 10, PAIRS),
    ),
)
TROUBLE = Problem(6, 8, "Not so", severity="error")


@pytest.fixture
def model(qapp) -> FieldModel:
    model = FieldModel()
    model.show(Decoded(TREE, (TROUBLE,), (ByteSource("WPDU", bytes(range(10))),)))
    return model


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field("a", 7, 0, 1), "7"),
        (Field("a", 7, 0, 1, text="seven"), "seven (7)"),
        (Field("a", 7, 0, 1, text="7 Wh"), "7 Wh"),
        (Field("tag", 196, 0, 1, text="get-response"), "get-response (0xC4)"),
        (Field("tag", 196, 0, 1), "0xC4"),
        (Field("a", True, 0, 1, text="yes"), "yes"),
        (Field("a", b"\x01\xff", 0, 2), "01 ff"),
        (Field("a", None, 0, 2), ""),
    ],
)
def test_values_as_text(field, text):
    """A number stands behind its meaning, unless the meaning already has it."""
    assert value_text(field) == text


def test_octet_ranges_as_text():
    """One octet, several, none."""
    assert [octets_text(Field("a", 0, *span)) for span in ((8, 9), (8, 12), (8, 8))] == ["8", "8–11", ""]


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), (b"\x01\xff", "01ff"), (None, ""), ([1, 2], "1, 2"), (True, "True"), ("words", "words")],
)
def test_values_for_machines(value, text):
    """Numbers in decimal, octets in hex, nothing that only people read."""
    assert machine_text(Field("a", value, 0, 1, text="in words")) == text


@given(octet=st.integers(0, 9))
def test_every_octet_belongs_to_its_innermost_field(qapp, octet):
    """Against a walk over all fields: the one with the shortest span that holds the octet."""
    model = FieldModel()
    model.show(Decoded(TREE, (), (ByteSource("WPDU", bytes(10)),)))
    item = model.item(model.innermost(0, octet))
    wanted = [*TREE.children[0].children, *PAIRS]
    assert item == next(field for field in wanted if field.start <= octet < field.stop)


@pytest.mark.parametrize(("source", "offset"), [(0, 10), (1, 0), (0, -1)])
def test_octets_of_nobody_have_no_field(model, source, offset):
    """Behind the end, and in another byte source."""
    assert not model.innermost(source, offset).isValid()


def test_a_place_is_found_again_in_another_tree(model):
    """The same WPDU decoded with other keys has other objects, and the selected field stays selected."""
    place = model.place(model.innermost(0, 7))
    assert [name for name, _ in place] == ["list", "[1]"]
    model.show(Decoded(TREE, (TROUBLE,), (ByteSource("WPDU", bytes(10)),)))
    assert model.item(model.find_place(place)).name == "[1]"
    assert not model.find_place((*place, ("deeper", 0))).isValid()
    assert not model.find_place(()).isValid()


def test_problems_come_first(model):
    """What is wrong is above the fields, which the root only wraps."""
    rows = [model.item(model.index(row, 0, ROOT)) for row in range(model.rowCount(ROOT))]
    assert rows == [TROUBLE, *TREE.children]
    assert model.octets(TROUBLE) == b"\x06\x07"
