"""The pane of objects on real captures: what it says, both ways of selecting, words, filters, the notch."""

import csv
import io
import json
from itertools import chain

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QMenu

from cosemscope import cli
from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.panes.objects.object_detail import CURVE, TABLE
from cosemscope.gui.panes.objects.object_model import REFUSED, VALUE
from cosemscope.gui.panes.objects.object_pane import ObjectPane
from cosemscope.gui.panes.objects.value_history import NUMBER
from cosemscope.gui.panes.objects.value_history import VALUE as HISTORY_VALUE
from cosemscope.resources import resource
from tests.helpers import traffic_apdus as a
from tests.helpers.wire import Tcp, Wire, wpdu

ENERGY = "1.0.1.8.0.255"
SAMPLES = (SAMPLE, "samples/faults.pcapng", "samples/push.pcapng")


@pytest.fixture
def shown(open_in, qtbot):
    """The window on a sample with its objects."""

    def show(name: str) -> tuple[Window, ObjectPane]:
        window = open_in(resource(name))
        window.actions_by_name["objects"].trigger()
        pane = window.workspace.panes["objects"]
        qtbot.waitUntil(lambda: pane.objects.rowCount() > 0)
        return window, pane

    return show


def told(name: str, capsys) -> list[dict]:
    cli.main(["objects", str(resource(name)), "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def attributes(pane: ObjectPane) -> range:
    return range(*pane.objects.nodes.offsets[3:5])


def node_of(pane: ObjectPane, obis: str, member: int, meter: str = "") -> int:
    nodes = pane.objects.nodes
    return next(
        node
        for node in attributes(pane)
        if nodes.title(nodes.parent.item(node)).startswith(f"{obis} ")
        and nodes.attribute(node).member == member
        and meter in ("", nodes.meter(node))
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_it_says_what_the_command_says(shown, capsys, name):
    """Every attribute with meter, logical device, name, counts and the last WPDU that told it."""
    _, pane = shown(name)
    nodes, said = pane.objects.nodes, {}
    for node in attributes(pane):
        one = nodes.attribute(node)
        key = (
            one.device.meter,
            one.device.wport,
            nodes.title(nodes.parent.item(node)).split()[0],
            one.member,
        )
        said[key] = nodes.counts(node)
    wanted = {
        (one["meter"], one["logical_device"], one["obis"], one["attribute"]): tuple(
            one[word] for word in ("reads", "writes", "pushes", "refused")
        )
        for one in told(name, capsys)
    }
    assert said == wanted


def test_values_are_those_of_the_command(shown, capsys):
    """With scaler and unit, as its table has them; a refusal says why."""
    _, pane = shown(SAMPLE)
    cli.main(["objects", str(resource(SAMPLE))])
    lines = capsys.readouterr().out.splitlines()
    start = lines[0].index("Value"), lines[0].index("Told at")
    words = sorted(line[slice(*start)].strip() for line in lines[1:])
    assert sorted(pane.objects.text(node, VALUE).strip() for node in attributes(pane)) == words


def test_one_value_over_time_in_three_actions(shown, qtbot):
    """The key that shows the pane, words and Enter, the tab with the curve; points lead to WPDUs."""
    window, pane = shown(SAMPLE)
    assert pane.words.hasFocus()
    qtbot.keyClicks(pane.words, f"{ENERGY} value 198.51.100.21")
    qtbot.waitUntil(lambda: pane.objects.nodes.attributes == 1)
    qtbot.keyClick(pane.words, Qt.Key.Key_Return)
    detail = pane.detail
    qtbot.waitUntil(lambda: detail.values.rowCount() == 4)
    assert [detail.values.text(row, HISTORY_VALUE) for row in range(4)] == [
        "4978.644 kWh",
        "read-write-denied",
        "4978.644 kWh",
        "4978.644 kWh",
    ]
    detail.setCurrentIndex(CURVE)
    curve = detail.curve
    assert curve.unit == "kWh"
    assert curve.values.tolist() == [4978.644] * 3
    assert [int(row) + 1 for row in curve.rows] == [12, 53, 55]
    curve.setFocus()
    qtbot.keyClick(curve, Qt.Key.Key_Right)
    assert window.selection.row == 11
    qtbot.keyClick(curve, Qt.Key.Key_Right)
    assert window.selection.row == 52
    point = curve.plot.getViewBox().mapViewToDevice
    place = point(curve.plot.getViewBox().mapToView(curve.plot.getViewBox().rect().center()))
    assert place is not None
    assert curve.nearest(type(place)(curve.seconds[2], curve.values[2])) == 54
    assert curve.nearest(type(place)(curve.seconds[2] - 1, curve.values[2])) == -1


def test_all_of_one_object_in_three_actions(shown, qtbot):
    """The pane, a click on the object, its filter: every WPDU about it is displayed, and none else."""
    window, pane = shown(SAMPLE)
    node = node_of(pane, ENERGY, 2, "198.51.100.21")
    pane.show_node(pane.objects.nodes.parent.item(node))
    qtbot.waitUntil(lambda: pane.detail.values.rowCount() > 0)
    index = pane.tree.currentIndex()
    menu = QMenu(pane)
    pane.menu_actions(menu, index)
    offers = dict(pane.filter_offers(index))
    assert offers["The object at all meters"] == f"obis == {ENERGY}"
    apply = next(action for action in menu.actions() if action.text() == "&Apply as filter")
    ways = next(a for a in apply.menu().actions() if a.text() == "The object at this meter")
    ways.menu().actions()[0].trigger()
    qtbot.waitUntil(lambda: window.workspace.table.wpdus.rowCount() < 142)
    shown_rows = window.workspace.table.wpdus.rowCount()
    expected = window.workspace.traffic.analysis.first_look["obis"]
    assert shown_rows >= (expected == int.from_bytes(bytes(map(int, ENERGY.split("."))), "big")).sum() > 0


def test_a_value_leads_to_its_wpdu_and_the_current_wpdu_is_marked(shown, qtbot):
    window, pane = shown(SAMPLE)
    node = node_of(pane, ENERGY, 2, "198.51.100.21")
    pane.show_node(node)
    table, values = pane.detail.value_table, pane.detail.values
    qtbot.waitUntil(lambda: values.rowCount() == 4)
    index = values.index(1, NUMBER)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(index).center())
    assert window.selection.row == 47
    window.selection.go_to(54)
    assert table.currentIndex().row() == 3
    window.selection.go_to(0)
    assert not table.currentIndex().isValid()
    pane.tree.setFocus()
    qtbot.keyClick(pane.tree, Qt.Key.Key_Return)
    assert window.selection.row == 54


def test_words_and_display_filters_leave_what_fits(shown, qtbot):
    """Words are looked for in names, classes and meters; a filter counts its WPDUs alone."""
    window, pane = shown(SAMPLE)
    whole = pane.objects.nodes.attributes

    def left(words: str) -> int:
        pane.words.setText(words)
        qtbot.waitUntil(lambda: not pane._arranging.is_running)
        return pane.objects.nodes.attributes if pane.objects.nodes else 0

    assert 0 < left("1-0:1.8.0") == left("1.0.1.8.0") < whole
    assert 0 < left("clock time") < whole
    assert left("198.51.100.21") < whole
    assert left("nothing of the kind") == 0
    assert pane.tree.hint
    assert left("") == whole
    window.workspace.filter.show_filter(f"obis == {ENERGY}")
    qtbot.waitUntil(lambda: pane.objects.nodes.attributes < whole)
    assert sum(pane.objects.nodes.counts(node)[0] for node in range(pane.objects.rowCount())) > 0
    assert node_of(pane, ENERGY, 2)
    window.selection.show_all()
    qtbot.waitUntil(lambda: pane.objects.nodes.attributes == whole)


def test_a_profile_is_a_table_and_goes_out_as_csv(shown, qtbot, tmp_path):
    """As many entries as the command tells, under the same heads; values of a history with units apart."""
    _, pane = shown(SAMPLE)
    nodes = pane.objects.nodes
    buffers = [node for node in attributes(pane) if nodes.attribute(node).class_id == 7]
    pane.show_node(buffers[0])
    detail = pane.detail
    qtbot.waitUntil(lambda: detail.isTabVisible(TABLE))
    assert detail.tabText(TABLE) == "96 entries"
    assert detail.told.rowCount() == 96
    detail.copy_table_csv()
    rows = list(csv.reader(io.StringIO(QGuiApplication.clipboard().text())))
    assert len(rows) == 97
    path = tmp_path / "values.csv"
    pane.show_node(node_of(pane, ENERGY, 2, "198.51.100.21"))
    qtbot.waitUntil(lambda: detail.values.rowCount() == 4)
    assert not detail.isTabVisible(TABLE)
    detail.write(path, detail.values.lines())
    lines = list(csv.DictReader(path.read_text().splitlines()))
    assert (lines[0]["value"], lines[0]["unit"], lines[0]["number"]) == ("4978644", "Wh", "12")


def test_the_notch_hides_what_is_known(shown, qtbot):
    """All is hidden, and the pane says so; another click shows it again."""
    _, pane = shown(SAMPLE)
    qtbot.mouseClick(pane.notch, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pane.objects.rowCount() == 0)
    assert "notch" in pane.tree.hint
    qtbot.mouseClick(pane.notch, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pane.objects.rowCount() > 0)


def test_the_model_keeps_qts_rules_and_rows_are_copied(shown, qtbot):
    window, pane = shown(SAMPLE)
    tester = QAbstractItemModelTester(pane.objects, QAbstractItemModelTester.FailureReportingMode.Warning)
    pane.words.setText("clock")
    qtbot.waitUntil(lambda: not pane._arranging.is_running)
    assert tester.model() is pane.objects
    pane.tree.setFocus()
    pane.show_node(pane.objects.nodes.offsets[3])
    qtbot.keyClick(pane.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    cells = QGuiApplication.clipboard().text().split("\t")
    assert cells[0].strip() == pane.objects.nodes.title(pane.objects.nodes.offsets[3])
    assert len(cells) == REFUSED + 1
    window.close_capture()
    assert pane.objects.rowCount(QModelIndex()) == 0
    assert pane.detail.values.rowCount() == 0
    assert pane.tree.hint


def test_secrets_stay_hidden(window, qtbot, tmp_path):
    """The secret of an association is hidden in the tree, in histories and in what is copied."""
    talk = Wire()
    meter = Tcp(talk).handshake()
    for _ in range(2):
        meter.say(0, wpdu(a.get_request(0xC1, 15, "0.0.40.0.0.255", 7), 16, 1))
        meter.say(1, wpdu(a.get_response(0xC1, a.octet_string(b"secret77")), 1, 16))
    window.open_path(str(talk.capture(tmp_path / "secret.pcap")))
    window.workspace.show_objects()
    pane = window.workspace.panes["objects"]
    qtbot.waitUntil(lambda: pane.objects.rowCount() > 0)
    node = pane.objects.nodes.offsets[3]
    pane.show_node(node)
    qtbot.waitUntil(lambda: pane.detail.values.rowCount() == 2)
    pane.detail.copy_csv()
    texts = (pane.objects.text(node, VALUE), *chain.from_iterable(pane.detail.values.lines()))
    for text in (*texts, QGuiApplication.clipboard().text()):
        assert "secret77" not in text
        assert b"secret77".hex() not in text.replace(" ", "")


def test_an_object_list_is_a_table_with_access_rights(window, qtbot, tmp_path):
    talk = Wire()
    meter = Tcp(talk).handshake()
    rights = a.structure(
        a.array(a.structure(a.integer(2), a.enum(1), b"\x00")), a.array(a.structure(a.integer(1), a.enum(0)))
    )
    entry = a.structure(a.long_unsigned(3), a.unsigned(0), a.octet_string(a.obis(ENERGY)), rights)
    meter.say(0, wpdu(a.get_request(0xC1, 15, "0.0.40.0.0.255", 2), 16, 1))
    meter.say(1, wpdu(a.get_response(0xC1, a.array(entry)), 1, 16))
    window.open_path(str(talk.capture(tmp_path / "list.pcap")))
    window.workspace.show_objects()
    pane = window.workspace.panes["objects"]
    qtbot.waitUntil(lambda: pane.objects.rowCount() > 0)
    pane.show_node(pane.objects.nodes.offsets[3])
    qtbot.waitUntil(lambda: pane.detail.isTabVisible(TABLE))
    told = pane.detail.told
    cells = [told.index(0, column).data() for column in range(told.columnCount())]
    assert pane.detail.tabText(TABLE) == "1 object"
    assert cells[0] == ENERGY
    assert cells[4:] == ["value: read_only", "reset: no_access"]


def test_what_changes_in_a_growing_capture_is_lit_and_passes_the_notch(window, qtbot, tmp_path):
    """Of two registers one takes another value behind the notch: it alone is shown; what rests is silent."""
    talk = Wire()
    meter = Tcp(talk).handshake()

    def read(name: str, value: int) -> None:
        meter.say(0, wpdu(a.get_request(0xC1, 3, name), 16, 1))
        meter.say(1, wpdu(a.get_response(0xC1, a.long_unsigned(value)), 1, 16))

    for value in (1, 2, 3):
        read(ENERGY, value)
        read("1.0.2.8.0.255", 7)
    path = talk.capture(tmp_path / "growing.pcap")
    known = path.read_bytes()
    for _ in range(8):
        read("1.0.2.8.0.255", 7)
    read(ENERGY, 4)
    more = talk.capture(tmp_path / "more.pcap").read_bytes()[len(known) :]
    window.open_spool(UnsavedSpool(path, "A test's"), follow=True)
    qtbot.waitUntil(lambda: window.workspace.traffic.total == 12)
    window.workspace.show_objects()
    pane = window.workspace.panes["objects"]
    qtbot.waitUntil(lambda: pane.objects.nodes is not None and pane.objects.nodes.attributes == 2)
    pane.notch.click()
    qtbot.waitUntil(lambda: pane.objects.rowCount() == 0)
    with path.open("ab") as file:
        file.write(more[: len(more) * 8 // 9])
    qtbot.waitUntil(lambda: pane._grouped.taken == 28)
    assert pane.objects.rowCount() == 0  # the same value is no news
    with path.open("ab") as file:
        file.write(more[len(more) * 8 // 9 :])
    qtbot.waitUntil(lambda: pane.objects.rowCount() == 1)
    node = pane.objects.nodes.offsets[3]
    assert pane.objects.text(node, VALUE) == "4"
    assert pane.objects.index_of(node).data(Qt.ItemDataRole.BackgroundRole) is not None
    qtbot.waitUntil(lambda: pane.objects.flashing_from < 0)
    assert pane.objects.index_of(node).data(Qt.ItemDataRole.BackgroundRole) is None
    pane.notch.click()
    qtbot.waitUntil(lambda: pane.objects.nodes.attributes == 2)
    window.document.stop_following()
    qtbot.waitUntil(lambda: not window.document.reading)
