"""The time axis: ticks at distances that people count in, in a unit that fits, and with room for texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.gui.panes.timing.time_axis import TimeAxis, tick_text


@pytest.mark.parametrize(
    ("seconds", "step", "text"),
    [
        (0.0, 1.0, "0"),
        (2.0, 2.0, "2 s"),
        (2.5, 0.5, "2.5 s"),
        (0.05, 0.05, "50 ms"),
        (0.0002, 0.0002, "200 µs"),
        (90.0, 30.0, "90 s"),
        (300.0, 300.0, "5 min"),
        (4500.0, 900.0, "1 h 15 min"),
        (172800.0, 43200.0, "2 d"),
        (1200.5, 0.5, "20 min 0.5 s"),
    ],
)
def test_ticks_are_in_units_that_fit(seconds, step, text):
    """Never kiloseconds, never a factor beside the axis."""
    assert tick_text(seconds, step) == text


@given(st.floats(1e-6, 1e7), st.integers(100, 4000))
def test_ticks_have_room_and_are_not_few(qapp, span, pixels):
    """A text of some hundred pixels fits between two of them; there is one wherever there is room."""
    ((step, offset),) = TimeAxis("bottom").tickSpacing(0.0, span, pixels)
    assert offset == 0
    assert span / step <= max(2.0, pixels / 110)
    assert span / step >= max(2.0, pixels / 110) / 6


@given(st.floats(1e-5, 1e7), st.integers(100, 4000))
def test_no_two_ticks_say_the_same(qapp, span, pixels):
    """No text is cut to less than the distance to the next one."""
    axis = TimeAxis("bottom")
    ((step, _),) = axis.tickSpacing(0.0, span, pixels)
    texts = axis.tickStrings([number * step for number in range(41)], 1.0, step)
    assert len(set(texts)) == len(texts)
