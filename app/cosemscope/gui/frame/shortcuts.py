"""The list of keys, as a dialog."""

from PySide6.QtWidgets import QWidget

from cosemscope.gui.dialogs.small_dialogs import show_table
from cosemscope.gui.frame.actions import shortcut_rows


def show_shortcuts(parent: QWidget) -> None:
    """List the keys."""
    rows = [
        *shortcut_rows(),
        ("Copy what is selected (rows, field, octets)", "Ctrl+C"),
        ("Objects: hide what is known, or show it again", "Ctrl+Alt+Shift+N"),
        ("Objects: go to the WPDU that told it last", "Enter or double click"),
        ("Value over time: the value before or after", "Left or Right"),
        ("Procedures: show the WPDUs of one alone, or all again", "Enter or double click"),
        ("Session: find within", "Ctrl+F, then Enter or F3, with Shift backwards"),
        ("Session: open a transfer in blocks, or fold it", "Enter or double click"),
        ("Timing graph: choose a WPDU", "click"),
        ("Timing graph: choose a span of time", "drag"),
        ("Timing graph: take the span away", "Esc"),
        ("Timing graph: zoom", "wheel"),
        ("Timing graph: show the whole capture", "double click"),
    ]
    show_table(parent, "Keyboard shortcuts", ("Action", "Keys"), rows)
