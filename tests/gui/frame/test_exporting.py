"""What is displayed, selected or all of a capture goes into a file, as `export` writes it."""

import csv

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.exports import Order
from cosemscope.capture.files.reader import open_capture
from cosemscope.gui.dialogs.export_dialog import Wanted
from cosemscope.gui.frame.window import SAMPLE
from cosemscope.resources import resource


def written(window, qtbot, wanted: Wanted, path) -> str:
    before = len(window.messages.messages)
    window.exporting.write(wanted, path, window.document)
    qtbot.waitUntil(lambda: len(window.messages.messages) > before, timeout=20_000)
    return window.messages.messages[-1].text


@pytest.mark.parametrize(("scope", "amount"), [("all", 142), ("displayed", 39), ("selected", 3)])
def test_rows_of_each_scope(open_in, qtbot, tmp_path, scope, amount):
    """The typed filter narrows what is displayed; what is selected is what is marked in the table."""
    window = open_in(resource(SAMPLE))
    table = window.workspace.table
    if scope != "all":
        window.workspace.filter.show_filter("apdu == get-response")
    for place in (1, 2, 5):
        flags = table.selectionModel().SelectionFlag
        table.selectionModel().select(
            table.wpdus.index(place, 0), flags.Rows | (flags.Select if place > 1 else flags.ClearAndSelect)
        )
    path = tmp_path / "out.csv"
    assert written(window, qtbot, Wanted(Order("csv"), scope), path) == "out.csv was written."
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == amount
    shown = [table.wpdus.row(place) + 1 for place in (1, 2, 5)]
    if scope == "selected":
        assert [int(row["wpdu.number"]) for row in rows] == shown


def test_packets_of_what_is_displayed_open_again(open_in, qtbot, tmp_path):
    """As a capture with the same WPDUs."""
    window = open_in(resource(SAMPLE))
    window.workspace.filter.show_filter("stream == 0")
    amount = window.workspace.table.wpdus.rowCount()
    path = tmp_path / "out.pcapng"
    written(window, qtbot, Wanted(Order("pcapng", handshakes=True), "displayed"), path)
    with open_capture(path) as reader:
        assert len(Analysis(reader).run().wpdus) == amount


def test_the_capture_itself_is_not_written_over(open_in, qtbot, tmp_path):
    """It is said, and the file stays as it was."""
    path = tmp_path / "capture.pcapng"
    path.write_bytes(resource(SAMPLE).read_bytes())
    window = open_in(path)
    said = written(window, qtbot, Wanted(Order("pcapng"), "all"), path)
    assert "not written over" in said
    assert path.read_bytes() == resource(SAMPLE).read_bytes()


def test_a_folder_that_is_not_there_is_told(open_in, qtbot, tmp_path):
    """In a sentence, with the file's name."""
    window = open_in(resource(SAMPLE))
    said = written(window, qtbot, Wanted(Order("json"), "all"), tmp_path / "gone" / "out.json")
    assert "out.json cannot be written" in said
