"""Colours say something and can be read; icons exist and follow the palette; actions are whole."""

import re
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QAbstractScrollArea, QComboBox, QTabBar, QWidget

from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.gui.frame.actions import ACTIONS, EXCLUSIVE, MENUS, TOOLBAR, Needs
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import KIND_NAMES, Kind, kind_of, kinds_of
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.timing.timing_graph import TimingGraph

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


def test_every_defined_apdu_has_a_kind():
    """Only undefined tags, and none at all, are unknown."""
    assert {tag for tag in range(256) if kind_of(tag) is not Kind.UNKNOWN} == set(APDU_TAGS)
    assert kind_of(-1) is Kind.UNKNOWN
    assert list(kinds_of(np.array([0xC0, -1, 0x60], np.int16))) == [Kind.READ, Kind.UNKNOWN, Kind.ASSOCIATION]


def test_every_icon_that_is_named_exists(qapp):
    """Names of icons in the code are files in the resources."""
    folder = Path(theme.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    named = set(re.findall(r'\bicon\("([a-z-]+)"', code)) | {spec.icon for spec in ACTIONS if spec.icon}
    assert len(named) > 15
    for name in named:
        assert not icon(name).pixmap(16, 16).isNull()
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")


def test_icons_take_the_palettes_colour(qapp):
    """The same icon object is dark on light and light on dark."""
    before = qapp.palette()
    picture = icon("warning")
    try:
        for scheme in SCHEMES.values():
            qapp.setPalette(theme.palette_of(scheme))
            image = picture.pixmap(32, 32, QIcon.Mode.Normal).toImage()
            inks = {
                image.pixelColor(x, y).name()
                for x in range(32)
                for y in range(32)
                if image.pixelColor(x, y).alpha() == 255
            }
            assert inks == {scheme.text}
    finally:
        qapp.setPalette(before)


def test_every_action_has_a_slot_a_place_and_keys_of_its_own(window):
    """No dead action, none that cannot be reached, no key that does two things at a time."""
    by_key: dict[str, list[Needs]] = {}
    for spec in ACTIONS:
        for key in spec.keys:
            by_key.setdefault(key, []).append(spec.needs)
    shared_keys = {key: needs for key, needs in by_key.items() if len(needs) > 1}
    assert all(len(needs) == 2 and frozenset(needs) in EXCLUSIVE for needs in shared_keys.values())
    names = {spec.name for spec in ACTIONS}
    assert len(names) == len(ACTIONS)
    placed = {name for _, menu in MENUS for name in menu if name and not name.startswith("@")}
    assert placed == names
    assert {name for name in TOOLBAR if name} <= names
    for spec in ACTIONS:
        assert callable(attrgetter(spec.slot)(window))


def menus(menu):
    """A menu bar or menu, and all menus below it, as the texts of their actions."""
    yield [action.text() for action in menu.actions() if action.text()]
    for action in menu.actions():
        if action.menu():
            yield from menus(action.menu())


def test_no_letter_means_two_things_in_a_menu(window):
    """Alt and a letter, then a letter: it must do what is underlined, not choose among two."""
    for texts in menus(window.menuBar()):
        letters = [found[1].lower() for text in texts if (found := re.search(r"&(\w)", text))]
        assert len(letters) == len(set(letters)), texts


def test_every_pane_that_takes_keys_has_a_name(window):
    """A screen reader says where one is."""
    named = (QAbstractScrollArea, QTabBar, QComboBox, TimingGraph)
    nameless = [
        type(widget).__name__
        for widget in window.findChildren(QWidget)
        if isinstance(widget, named)
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not widget.accessibleName()
    ]
    assert nameless == []
