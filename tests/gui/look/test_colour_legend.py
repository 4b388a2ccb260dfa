"""The legend of a graph shows what has room, the most important first, and tells all to who cannot see it."""

from PySide6.QtGui import QColor

from cosemscope.gui.look.colour_legend import ColourLegend


def test_what_has_no_room_is_left_out_whole(qtbot, look):
    legend = ColourLegend()
    qtbot.addWidget(legend)
    legend.show_entries((("#ff0000", "error"), ("#0000ff", "<b>get-request</b>"), ("#00ff00", "set-request")))
    legend.resize(1000, 24)
    assert [name for _, name, _ in legend.fitting()] == ["error", "<b>get-request</b>", "set-request"]
    last = legend.fitting()[-1][2]
    legend.resize(last + 3, 24)
    assert [name for _, name, _ in legend.fitting()] == ["error", "<b>get-request</b>"]
    assert legend.accessibleDescription() == "error, <b>get-request</b>, set-request"
    assert legend.grab().toImage().pixelColor(4, 12) == QColor("#ff0000")
