"""Menus of settings: one choice is checked and a click sets it; recent files open, missing ones are grey."""

import pytest
from PySide6.QtWidgets import QWidget

from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.frame.setting_menus import ChoiceMenu, RecentMenu


@pytest.fixture
def parent(qtbot, look) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    return parent


def test_a_choice_is_set_and_only_one_is_checked(parent, settings: Settings):
    """The menu begins with what the option is."""
    settings.set(options.APPEARANCE, "dark")
    names = {"system": "As the system", "light": "Light", "dark": "Dark"}
    menu = ChoiceMenu("Co&lours", settings, options.APPEARANCE, names, parent)
    assert [(action.text(), action.isChecked()) for action in menu.actions()] == [
        *(("As the system", False), ("Light", False), ("Dark", True)),
    ]
    menu.actions()[1].trigger()
    assert settings.get(options.APPEARANCE) == "light"
    assert [action.isChecked() for action in menu.actions()] == [False, True, False]


def test_recent_files_are_listed_when_the_menu_opens(parent, settings: Settings, qtbot, tmp_path):
    """A file that has gone meanwhile is grey; the last entry forgets all, where there are any."""
    menu = RecentMenu("Open r&ecent", settings, parent)
    assert [action.isEnabled() for action in menu.actions() if action.text()] == [False]
    there = tmp_path / "there.pcap"
    there.touch()
    settings.set(options.RECENT, (str(there), str(tmp_path / "gone.pcap")))
    menu.aboutToShow.emit()
    first, second, _, clear = menu.actions()
    assert (first.isEnabled(), second.isEnabled(), clear.isEnabled()) == (True, False, True)
    with qtbot.waitSignal(menu.openAsked) as asked:
        first.trigger()
    assert asked.args == [str(there)]
    with qtbot.waitSignal(menu.clearAsked):
        clear.trigger()
