"""The export dialog offers what can be written, and says what cannot."""

import pytest

from cosemscope.analysis.export.exports import FORMATS, TABLES, check
from cosemscope.gui.dialogs.export_dialog import ExportDialog

AMOUNTS = {"all": 142, "displayed": 28, "selected": 0}


@pytest.fixture
def dialog(qtbot, look) -> ExportDialog:
    dialog = ExportDialog(None, AMOUNTS, "some.pcapng")
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_every_choice_that_is_offered_can_be_written(dialog):
    """Each table with each of its formats; where an extra is missing, Save is not offered and it is said."""
    seen = set()
    for what in range(dialog.what.count()):
        dialog.what.setCurrentIndex(what)
        for form in range(dialog.form.count()):
            dialog.form.setCurrentIndex(form)
            order = dialog.wanted.order
            seen.add((order.what, order.form))
            save = dialog.buttons.button(dialog.buttons.StandardButton.Save)
            if save.isEnabled():
                check(order)
            else:
                assert "not installed" in dialog.said.text()
    assert seen == {(what, form) for what in TABLES for form in FORMATS if FORMATS[form].takes(what)}


def test_only_scopes_with_rows_are_offered_the_displayed_ones_first(dialog):
    """What is on screen is what most people mean."""
    assert [dialog.scope.itemData(place) for place in range(dialog.scope.count())] == ["displayed", "all"]
    assert dialog.wanted.scope == "displayed"


def test_options_hold_only_where_they_mean_something(dialog):
    """Handshakes are packets, passwords stand in trees."""
    dialog.form.setCurrentIndex(dialog.form.findData("pcapng"))
    dialog.handshakes.setChecked(True)
    assert dialog.wanted.order.handshakes
    dialog.form.setCurrentIndex(dialog.form.findData("text"))
    assert not dialog.handshakes.isEnabled()
    assert not dialog.wanted.order.handshakes
    dialog.passwords.setChecked(True)
    assert dialog.wanted.order.passwords
    dialog.form.setCurrentIndex(dialog.form.findData("csv"))
    assert not dialog.wanted.order.passwords
