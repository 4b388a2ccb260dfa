"""The strip of messages: all of a message can be read, however narrow the window is."""

from PySide6.QtWidgets import QLabel

from cosemscope.gui.base.message_bar import MessageSeverity


def test_a_long_message_is_shown_whole(window, qtbot):
    """It takes as many lines as it needs, also beside a button."""
    window.messages.say(MessageSeverity.ERROR, "To its end it is read. " * 20, [("Do it", lambda: None)])
    for width in (1500, 1000):
        window.resize(width, 800)
        (label,) = (one for one in window.messages.findChildren(QLabel) if one.text())
        qtbot.waitUntil(lambda label=label: label.height() >= label.heightForWidth(label.width()))
        assert label.heightForWidth(label.width()) > 1.5 * label.fontMetrics().height()
