"""The image of points: each pixel with a point is lit, by the highest rank that is in it, at every zoom."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.gui.panes.response_times.point_image import point_image

COLOURS = np.array([11, 22, 33], np.uint32)
PLACES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 2)), max_size=60)


@given(PLACES, st.integers(0, 80), st.integers(1, 100), st.integers(1, 40), st.integers(1, 40))
def test_a_pixel_has_the_highest_rank_in_it(places, left, span, width, height):
    """Against a plain walk over the points."""
    x, y, rank = (np.array([place[part] for place in places], np.float64) for part in range(3))
    image = point_image(
        x, y, rank.astype(np.uint8), COLOURS, (left, left + span, 10.0, 90.0), (width, height)
    )
    wanted = np.zeros((width, height), np.uint32)
    for one, two, number in sorted(places, key=lambda place: place[2]):
        column, line = int((one - left) * (width / span)), int((two - 10) * (height / 80))
        if one >= left and two >= 10 and column < width and line < height:
            wanted[column, line] = COLOURS[number]
    assert np.array_equal(image, wanted)


def test_a_single_error_among_a_million_is_seen():
    """Whatever the zoom that has it in view."""
    x = np.linspace(0.0, 1000.0, 1_000_000)
    y = np.sin(x)
    rank = np.zeros(len(x), np.uint8)
    rank[123_456] = 2
    for half in (1000.0, 100.0, 1.0, 0.01):
        at = x.item(123_456)
        image = point_image(x, y, rank, COLOURS, (at - half, at + half, -2.0, 2.0), (300, 100))
        assert np.count_nonzero(image == 33) == 1


def test_nothing_is_drawn_in_a_window_without_room():
    nothing = np.zeros(0)
    image = point_image(nothing, nothing, nothing.astype(np.uint8), COLOURS, (1.0, 1.0, 0.0, 0.0), (3, 2))
    assert image.shape == (3, 2)
    assert not image.any()
