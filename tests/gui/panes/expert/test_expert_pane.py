"""The pane of expert information in the real window: what is in it, where it leads, and what it follows."""

import json
from collections import Counter

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_column_items
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.capture.files.reader import open_capture
from cosemscope.cli import main
from cosemscope.gui.frame.window import Window
from cosemscope.gui.panes.expert.expert_pane import ExpertPane
from cosemscope.resources import resource
from cosemscope.streams.tables.expert_items import NUMBERED, Severity
from tests.helpers.shared import shared
from tests.helpers.traffic_samples import SAMPLES

FAULTS = SAMPLES / "faults.pcapng"


@pytest.fixture
def shown(open_in, qtbot):
    """The window with a capture, all items found, and the pane in front."""

    def show(path=FAULTS) -> tuple[Window, ExpertPane]:
        window = open_in(path)
        qtbot.waitUntil(lambda: is_complete(window))
        window.workspace.show_expert()
        pane = window.workspace.panes["expert"]
        qtbot.waitUntil(pane.isVisible)
        return window, pane

    return show


def is_complete(window: Window) -> bool:
    analysis = window.document.analysis
    return 0 < analysis.expert_items.completed == len(analysis.wpdus)


def rows(pane: ExpertPane) -> list[tuple[str, int]]:
    groups = pane.tree.items.groups
    return [(kind.word, groups.count(group)) for group, kind in enumerate(groups.kinds)]


def item(pane: ExpertPane, word: str, place: int = 0) -> QModelIndex:
    words = [word for word, _ in rows(pane)]
    return pane.tree.items.index(place, 0, pane.tree.items.index(words.index(word), 0))


