"""The buttons in the titles of docks are seen in either colour scheme."""

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QDockWidget

from cosemscope.gui.base import settings as options
from cosemscope.gui.look import theme


def contrast(one: QColor, other: QColor) -> float:
    """The contrast of two colours, after WCAG."""

    def luminance(colour: QColor) -> float:
        parts = (colour.redF(), colour.greenF(), colour.blueF())
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


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
