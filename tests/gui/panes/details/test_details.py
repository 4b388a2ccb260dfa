"""Fields and octets show each other, by mouse and by key."""

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.apdu.fields import ByteSource, Decoded, Field, Problem
from cosemscope.gui.panes.details.details import Details
from cosemscope.streams.tables.framing import Framing
from tests.helpers.polled import ANSWER, REQUEST
from tests.helpers.traffic_apdus import wpdu

WPDU = wpdu(1, 16, ANSWER)
ROOT = QModelIndex()


@pytest.fixture
def details(qtbot, look):
    details = Details()
    qtbot.addWidget(details)
    details.resize(1200, 400)
    with qtbot.waitExposed(details):
        details.show()
    return details


def rows_of(model, parent=ROOT):
    """All rows below an index as (depth, name, value, octets)."""
    found = []
    for row in range(model.rowCount(parent)):
        cells = [model.index(row, column, parent) for column in range(3)]
        found.append(tuple(model.data(cell) for cell in cells))
        found += rows_of(model, cells[0])
    return found


def test_the_headers_four_fields_are_named(details):
    """Version, both wPorts with their names, and the length, each with its octets."""
    details.show_decoded(decode_framed(WPDU, Framing.WRAPPER))
    rows = rows_of(details.fields.model())
    by_name = {name: (value, octets) for name, value, octets in rows}
    assert by_name["version"] == ("1", "0–1")
    assert by_name["source-wport"] == ("Management Logical Device (1)", "2–3")
    assert by_name["destination-wport"] == ("Public Client (16)", "4–5")
    assert by_name["length"] == ("9", "6–7")
    assert by_name["get-response"][1] == "8–16"


def test_a_click_on_an_octet_selects_its_innermost_field(details, qtbot):
    """Every octet leads to the field that owns it, and the field's octets are coloured."""
    details.show_decoded(decode_framed(WPDU, Framing.WRAPPER))
    view = details.view
    for offset, (start, stop) in {2: (2, 4), 5: (4, 6), 7: (6, 8), 8: (8, 9), 16: (13, 17)}.items():
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.octet_rect(offset).center())
        item = details.fields.current_item()
        assert (item.start, item.stop) == (start, stop)
        assert view.field_range == (start, stop)


def test_a_click_on_a_field_colours_its_octets(details, qtbot):
    """The other way round."""
    details.show_decoded(decode_framed(WPDU, Framing.WRAPPER))
    tree = details.fields
    index = tree.model().innermost(0, 2)
    tree.scrollTo(index)
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(index).center())
    assert details.view.field_range == (2, 4)
    qtbot.keyClick(tree, Qt.Key.Key_Down)
    assert details.view.field_range == (4, 6)


def test_a_second_byte_source_has_a_tab_of_its_own(details):
    """What was decrypted or joined stands beside the WPDU; choosing a field brings its tab to the front."""
    inner = Field("plaintext", None, 0, 3, (Field("value", 7, 1, 3, source=1),), source=1)
    outer = Field("ciphered", None, 4, 9, (inner,))
    root = Field("WPDU", None, 0, 9, (Field("header", None, 0, 4), outer))
    sources = (ByteSource("WPDU", bytes(9)), ByteSource("decrypted", b"abc"))
    details.show_decoded(Decoded(root, (), sources))
    assert [details.tabs.tabText(number) for number in range(details.tabs.count())] == ["WPDU", "decrypted"]
    assert details.fields.select_octet(1, 2)
    assert details.tabs.currentIndex() == 1
    assert details.view.octets == b"abc"
    assert details.view.field_range == (1, 3)
    assert details.fields.select_octet(0, 5)
    assert details.tabs.currentIndex() == 0
    details.show_decoded(None)
    assert details.tabs.count() == 1
    assert details.view.octets == b""


def test_problems_stand_above_the_fields_and_lead_to_their_octets(details):
    """What is wrong is the first thing to see."""
    details.show_decoded(decode_framed(WPDU[:-2], Framing.WRAPPER))
    model = details.fields.model()
    first = model.index(0, 0)
    assert isinstance(model.item(first), Problem)
    assert model.data(first) in ("Error", "Warning")
    details.fields.setCurrentIndex(first)
    problem = model.item(first)
    assert details.view.field_range == (problem.start, problem.stop)


