"""Icons exist and follow the palette."""

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QIcon

from cosemscope import gui
from cosemscope.gui.frame.actions import ACTIONS
from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import icon


def test_every_icon_that_is_named_exists(qapp):
    """Names of icons in the code are files in the resources."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(gui.__file__).parent.rglob("*.py"))
    named = set(re.findall(r'\bicon\("([a-z-]+)"', code)) | {spec.icon for spec in ACTIONS if spec.icon}
    assert len(named) > 30
    for name in named:
        assert not icon(name).pixmap(16, 16).isNull()
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")


def test_icons_take_the_palettes_colour(qapp):
    """The same icon object is dark on light and light on dark."""
    before = qapp.palette()
    picture = icon("warning")
    try:
        for scheme in (theme.LIGHT, theme.DARK):
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
