"""A task in the status bar: shown until it ends, stopped by its button."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from cosemscope.gui.base.task import Task
from cosemscope.gui.frame.task_progress import STEPS, TaskProgress
from cosemscope.gui.frame.window import Window
from tests.helpers.shared import shared


def test_a_task_is_shown_and_stopped(qtbot, look):
    shown = TaskProgress()
    qtbot.addWidget(shown)

    def work(tell):
        while True:
            tell(1, 4)

    task = Task(work)
    shown.follow("Working", task)
    assert shown.isVisible()
    task.start()
    qtbot.waitUntil(lambda: shown.bar.value() == STEPS // 4)
    assert shown.bar.text() == "Working 25%"
    with qtbot.waitSignal(task.ended):
        qtbot.mouseClick(shown.stop, Qt.MouseButton.LeftButton)
    assert not shown.isVisible()


def test_rows_are_copied_by_key_and_that_is_said(open_in, qtbot):
    """All of a real capture; the window works meanwhile, and the lines have what the table shows."""
    window: Window = open_in(shared("captures/Output.pcap"))
    table = window.workspace.table
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    QGuiApplication.clipboard().setText("")
    qtbot.keyClick(table, Qt.Key.Key_A, control)
    qtbot.keyClick(window, Qt.Key.Key_C, control | shift)
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text() != "")
    assert len(QGuiApplication.clipboard().text().splitlines()) == 265
    assert window.status.currentMessage() == "264 rows copied."
    assert not window.status.task.isVisible()