def test_a_swapped_header_is_read_straight_and_shown_as_it_is(details):
    """The octets on the wire stay what they are."""
    swapped = bytes.fromhex("0100 0100 1000 0900") + ANSWER
    details.show_decoded(decode_framed(swapped, Framing.SWAPPED))
    by_name = {name: value for name, value, _ in rows_of(details.fields.model())}
    assert by_name["destination-wport"] == "Public Client (16)"
    assert details.view.octets == swapped
    assert isinstance(details.fields.model().item(details.fields.model().index(0, 0)), Problem)


def test_bare_apdus_have_no_header(details):
    """A stream without wrapper shows the APDU alone."""
    details.show_decoded(decode_framed(REQUEST, Framing.BARE))
    names = [name for name, _, _ in rows_of(details.fields.model())]
    assert "source-wport" not in names
    assert "invoke-id-and-priority" in names


def test_qt_finds_nothing_wrong_with_the_field_model(details):
    """Qt's own checks over a real tree."""
    model = details.fields.model()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    details.show_decoded(decode_framed(WPDU, Framing.WRAPPER))
    details.fields.expandAll()
    details.show_decoded(None)
    assert tester.model() is model


def test_names_of_deep_fields_can_be_read(details):
    """The column of names grows as far as the selected field needs it, and is as before for the next WPDU."""
    depth = 12
    field = Field("innermost", 7, 0, 1)
    for number in range(depth):
        field = Field(f"level-{number}", None, 0, 1, (field,))
    details.show_decoded(Decoded(field, (), (ByteSource("APDU", b"\x07"),)))
    fields = details.fields
    before = fields.columnWidth(0)
    assert fields.select_octet(0, 0)
    assert fields.current_item().name == "innermost"
    rect = fields.visualRect(fields.currentIndex())
    assert rect.width() >= fields.fontMetrics().horizontalAdvance("innermost")
    assert fields.columnWidth(0) > before
    assert fields.columnWidth(0) < fields.viewport().width()
    details.show_decoded(decode_framed(WPDU, Framing.WRAPPER))
    assert fields.columnWidth(0) <= before


def test_a_field_of_a_tab_never_seen_comes_into_view(details):
    """The tab of joined blocks is laid out only when it comes to the front."""
    inner = tuple(Field(f"[{number}]", number, number, number + 1, source=1) for number in range(2000))
    root = Field("WPDU", None, 0, 9, (Field("blocks", None, 0, 9, inner),))
    details.show_decoded(Decoded(root, (), (ByteSource("WPDU", bytes(9)), ByteSource("joined", bytes(2000)))))
    assert details.fields.select_octet(1, 700)
    QGuiApplication.processEvents()
    assert details.tabs.currentIndex() == 1
    assert details.view.viewport().rect().contains(details.view.octet_rect(700))


@pytest.mark.parametrize(("width", "per_line"), [(700, 8), (900, 8), (1100, 16), (1500, 16)])
def test_fields_and_octets_share_any_width(details, width, per_line):
    """Values can be read beside whole lines of octets, without scrolling to the side."""
    details.show_decoded(decode_framed(WPDU, Framing.WRAPPER))
    details.resize(width, 300)
    assert details.view.octets_per_line == per_line
    assert details.view.horizontalScrollBar().maximum() == 0
    assert details.fields.header().sectionSize(1) > 90
    assert details.arrangement() == b""


def test_a_division_by_hand_stays(details, qtbot):
    """And is remembered."""
    splitter = details.splitter
    handle = splitter.handle(1)
    middle = handle.rect().center()
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(handle, middle - QPoint(80, 0))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=middle - QPoint(80, 0))
    sizes = splitter.sizes()
    details.show_decoded(decode_framed(WPDU, Framing.WRAPPER))
    details.set_zoom(0)
    assert splitter.sizes() == sizes
    assert details.arrangement()
