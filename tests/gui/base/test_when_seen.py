"""Work for what nobody sees waits, and is done once."""

from PySide6.QtWidgets import QWidget

from cosemscope.gui.base.when_seen import WhenSeen


def test_work_waits_until_the_widget_is_seen(qtbot):
    """However often it was asked for; what is forgotten is not done."""
    widget = QWidget()
    qtbot.addWidget(widget)
    done: list[int] = []
    seen = WhenSeen(widget, lambda: done.append(1))
    seen.ask()
    seen.ask()
    assert done == []
    with qtbot.waitExposed(widget):
        widget.show()
    assert done == [1]
    seen.ask()
    assert done == [1, 1]
    widget.hide()
    seen.ask()
    seen.forget()
    widget.show()
    assert done == [1, 1]
