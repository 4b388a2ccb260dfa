"""Hypothesis strategies for typed values and references, as the test-side encoder takes them."""

import math
from typing import Any

from hypothesis import strategies as st

from tests.helpers.apdu_encoder import LAYOUTS, Typed

_RANGES = {"b": (-(2**7), 2**7 - 1), "B": (0, 2**8 - 1), "h": (-(2**15), 2**15 - 1), "H": (0, 2**16 - 1)}
_RANGES |= {"i": (-(2**31), 2**31 - 1), "I": (0, 2**32 - 1), "q": (-(2**63), 2**63 - 1), "Q": (0, 2**64 - 1)}


def _numbers() -> list[st.SearchStrategy[Typed]]:
    made = []
    for kind, layout in LAYOUTS.items():
        if layout[1] == "?":
            made.append(st.tuples(st.just(kind), st.booleans()))
        elif layout[1] in "fd":
            width = 32 if layout[1] == "f" else 64
            made.append(st.tuples(st.just(kind), st.floats(width=width)))
        else:
            low, high = _RANGES[layout[1]]
            made.append(st.tuples(st.just(kind), st.integers(low, high)))
    return made


SCALARS: st.SearchStrategy[Typed] = st.one_of(
    *_numbers(),
    st.tuples(st.just("null-data"), st.none()),
    st.tuples(st.just("dont-care"), st.none()),
    st.tuples(st.just("octet-string"), st.binary(max_size=200)),
    st.tuples(st.just("visible-string"), st.text(st.characters(max_codepoint=255), max_size=20)),
    st.tuples(st.just("utf8-string"), st.text(max_size=20)),
    st.tuples(st.just("bit-string"), st.text("01", max_size=40)),
    st.tuples(st.just("date-time"), st.binary(min_size=12, max_size=12)),
    st.tuples(st.just("date"), st.binary(min_size=5, max_size=5)),
    st.tuples(st.just("time"), st.binary(min_size=4, max_size=4)),
)
VALUES: st.SearchStrategy[Typed] = st.recursive(
    SCALARS,
    lambda inner: st.tuples(st.sampled_from(["array", "structure"]), st.lists(inner, max_size=5)),
    max_leaves=20,
)
REFERENCES = st.tuples(st.integers(0, 0xFFFF), st.binary(min_size=6, max_size=6), st.integers(-128, 127))
CODES = st.integers(0, 255)


def plain(typed: Typed) -> Any:
    """The Python value that the decoder should give for a typed value."""
    kind, value = typed
    if kind in ("array", "structure"):
        return tuple(plain(element) for element in value)
    return value


def same(left: Any, right: Any) -> bool:
    """Equality in which NaN equals itself."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and math.isnan(left):
        return isinstance(right, float) and math.isnan(right)
    return bool(left == right)
