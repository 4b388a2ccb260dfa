"""Actions are whole: a slot, a place in a menu, and keys and letters of their own."""

import re
from operator import attrgetter

import pytest
from PySide6.QtGui import QAction

from cosemscope.gui.frame.actions import (
    ACTIONS,
    EXCLUSIVE,
    MENUS,
    NOTES,
    TOOLBAR,
    Needs,
    enable,
    shortcut_rows,
)


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
    placed = {name for _, menu in (*MENUS, ("", NOTES)) for name in menu if name and not name.startswith("@")}
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


@pytest.mark.parametrize("needs", Needs)
def test_actions_are_enabled_by_what_is_there(qapp, needs):
    """Those that need nothing always, the others exactly when their need is met."""
    made = {spec.name: QAction() for spec in ACTIONS}
    enable(made, {needs})
    wanted = {spec.name for spec in ACTIONS if spec.needs in (Needs.NOTHING, needs)}
    assert {name for name, action in made.items() if action.isEnabled()} == wanted


def test_the_list_of_keys_has_every_action_with_keys(qapp):
    """Without underlines and dots; several keys of one action stand in one row."""
    rows = dict(shortcut_rows())
    assert len(rows) == sum(bool(spec.keys) for spec in ACTIONS)
    assert rows["Reload"] == "Ctrl+R"
    assert rows["Capture options"] == "Ctrl+K or F5"
    assert rows["Open"] == "Ctrl+O"