def listed(capsys) -> list[dict]:
    assert main(["expert", str(FAULTS), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_pane_has_what_the_command_lists(shown, capsys) -> None:
    """Nothing that is found is hidden: all kinds with their counts, the worst first."""
    _, pane = shown()
    items = listed(capsys)
    words = [one["item"] for one in items]
    assert dict(rows(pane)) == {word: words.count(word) for word in words}
    severity = [kind.severity for kind in pane.tree.items.groups.kinds]
    assert severity == sorted(severity, reverse=True)
    assert pane.state.text() == ""
    assert not pane.go_on.isVisible()


def test_points_in_the_status_bar_count_and_open_the_pane(open_in, qtbot, capsys) -> None:
    """One a severity, of those that have items; a click shows the pane, as the menu does."""
    told = Counter(one["severity"] for one in listed(capsys))
    window = open_in(FAULTS)
    qtbot.waitUntil(lambda: is_complete(window))
    buttons = window.status.items.buttons
    shown = {severity.word: button.text() for severity, button in buttons.items() if button.isVisible()}
    assert shown == {word: str(count) for word, count in told.items()}
    assert len(shown) > 2
    pane = window.workspace.panes["expert"]
    assert not pane.isVisible()
    qtbot.mouseClick(buttons[Severity.NOTE], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(pane.isVisible)
    window.workspace.show_pane("expert", False)
    qtbot.waitUntil(lambda: not pane.isVisible())
    window.actions_by_name["expert"].trigger()
    qtbot.waitUntil(pane.isVisible)
    window.close_capture()
    assert not any(button.isVisible() for button in buttons.values())
    assert rows(pane) == []


def test_an_item_leads_to_its_wpdu_or_to_the_one_next_to_its_packet(shown, capsys) -> None:
    """A filter that hides the WPDU gives way; without a WPDU it is the first that ends there or later."""
    window, pane = shown()
    window.workspace.show_session()
    window.selection.restrict("none", "wpdu.number == 0")
    truncated = next(one for one in listed(capsys) if one["item"] == "truncated")
    pane.tree.setCurrentIndex(item(pane, "truncated"))
    assert window.selection.row == truncated["number"] - 1
    assert not window.selection.filters
    lost = next(one for one in listed(capsys) if one["number"] is None and one["packet"])
    group = [word for word, _ in rows(pane)].index(lost["item"])
    place = pane.tree.items.groups.places(group, "packet", lost["packet"] - 1)[0]
    pane.tree.setCurrentIndex(item(pane, lost["item"], int(place)))
    wpdus, row = window.workspace.traffic.wpdus, window.selection.row
    assert wpdus["stream"][row] == lost["stream"]
    ends = wpdus["last_packet"][wpdus["stream"] == lost["stream"]]
    assert wpdus["last_packet"][row] == min(
        (end for end in ends if end >= lost["packet"] - 1), default=ends[-1]
    )


def test_the_pane_follows_the_selection(shown) -> None:
    """It marks an item of the current WPDU in a kind that is open; of others it marks none."""
    window, pane = shown()
    index = item(pane, "truncated", 1)
    wpdu = pane.tree.items.place(index)[0]
    window.selection.go_to(wpdu)
    assert not pane.tree.currentIndex().isValid()
    pane.tree.expand(index.parent())
    window.selection.go_to(0)
    window.selection.go_to(wpdu)
    assert pane.tree.items.place(pane.tree.currentIndex())[0] == wpdu
    assert window.selection.row == wpdu
    window.selection.go_to(0)
    assert not pane.tree.currentIndex().isValid()
    assert window.selection.row == 0


def test_severities_and_displayed_wpdus_restrict_the_items(shown, qtbot) -> None:
    """Buttons switch severities off and on; what is open stays so; filters of the table hold where asked."""
    _window, pane = shown()
    window = _window
    everything = rows(pane)
    pane.tree.expand(pane.tree.items.index(1, 0))
    opened = pane.tree.items.kind(pane.tree.items.index(1, 0))
    for severity in (Severity.CHAT, Severity.ERROR):
        qtbot.mouseClick(pane.choice.buttons[severity], Qt.MouseButton.LeftButton)
    left = pane.tree.items.groups.kinds
    assert {kind.severity for kind in left} == {Severity.WARNING, Severity.NOTE}
    assert pane.tree.isExpanded(pane.tree.items.index(left.index(opened), 0))
    for severity in (Severity.CHAT, Severity.ERROR):
        qtbot.mouseClick(pane.choice.buttons[severity], Qt.MouseButton.LeftButton)
    assert rows(pane) == everything
    pane.displayed_only.setChecked(True)
    with_wpdu = pane.tree.items.groups.rows
    assert 0 < len(with_wpdu) < sum(count for _, count in everything)
    window.selection.go_to(pane.tree.items.place(item(pane, "truncated"))[0])
    window.workspace.show_session()
    assert 0 < len(pane.tree.items.groups.rows) < len(with_wpdu)
    window.selection.show_all()
    assert pane.tree.items.groups.rows.tolist() == with_wpdu.tolist()


def test_keys_change_the_items(shown, qtbot) -> None:
    """With keys APDUs are opened: the pass is made again, and columns of the table have the new items."""
    window, pane = shown(SAMPLES / "first-look.pcapng")
    assert "no-key" in dict(rows(pane))
    assert "opened" not in dict(rows(pane))
    window.workspace.set_keys(KeyTable.load(str(resource("samples/first-look-keys.toml"))))
    window.document.complete(window.workspace.traffic.associations)
    qtbot.waitUntil(lambda: "opened" in dict(rows(pane)))
    row = pane.tree.items.place(item(pane, "opened"))[0]
    assert "opened" in window.workspace.traffic.said(row, "expert.item")[0]


def test_columns_of_the_table_fill_in_behind_loading(open_in, qtbot) -> None:
    """Cells and order have the items of trees as soon as these are found, without anybody's doing."""
    window = open_in(FAULTS)
    table = window.workspace.table
    table.header.show_fields([FIELDS["expert.item"], FIELDS["expert.severity"]])
    table.header.setSortIndicator(1, Qt.SortOrder.AscendingOrder)
    qtbot.waitUntil(lambda: is_complete(window))
    late = next(
        row
        for row in range(window.document.wpdus)
        if "clock-off" in window.workspace.traffic.said(row, "expert.item")[0]
    )

    def is_shown() -> bool:
        position = table.wpdus.position(late)
        cells = [table.wpdus.data(table.wpdus.index(position, column)) for column in (0, 1)]
        return "clock-off" in cells[0] and cells[1] != ""

    qtbot.waitUntil(is_shown)
    severities = [
        table.wpdus.data(table.wpdus.index(position, 1)) for position in range(table.wpdus.rowCount())
    ]
    words = [word for word in severities if word]
    assert words == sorted(words, key=["chat", "note", "warning", "error"].index)
    assert not any(severities[len(words) :])


def test_whoever_stops_the_pass_can_go_on(shown, qtbot) -> None:
    """What needs no tree is there all the same, and the pane says what is missing."""
    window, pane = shown(shared("captures/data7.pcapng"))
    everything = rows(pane)
    window.document.complete(window.workspace.traffic.associations)
    window.cancel()
    qtbot.waitUntil(pane.go_on.isVisible)
    assert pane.state.text() == "142 APDUs not read"
    with open_capture(shared("captures/data7.pcapng")) as reader:
        analysis = Analysis(reader).run()
        find_column_items(analysis)
        words = Counter(NUMBERED[kind].word for kind in analysis.expert_items["kind"].tolist())
    assert dict(rows(pane)) == words
    assert words != dict(everything)
    qtbot.mouseClick(pane.go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: rows(pane) == everything)
    qtbot.waitUntil(lambda: pane.state.text() == "")


def test_a_row_is_copied(shown) -> None:
    """Severity and cells with tabs between."""
    _, pane = shown()
    pane.tree.setCurrentIndex(item(pane, "truncated"))
    pane.tree.copy()
    severity, *cells = QGuiApplication.clipboard().text().split("\t")
    assert severity == "warning"
    assert cells[0].startswith("Length at offset 6 says 345 octets")
