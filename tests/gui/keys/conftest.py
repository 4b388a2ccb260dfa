"""The window's keys, their dialog, and a key store of the test's own."""

import sys
import types

import pytest

from cosemscope.gui.keys.key_keeper import KeyKeeper
from cosemscope.gui.keys.keys_dialog import KeysDialog


@pytest.fixture
def keeper(look, settings) -> KeyKeeper:
    """The window's keys, without the window."""
    keeper = KeyKeeper(settings)
    yield keeper
    assert keeper.wait()


@pytest.fixture
def dialog(qtbot, keeper, window) -> KeysDialog:
    """The dialog, shown."""
    dialog = KeysDialog(window, keeper)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    return dialog


@pytest.fixture
def store(monkeypatch):
    """A key store in memory in place of the system's; `locked` refuses."""
    kept: dict[tuple[str, str], str] = {}
    module = types.ModuleType("keyring")
    module.locked = False

    def ask(function):
        def asked(*words):
            if module.locked:
                raise RuntimeError(f"locked {words}")
            return function(*words)

        return asked

    module.get_keyring = lambda: types.SimpleNamespace(priority=5)
    module.set_password = ask(lambda service, name, text: kept.__setitem__((service, name), text))
    module.get_password = ask(lambda service, name: kept.get((service, name)))
    module.delete_password = ask(lambda service, name: kept.pop((service, name)))
    module.kept = kept
    monkeypatch.setitem(sys.modules, "keyring", module)
    return module
