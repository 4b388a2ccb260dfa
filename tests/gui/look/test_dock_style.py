"""The buttons in the titles of docks are seen in either colour scheme."""

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QDockWidget

from cosemscope.gui.base import settings as options
from cosemscope.gui.look import theme
from tests.gui.look.test_theme import contrast


@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_dock_buttons_are_seen(window, look, appearance):
    window.settings.set(options.APPEARANCE, appearance)
    look.processEvents()
    dock = window.workspace.findChild(QDockWidget, "timing")
    ground = QColor(theme.colours(dock.palette()).window)
    buttons = [button for button in dock.findChildren(QAbstractButton) if button.parent() is dock]
    assert len(buttons) == 2
    for button in buttons:
        image = button.icon().pixmap(16, 16).toImage()
        inks = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
        strongest = max(inks, key=QColor.alpha)
        assert strongest.alpha() > 200
        assert contrast(strongest, ground) > 4.5
