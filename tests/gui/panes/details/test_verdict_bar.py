"""The bar above the fields tells what came of opening, the worst first, and asks for keys that may help."""

import pytest
from PySide6.QtCore import Qt

from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.gui.document.protection import VERDICT_LOOKS
from cosemscope.gui.panes.details.verdict_bar import VerdictBar


@pytest.fixture
def bar(qtbot, look) -> VerdictBar:
    bar = VerdictBar()
    qtbot.addWidget(bar)
    return bar


@pytest.mark.parametrize("verdict", VERDICT_LOOKS)
def test_every_verdict_has_its_words_and_its_button(bar, qtbot, verdict):
    """The button is there exactly where another key may better it."""
    bar.show_openings([Opening(verdict)])
    assert not bar.isHidden()
    assert bar.badge.text() == VERDICT_LOOKS[verdict].words
    assert bar.add_key.isHidden() != verdict.wants_key
    if verdict.wants_key:
        with qtbot.waitSignal(bar.addKeyAsked):
            qtbot.mouseClick(bar.add_key, Qt.MouseButton.LeftButton)


def test_what_is_not_opened_comes_before_what_is(bar):
    """Of several parts the one that a person can do something about; the tip has all."""
    bar.show_openings([Opening(Verdict.OPENED), Opening(Verdict.NO_KEY), Opening(Verdict.OPENED)])
    assert bar.shown.verdict is Verdict.NO_KEY
    assert bar.sentence.text().endswith("(2 more in this WPDU)")
    assert len(bar.sentence.toolTip().split("\n\n")) == 3


def test_nothing_protected_is_no_bar(bar):
    """It takes no room where there is nothing to say."""
    bar.show_openings([Opening(Verdict.OPENED)])
    bar.show_openings([])
    assert bar.isHidden()
    assert bar.shown is None
