"""Colours say something and can be read."""

import pytest
from PySide6.QtGui import QColor, QFont

from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import KIND_NAMES, Kind

SCHEMES = {"light": theme.LIGHT, "dark": theme.DARK}


def luminance(name: str) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in QColor(name).getRgbF()[:3]
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_text_can_be_read_on_every_background(scheme):
    """WCAG's contrast of 4.5 for text wherever text stands."""
    pairs = [(scheme.text, tint) for tint in scheme.tints.values()]
    pairs += [(scheme.text, scheme.base), (scheme.text, scheme.window), (scheme.text, scheme.field_octets)]
    pairs += [(scheme.accent_text, scheme.accent), (scheme.muted, scheme.base), (scheme.muted, scheme.window)]
    pairs += [(scheme.selected_octets_text, scheme.selected_octets), (scheme.error, scheme.base)]
    pairs += [(scheme.text, getattr(scheme, f"message_{kind}")) for kind in ("error", "warning", "note")]
    assert {pair: contrast(*pair) for pair in pairs if contrast(*pair) < 4.5} == {}


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_every_kind_has_its_colours(scheme):
    """A kind that is added gets a mark's colour, a row's tint and a word in the legend."""
    assert set(scheme.kinds) == set(scheme.tints) == set(KIND_NAMES) == set(Kind)
    marks = [contrast(scheme.kinds[kind], scheme.base) for kind in Kind]
    assert min(marks) >= 2.9


@pytest.mark.parametrize(("points", "size"), [(0, 10.0), (3, 13.0), (-3, 7.0), (-8, 5.0)])
def test_text_can_be_zoomed_as_long_as_it_can_be_read(qapp, points, size):
    """Never under five points; the font that was given stays as it is."""
    font = QFont("sans", 10)
    assert theme.zoomed(font, points).pointSizeF() == size
    assert font.pointSizeF() == 10.0
