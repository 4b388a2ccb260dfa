"""The cursor: what each read makes, what it raises where the octets do not suffice, what is undone."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.context import NO_CONTEXT, Context
from cosemscope.apdu.cursor import Break, Cursor, Session
from cosemscope.apdu.fields import ByteSource, Field
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_checks import tree


def cursor(octets: str | bytes, context: Context = NO_CONTEXT) -> Cursor:
    data = bytes.fromhex(octets) if isinstance(octets, str) else octets
    return Cursor(data, Session(context, [ByteSource("APDU", data)], lambda c: c.leaf("APDU", 1)))


def shown(c: Cursor) -> list[str]:
    return [tree(field) for field in c.children]


# Leaves.


def test_leaves() -> None:
    """Octets, numbers and codes, one after the other, each with its value and its text."""
    c = cursor("01 0203 04 05060708 09")
    assert c.leaf("one", 1) == b"\x01"
    assert c.leaf("two", 2, 7, "seven") == b"\x02\x03"
    assert c.u8("three", {4: "four"}) == 4
    assert c.uint("four", 4, "words") == 0x05060708
    assert c.u8("five") == 9
    assert shown(c) == [
        "0-1 one 01",
        "1-3 two 7 (seven)",
        "3-4 three 4 (four)",
        "4-8 four 84281096 (words)",
        "8-9 five 9",
    ]


@pytest.mark.parametrize(
    ("octets", "read", "message"),
    [
        ("", lambda c: c.u8("x"), "expected 1 octet of x at offset 0, the octets end"),
        ("0102", lambda c: c.uint("x", 4), "expected 4 octets of x at offset 0, only 2 remain"),
        ("01", lambda c: c.leaf("x", 2), "expected 2 octets of x at offset 0, only 1 remains"),
        ("", lambda c: c.count(), "expected 1 octet of count at offset 0, the octets end"),
        ("8201", lambda c: c.count(), "expected 3 octets of count at offset 0, only 2 remain"),
    ],
)
def test_octets_that_are_not_there(octets: str, read: Callable[[Cursor], object], message: str) -> None:
    """The break says what was expected where, and what remains; nothing was read."""
    c = cursor(octets)
    with pytest.raises(Break) as raised:
        read(c)
    assert raised.value.message == message
    assert (raised.value.start, raised.value.stop) == (0, len(octets) // 2)
    assert (c.position, c.children) == (0, [])


def test_codes_that_are_not_defined() -> None:
    """Read all the same, with a warning at the octet."""
    c = cursor("0105")
    assert (c.code("x", {1: "one"}), c.code("y", {1: "one"}, "the thing")) == (1, 5)
    [problem] = c.session.problems
    assert (problem.severity, problem.start, problem.stop) == ("warning", 1, 2)
    assert problem.message == "the thing at offset 1: 5 is not defined"


@pytest.mark.parametrize(
    ("octets", "value"),
    [("00", 0), ("7f", 127), ("8180", 128), ("820100", 256), ("83010000", 65536), ("84ffffffff", 2**32 - 1)],
)
def test_counts(octets: str, value: int) -> None:
    """Short and long form; the field has all its octets."""
    c = cursor(octets)
    assert c.count() == value
    assert shown(c) == [f"0-{len(octets) // 2} count {value}"]


@pytest.mark.parametrize("octet", [0x80, 0x85, 0xFF])
def test_counts_that_are_none(octet: int) -> None:
    """Indefinite, and of more than four octets."""
    c = cursor(bytes((octet,)) + bytes(9))
    with pytest.raises(Break) as raised:
        c.count("length")
    assert raised.value.message == (
        f"expected a length (00 to 7F, or 81 to 84 and that many octets) at offset 0, found 0x{octet:02X}"
    )
    assert (raised.value.start, raised.value.stop) == (0, 1)


@given(st.integers(0, 300), st.integers(0, 300))
def test_lengths_are_held_against_what_is_there(size: int, there: int) -> None:
    """A length of up to what remains is one; more is told."""
    c = cursor(encode.length(size) + bytes(there))
    if size <= there:
        assert c.length() == size
        return
    with pytest.raises(Break) as raised:
        c.length()
    assert raised.value.message == f"length at offset 0 says {size} octets, {there} remain"
    assert (raised.value.start, raised.value.stop) == (0, len(c.data))


def test_octet_strings() -> None:
    """Length and value below one field; its text is given, made of the octets, or the octets."""
    c = cursor("020102 0103 00 0104")
    assert (c.octets("a"), c.octets("b", "words"), c.octets("c")) == (b"\1\2", b"\3", b"")
    assert c.octets("d", lambda octets: f"<{octets.hex()}>") == b"\4"
    assert shown(c) == [
        "0-3 a (0102)\n  0-1 length 2\n  1-3 value 0102",
        "3-5 b (words)\n  3-4 length 1\n  4-5 value 03 (words)",
        "5-6 c (empty)\n  5-6 length 0\n  6-6 value",
        "6-8 d (<04>)\n  6-7 length 1\n  7-8 value 04 (<04>)",
    ]


@pytest.mark.parametrize(("count", "there", "possible"), [(3, 5, 3), (5, 3, 3), (4, 4, 4), (2**32, 0, 0)])
def test_as_many_elements_as_there_may_be(count: int, there: int, possible: int) -> None:
    """Each takes an octet at least."""
    assert cursor(bytes(there)).possible(count) == possible


# Fields with children, and breaks in them.


def test_open_and_close() -> None:
    """Fields in fields, with value and text of their own."""
    c = cursor("0102")
    c.open("outer")
    c.u8("x")
    c.open("inner")
    c.u8("y")
    c.close(7)
    c.close(None, "words")
    assert shown(c) == ["0-2 outer (words)\n  0-1 x 1\n  1-2 inner\n    1-2 y 2"]
    assert c.children[0].children[1].value == 7


def test_a_break_ends_what_is_open_within() -> None:
    """Inner fields are incomplete, the rest up to the stop is undecoded, reading goes on behind it."""
    c = cursor("01 02 03 04 05")
    c.clause = "outer clause"

    def read(inner: Cursor) -> None:
        inner.clause = "inner clause"
        inner.open("deep")
        inner.u8("x")
        inner.uint("y", 4)

    assert not c.enclosed("part", 4, read)
    assert shown(c) == ["0-4 part (incomplete)\n  0-1 deep (incomplete)\n    0-1 x 1\n  1-4 undecoded 020304"]
    [problem] = c.session.problems
    assert (problem.message, problem.clause) == (
        "expected 4 octets of y at offset 1, only 3 remain",
        "inner clause",
    )
    assert (c.position, c.end, c.clause) == (4, 5, "outer clause")
    assert c.u8("next") == 5


@pytest.mark.parametrize(("octets", "words"), [("0102", "1 octet more"), ("010203", "2 octets more")])
def test_octets_that_are_left_over(octets: str, words: str) -> None:
    """A problem of the part that is named, and a field of theirs; value and text stay."""
    c = cursor(octets)
    assert not c.enclosed("part", len(c.data), lambda inner: (inner.u8("x"), "text"), what="whole")
    assert c.session.problems[0].message == f"expected the end of the whole, found {words}"
    assert (c.session.problems[0].start, c.session.problems[0].stop) == (1, len(c.data))
    assert (c.children[0].value, c.children[0].text) == (1, "text")
    assert c.enclosed("none", c.end, lambda inner: None)


def test_attempts_that_fail_leave_nothing_behind() -> None:
    """Position, fields, problems, sources and what is shared are as before."""
    c = cursor("010203", Context(joined=b"joined"))
    c.u8("x")
    session = c.session
    session.title = b"before"

    def spoil(inner: Cursor) -> None:
        inner.u8("y")
        inner.open("z")
        inner.warn(0, 1, "odd")
        session.sources.append(ByteSource("other", b""))
        session.title, session.joined = b"after", None
        session.expansion -= 5
        session.references = ()
        inner.clause = "clause"
        inner.uint("w", 4)

    expansion = session.expansion
    assert not c.attempt(spoil, 3)
    assert (c.position, c.end, c.clause, c.stack) == (1, 3, "", [])
    assert shown(c) == ["0-1 x 1"]
    assert (session.problems, len(session.sources)) == ([], 1)
    assert (session.title, session.joined, session.expansion) == (b"before", b"joined", expansion)


@pytest.mark.parametrize(
    ("severity", "tolerant", "well"),
    [
        ("", False, True),
        ("note", False, False),
        ("warning", False, False),
        ("note", True, True),
        ("warning", True, True),
        ("error", True, False),
    ],
)
def test_what_an_attempt_puts_up_with(severity: str, tolerant: bool, well: bool) -> None:
    """Nothing odd; if it is tolerant, no error; earlier problems do not count."""
    c = cursor("0102")
    c.problem(0, 1, "before")

    def read(inner: Cursor) -> None:
        inner.leaf("x", 2)
        if severity:
            inner.problem(0, 2, "odd", "", severity)

    if not tolerant:
        assert cursor("0102").attempt(read, 2) == well
    assert c.attempt(read, 2, tolerant=tolerant) == well
    assert len(c.session.problems) == 1 + (well and bool(severity))
    assert len(c.children) == well


def test_an_attempt_has_to_read_to_its_stop() -> None:
    """Neither less nor more, and the end is as before."""
    for stop, well in ((1, False), (2, True), (3, False)):
        c = cursor("010203")
        assert c.attempt(lambda inner: inner.leaf("x", 2), stop) == well
        assert (c.end, c.position) == (3, 2 if well else 0)


def test_an_apdu_inside() -> None:
    """It counts as one layer while it is read."""
    layers = []

    def read(c: Cursor) -> None:
        layers.append(c.session.layers)
        c.leaf("APDU", 1)

    data = b"\x01\x02"
    c = Cursor(data, Session(NO_CONTEXT, [ByteSource("APDU", data)], read))
    assert c.nested_apdu() == Field("APDU", b"\x01", 0, 1)
    assert (layers, c.session.layers) == ([1], 0)


# Problems.


def test_problems_have_source_clause_and_severity() -> None:
    """The clause that is being read, unless another is given."""
    c = cursor("0102")
    c.clause, c.source = "this clause", 0
    c.problem(0, 1, "a")
    c.problem(1, 2, "b", "other clause", "note")
    c.warn(0, 2, "c")
    assert [(one.message, one.clause, one.severity, one.start, one.stop) for one in c.session.problems] == [
        ("a", "this clause", "error", 0, 1),
        ("b", "other clause", "note", 1, 2),
        ("c", "this clause", "warning", 0, 2),
    ]


def test_what_was_not_expected() -> None:
    """The octet just read, or the one at an offset."""
    c = cursor("010a")
    c.leaf("x", 2)
    assert c.unexpected("x", 10, "1").message == "expected 1 as x at offset 1, found 10 (0x0A)"
    found = c.unexpected("x", 1, "2", 0)
    assert (found.message, found.start, found.stop) == ("expected 2 as x at offset 0, found 1 (0x01)", 0, 1)


def test_what_compact_arrays_may_expand_to() -> None:
    """250 fields, and four for each octet."""
    assert cursor(bytes(10)).session.expansion == 290
