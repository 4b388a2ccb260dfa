"""a name from a file or a packet is shown as it stands, in every label, tip and menu of the window."""

import os
import re
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

import cosemscope.gui
from cosemscope.gui.frame.window import Window
from cosemscope.gui.look.plain_label import PlainLabel
from tests.helpers.traffic_samples import SAMPLES

GUI = Path(cosemscope.gui.__file__).parent
NAME = "<b>bold<br>two & three.pcapng"


def test_a_label_shows_mark_up_as_text(qtbot) -> None:
    """With a parent, a text, both or none, now and later."""
    above = QWidget()
    qtbot.addWidget(above)
    labels = [PlainLabel(), PlainLabel(NAME), PlainLabel(above), PlainLabel(NAME, above)]
    qtbot.addWidget(labels[0])
    qtbot.addWidget(labels[1])
    labels[0].setText(NAME)
    assert [label.text() for label in labels] == [NAME, NAME, "", NAME]
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}
    assert labels[2].parent() is above
    assert labels[3].parent() is above
    assert labels[3].sizeHint().height() == PlainLabel("one line").sizeHint().height()


@pytest.mark.skipif(os.name == "nt", reason="no file of that name can be made here")
def test_the_name_of_a_capture_is_no_mark_up(window: Window, open_in, tmp_path: Path) -> None:
    """In the status bar, the messages, the start page and the menu of recent captures."""
    path = Path(shutil.copy(SAMPLES / "push.pcapng", tmp_path / NAME))
    window.settings.add_recent(str(path))
    open_in(path)
    window.start_page.show_recent((str(path), str(tmp_path / f"gone {NAME}")))
    own = [
        label for label in window.findChildren(QLabel) if "<b>" in label.text() or "<b>" in label.toolTip()
    ]
    assert any(NAME in label.text() for label in own)
    assert not [label.text() for label in own if label.textFormat() == Qt.TextFormat.AutoText]
    tips = [widget.toolTip() for widget in window.findChildren(QWidget) if "bold" in widget.toolTip()]
    assert len(tips) >= 2
    assert all("&lt;b&gt;bold&lt;br&gt;two &amp; three" in tip for tip in tips), tips


def test_only_texts_of_our_own_may_be_rich() -> None:
    """The legend of kinds and the About box hold mark-up; every other label is a plain one."""
    rich = {path.name for path in GUI.rglob("*.py") if re.search(r"(?<!\w)QLabel\(", path.read_text("utf-8"))}
    assert rich == {"about_dialog.py", "timing_graph.py"}
