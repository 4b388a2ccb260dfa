"""Pictures of response times: well-formed SVG of bounded size, whatever the times are."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.export.pages.timing_pictures import times_by_length, times_over_time


def svg(lines: list[str]) -> ET.Element:
    return ET.fromstring("".join(lines))


@given(
    st.lists(
        st.tuples(st.integers(0, 1 << 62), st.integers(0, 1 << 62), st.booleans()), min_size=1, max_size=30
    )
)
def test_any_times_are_drawn_within_the_picture(rows: list[tuple[int, int, bool]]) -> None:
    """Also those of no time at all, and of years."""
    at, took = (np.array([row[place] for row in rows], np.int64) for place in (0, 1))
    failed = np.array([row[2] for row in rows])
    for picture in (svg(list(times_over_time(at, took, failed))), svg(list(times_by_length(took)))):
        assert picture.tag == "svg"
        for text in picture.iter("text"):
            assert 0 <= float(text.attrib["x"]) <= 960
            assert 0 <= float(text.attrib["y"]) <= 260
    drawn = svg(list(times_over_time(at, took, failed)))
    kinds = {path.attrib["class"] for path in drawn.iter("path")} - {"grid"}
    assert kinds == ({"points failed"} if failed.any() else set()) | (
        {"points"} if not failed.all() else set()
    )


def test_the_size_does_not_grow_with_the_rows() -> None:
    """Points in one place are one."""
    draw = np.random.default_rng(1)
    sizes = []
    for count in (100_000, 400_000):
        at, took = draw.integers(0, 10**12, count), draw.integers(10**6, 10**9, count)
        failed = np.zeros(count, np.bool_)
        sizes.append(len("".join(times_over_time(at, took, failed))) + len("".join(times_by_length(took))))
    assert sizes[1] < 1.5 * sizes[0] < 600_000


@pytest.mark.parametrize("took", [[5_000_000] * 99 + [900_000_000]])
def test_bars_and_marks_stand_where_the_times_are(took: list[int]) -> None:
    """Median and 95 % are told at the nearest rank."""
    picture = svg(list(times_by_length(np.array(took))))
    texts = [text.text for text in picture.iter("text")]
    assert {"99", "median 5 ms", "95 % 5 ms"} <= set(texts)
    bars = next(path.attrib["d"] for path in picture.iter("path") if path.attrib["class"] == "bars")
    assert bars.count("M") == 2
