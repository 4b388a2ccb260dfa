"""Types of fields: every type's text, JSON and order by table; columns say the same as single values."""

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.fields.value_arrays import Coded, Several, both, coded, object_array
from cosemscope.analysis.fields.value_types import (
    ADDRESS,
    Address,
    Duration,
    Flag,
    Instant,
    Integer,
    Obis,
    Octets,
    Quantity,
    Text,
    ValueType,
    Word,
)

_IP = np.array([(4, 0, 0x0A000001, 4059), (6, 1 << 61, 1, 80), (4, 0, 0x0A000001, 80)], ADDRESS)


@pytest.mark.parametrize(
    ("kind", "values", "texts", "jsons"),
    [
        (Integer(), np.array([3, -1]), ["3", "-1"], [3, -1]),
        (Integer(none=-1), np.array([3, -1]), ["3", ""], [3, None]),
        (Integer(digits=2), np.array([3, 255], "u1"), ["0x03", "0xFF"], [3, 255]),
        (Word({1: "one"}, none=0), np.array([1, 0, 2]), ["one", "", "code 2"], ["one", None, "code 2"]),
        (Word({1: "one"}, none=0, nothing=""), np.array([0]), [""], [""]),
        (Flag(), np.array([True, False]), ["yes", ""], [True, False]),
        (Flag(none=-1), np.array([1, 0, -1], "i1"), ["yes", "", ""], [True, False, None]),
        (Text(), object_array(["a", None]), ["a", ""], ["a", None]),
        (Octets(), object_array([b"\x01\xff", b""]), ["01ff", ""], ["01ff", ""]),
        (Duration(none=-1), np.array([1_500_000_001, -1]), ["1.500000001", ""], ["1.500000001", None]),
        (Duration(), np.array([-1]), ["-0.000000001"], ["-0.000000001"]),
        (Obis(none=0), np.array([0x0100010800FF, 0], "u8"), ["1.0.1.8.0.255", ""], ["1.0.1.8.0.255", None]),
        (Address(), _IP[:2], ["10.0.0.1", "2000::1"], ["10.0.0.1", "2000::1"]),
        (Address(port=True), _IP[:2], ["10.0.0.1:4059", "[2000::1]:80"], ["10.0.0.1:4059", "[2000::1]:80"]),
    ],
)
def test_texts_and_json(kind: ValueType, values: Any, texts: list[str], jsons: list[Any]) -> None:
    """As a plain column, as a coded one, and with several values a row."""
    assert kind.texts(values) == texts
    assert kind.jsons(values) == jsons
    turned = Coded(np.arange(len(values))[::-1], values[::-1])
    assert (kind.texts(turned), kind.jsons(turned)) == (texts, jsons)
    several = Several(np.array([0, len(values)]), values)
    assert kind.texts(several) == ["", ", ".join(filter(None, texts))]
    assert kind.jsons(several) == [[], jsons]


def test_flags_are_true_or_false_whatever_column_has_them() -> None:
    """JSON has no 1 and 0 for them."""
    said = Flag(none=-1).jsons(np.array([1, 0, -1], "i1"))
    assert [one is wanted for one, wanted in zip(said, (True, False, None), strict=True)] == [True] * 3


@pytest.mark.parametrize(
    ("kind", "values", "order"),
    [
        (Integer(), [10, 9, -1], [2, 1, 0]),
        (Integer(none=-1), [10, -1, 9], [2, 0, 1]),
        (Integer(none=0), [(1 << 63) - 1, 0, 9], [2, 0, 1]),
        (Flag(), [False, True], [1, 0]),
        (Word({1: "beta", 2: "Alpha", 3: "gamma"}, none=0), [1, 2, 3, 0], [1, 0, 2, 3]),
        (Obis(), [0x0100010A00FF, 0x0100010900FF], [1, 0]),
        (Text(), ["b", None, "", "A"], [3, 0, 1, 2]),
        (Quantity(), [2, None, "overflow"], [0, 2, 1]),
        (Octets(), [b"\x02", b"", b"\x01\x03"], [2, 0, 1]),
        (Address(port=True), _IP.tolist(), [2, 0, 1]),
    ],
)
def test_order(kind: ValueType, values: list[Any], order: list[int]) -> None:
    """Numbers as numbers, words by their letters, addresses as addresses; what has no text comes last."""
    dtype = ADDRESS if isinstance(kind, Address) else None if isinstance(values[0], int) else object
    array = np.array(values, dtype)
    coded_too = [array, Coded(np.arange(len(array)), array)] if dtype is not ADDRESS else [coded(array)]
    for given_values in coded_too:
        assert np.argsort(kind.order(given_values), kind="stable").tolist() == order


def test_equal_values_sort_equal() -> None:
    """Also where the same value has two codes, as an address in two flows: the rows keep their order."""
    order = Address().order(Coded(np.array([1, 0, 1]), _IP[[0, 0]]))
    assert len(set(order.tolist())) == 1


def test_several_values_sort_by_the_first() -> None:
    """Rows without any come last, and so do those of whose values none has a text."""
    several = Several(np.array([2, 2, 3]), np.array([5, 1, 4]))
    assert np.argsort(Integer().order(several)).tolist() == [2, 0, 1]
    several = Several(np.array([2, 3, 4, 4]), np.array([-1, 5, -1, 4]))
    assert np.argsort(Integer(none=-1).order(several), kind="stable").tolist() == [2, 0, 1, 3]


@given(st.lists(st.integers(-(1 << 62), 1 << 62), max_size=20))
def test_columns_of_instants_say_what_single_ones_say(times: list[int]) -> None:
    """Whole columns are made another way than single values."""
    kind, values = Instant(), np.array(times, np.int64)
    assert kind.texts(values) == [kind.text(time) for time in times]
    assert kind.jsons(values) == [kind.json(time) for time in times]


@given(
    st.sampled_from([Integer(), Integer(none=0), Instant(), Duration(), Flag()]),
    st.sampled_from(["i8", "u4", "i2", "u1"]),
    st.lists(st.one_of(st.integers(0, 200), st.integers(-(1 << 63), (1 << 63) - 1)), max_size=20),
    st.sampled_from([b"", b',"time":[']),
)
def test_octets_of_columns_are_the_json_of_single_values(
    kind: ValueType, dtype: str, numbers: list[int], head: bytes
) -> None:
    """Whole columns of numbers and times are made another way than single values, with what stands around."""
    values = np.array(numbers, np.int64).astype(dtype)
    found = kind.octets(values, head, b"]" if head else b"")
    assert found == [head + orjson.dumps(one) + (b"]" if head else b"") for one in kind.jsons(values)]


@given(st.integers(8, 18), st.lists(st.integers(0, (1 << 62) - 1), min_size=1, max_size=9))
def test_octets_of_times_near_each_other(digits: int, numbers: list[int]) -> None:
    """Times of one capture have equally many digits."""
    values = np.array([10**digits + number % (9 * 10**digits) for number in numbers], np.int64)
    assert Instant().octets(values) == [orjson.dumps(one) for one in Instant().jsons(values)]


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_both_sides(first: list[int], second: list[int]) -> None:
    """Row by row one value and the other."""
    count = min(len(first), len(second))
    several = Several(*both(np.array(first[:count], int), np.array(second[:count], int)))
    assert Integer().jsons(several) == [[one, other] for one, other in zip(first, second, strict=False)]
