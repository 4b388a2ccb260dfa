"""What the system hands to the application object."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from cosemscope.gui.application import FileOpener
from cosemscope.resources import resource


def test_a_file_that_macos_hands_over_is_opened(window, qtbot):
    """A double click there comes as an event, not as a word of the command line."""
    opener = FileOpener(window)
    application = QApplication.instance()
    application.installEventFilter(opener)
    try:
        QApplication.sendEvent(application, QFileOpenEvent(str(resource("samples/push.pcapng"))))
        qtbot.waitUntil(lambda: window.document is not None and not window.document.reading)
        assert window.document.path.name == "push.pcapng"
        assert not opener.eventFilter(application, QEvent(QEvent.Type.FileOpen))
    finally:
        application.removeEventFilter(opener)
