"""Ciphered APDUs in the window: verdicts, decrypted octets, whose key is wanted; on real captures."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.context import Context
from cosemscope.apdu.fields import leaves
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.gui.document.protection import VERDICT_LOOKS, WantedKey, listening
from cosemscope.gui.keys.key_dialog import KeyDialog
from cosemscope.gui.look import theme
from cosemscope.gui.panes.details.verdict_bar import VerdictBar
from cosemscope.gui.panes.wpdus.column_looks import USUAL_FIELDS
from cosemscope.resources import resource
from tests.gui.look.test_theme import contrast
from tests.helpers.shared import shared

NUMBER = {name: number for number, name in enumerate(USUAL_FIELDS)}
EK, AK = "000102030405060708090A0B0C0D0E0F", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
KEYS = KeyTable.parse(f'[[key]]\nname = "both"\nencryption = "{EK}"\nauthentication = "{AK}"')
CLIENT, METER = "4D4D4D0000BC614E", "4142434445464748"


@pytest.fixture
def ciphered(open_in):
    """The window on the shared ciphered capture."""
    return open_in(shared("captures/Output-Ciphered-HLS.pcap"))


def tabs(window) -> list[str]:
    details = window.workspace.details
    return [details.tabs.tabText(number) for number in range(details.tabs.count())]


def info(window, qtbot, row: int) -> str:
    """The row's info line as the table shows it once it is completed."""
    model = window.workspace.table.wpdus
    model.info(row)
    qtbot.waitUntil(lambda: model.cells.settled)
    return model.data(model.index(row, NUMBER["info"]))


def menu_texts(window, row: int) -> dict[str, object]:
    menu = QMenu(window)
    window.workspace.table.select_row(row)
    window.workspace.table.menu_actions(menu, row)
    return {action.text(): action for action in menu.actions() if action.text()}


def test_without_a_key_it_is_said_whose_is_wanted(ciphered, qtbot):
    """The bar, the info line's tool tip and its lock name the system title; nothing is shown as opened."""
    workspace = ciphered.workspace
    workspace.selection.go_to(4)
    bar = workspace.details.verdict
    assert bar.isVisible()
    assert bar.shown.verdict is Verdict.NO_KEY
    assert CLIENT in bar.sentence.text()
    assert bar.add_key.isVisible()
    assert tabs(ciphered) == ["WPDU"]
    assert info(ciphered, qtbot, 4).startswith("glo-get-request")
    model = workspace.table.wpdus
    index = model.index(4, NUMBER["info"])
    assert CLIENT in model.data(index, int(Qt.ItemDataRole.ToolTipRole))
    assert model.data(index, int(Qt.ItemDataRole.DecorationRole)) is not None
    workspace.selection.go_to(5)
    assert METER in bar.sentence.text()


def test_keys_open_at_once_and_the_selection_stays(ciphered, qtbot):
    """Line, tree and octets follow the keys; the selected field and the rows shown do not move; and back."""
    workspace = ciphered.workspace
    workspace.selection.go_to(4)
    details = workspace.details
    qtbot.mouseClick(
        details.view.viewport(), Qt.MouseButton.LeftButton, pos=details.view.octet_rect(12).center()
    )
    assert details.fields.current_item().name == "invocation-counter"
    assert info(ciphered, qtbot, 4).startswith("glo-get-request")
    ciphered.opening.keeper.set_keys(KEYS)
    assert workspace.table.current_row == 4
    assert details.fields.current_item().name == "invocation-counter"
    assert details.view.octets == workspace.traffic.octets(4)
    assert tabs(ciphered) == ["WPDU", "decrypted"]
    assert details.verdict.shown.verdict is Verdict.OPENED
    assert not details.verdict.add_key.isVisible()
    for words in ("both", CLIENT, "invocation counter 4", "AAD SC || AK", "tag is right"):
        assert words in details.verdict.sentence.text()
    assert info(ciphered, qtbot, 4).startswith("GET 0.0.40.0.0.255")
    ciphered.opening.keeper.set_keys(NO_KEYS)
    assert tabs(ciphered) == ["WPDU"]
    assert info(ciphered, qtbot, 4).startswith("glo-get-request")
    assert details.fields.current_item().name == "invocation-counter"


def test_every_wpdu_of_the_ciphered_capture_is_opened(ciphered, qtbot):
    """All 266 rows: what is ciphered has the verdict opened, and an info line of what was inside."""
    ciphered.opening.keeper.set_keys(KEYS)
    traffic = ciphered.workspace.traffic
    lines = [traffic.info(row) for row in range(traffic.total)]
    assert len(lines) == 266
    verdicts = {line.verdict for line in lines}
    assert verdicts <= {Verdict.OPENED, Verdict.CLEAR}
    assert sum(line.verdict is Verdict.OPENED for line in lines) >= 262
    assert sum(line.text.startswith("GET") for line in lines) >= 250


def test_decrypted_octets_and_fields_find_each_other(ciphered, qtbot):
    """Every octet of the decrypted tab leads to the field that owns it, and each field back to its octets."""
    ciphered.opening.keeper.set_keys(KEYS)
    workspace = ciphered.workspace
    workspace.selection.go_to(4)
    details = workspace.details
    bar = details.tabs.tabBar()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(1).center())
    view = details.view
    assert view.octets[0] == 0xC0
    owners = {
        offset: leaf
        for leaf in leaves(details.fields.model().decoded.root, 1)
        for offset in range(leaf.start, leaf.stop)
    }
    assert sorted(owners) == list(range(len(view.octets)))
    for offset, leaf in owners.items():
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.octet_rect(offset).center())
        item = details.fields.current_item()
        assert (item.name, item.start, item.stop, item.source) == (leaf.name, leaf.start, leaf.stop, 1)
        assert details.tabs.currentIndex() == 1
        assert view.field_range == (leaf.start, leaf.stop)
    tree = details.fields
    index = tree.model().innermost(0, 11)
    tree.scrollTo(index)
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(index).center())
    assert details.tabs.currentIndex() == 0
    index = tree.model().innermost(1, 5)
    tree.scrollTo(index)
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(index).center())
    assert details.tabs.currentIndex() == 1
    assert details.view.field_range[0] <= 5 < details.view.field_range[1]


def test_joined_blocks_have_a_tab_too(ciphered, qtbot):
    """The last block of a ciphered response: what was decrypted and what the blocks make together."""
    ciphered.opening.keeper.set_keys(KEYS)
    ciphered.selection.go_to(7)
    assert tabs(ciphered) == ["WPDU", "decrypted", "joined blocks"]
    details = ciphered.workspace.details
    assert details.fields.select_octet(2, 40)
    assert details.tabs.currentIndex() == 2
    start, stop = details.view.field_range
    assert start <= 40 < stop
    assert len(details.view.octets) > len(details.views[1].octets)


def test_a_wrong_key_says_that_the_tag_is_wrong(ciphered):
    """Nothing is shown as opened with a key that does not fit."""
    ciphered.opening.keeper.set_keys(KeyTable.parse(f'[[key]]\nencryption = "{AK}"\nauthentication = "{AK}"'))
    ciphered.selection.go_to(4)
    bar = ciphered.workspace.details.verdict
    assert bar.shown.verdict is Verdict.TAG_WRONG
    assert tabs(ciphered) == ["WPDU"]
    assert bar.add_key.isVisible()


def test_a_wrong_encryption_key_alone_is_no_missing_one(ciphered, qtbot):
    """The head says what the sentence says, in the colour of what is wrong; so does the row."""
    ciphered.opening.keeper.set_keys(KeyTable.parse(f'[[key]]\nencryption = "{AK}"'))
    ciphered.selection.go_to(4)
    bar = ciphered.workspace.details.verdict
    assert bar.badge.text() == "Key does not fit"
    assert "the key that is given does not fit" in bar.sentence.text().lower()
    assert bar.add_key.isVisible()
    line = ciphered.workspace.table.wpdus.info(4)
    qtbot.waitUntil(lambda: ciphered.workspace.table.wpdus.info(4).verdict is Verdict.KEY_UNFIT)
    assert line.text
    assert "no-key" not in info(ciphered, qtbot, 4)


@pytest.mark.parametrize("wrong", [AK, EK])
def test_keys_of_one_holder_in_two_entries(ciphered, wrong):
    """They are as good as in one: a wrong authentication key is a wrong tag, and not a missing key."""
    entry = f'[[key]]\nsystem_title = "{CLIENT}"\n'
    given = f'{entry}encryption = "{EK}"\n{entry}authentication = "{wrong}"'
    ciphered.opening.keeper.set_keys(KeyTable.parse(given))
    ciphered.selection.go_to(4)
    bar = ciphered.workspace.details.verdict
    assert bar.shown.verdict is (Verdict.OPENED if wrong == AK else Verdict.TAG_WRONG)
    assert "no authentication key" not in bar.sentence.text()


def test_without_the_authentication_key_it_is_opened_and_said(ciphered):
    """Opened, but nobody has checked the tag: another colour, another word."""
    ciphered.opening.keeper.set_keys(KeyTable.parse(f'[[key]]\nencryption = "{EK}"'))
    ciphered.selection.go_to(4)
    bar = ciphered.workspace.details.verdict
    assert bar.shown.verdict is Verdict.UNAUTHENTICATED
    assert bar.badge.text() == "Not authenticated"
    assert tabs(ciphered) == ["WPDU", "decrypted"]


def test_the_context_menus_offer_to_add_the_key_that_is_wanted(ciphered, qtbot):
    """Table, bar and tree lead to the same dialog, filled in with the system title."""
    actions = menu_texts(ciphered, 4)
    assert f"Add key for MMM {CLIENT}…" in actions
    assert not any(text.startswith("Copy decrypted") for text in actions)
    actions[f"Add key for MMM {CLIENT}…"].trigger()
    dialog = ciphered.findChild(KeyDialog)
    assert dialog.lines["system_title"].text() == CLIENT
    dialog.reject()


def test_a_key_typed_from_the_bar_opens_the_capture(ciphered, qtbot):
    """Click on Add key, type two keys, press Return: opened. Only keys of that title are asked for."""
    ciphered.selection.go_to(5)
    bar = ciphered.workspace.details.verdict
    qtbot.mouseClick(bar.add_key, Qt.MouseButton.LeftButton)
    dialog = ciphered.findChild(KeyDialog)
    assert dialog.lines["system_title"].text() == METER
    qtbot.keyClicks(dialog.lines["encryption"], EK)
    qtbot.keyClicks(dialog.lines["authentication"], AK)
    qtbot.keyClick(dialog.lines["authentication"], Qt.Key.Key_Return)
    assert bar.shown.verdict is Verdict.OPENED
    assert len(ciphered.opening.keeper.keys) == 1
    assert not ciphered.opening.dialog.isVisible()


def test_the_tree_offers_keys_for_titles_and_marks_what_is_opened(ciphered):
    """The AARQ's title leads to a key; the ciphered text has its lock."""
    ciphered.selection.go_to(0)
    fields = ciphered.workspace.details.fields
    assert fields.wanted_titles() == [bytes.fromhex(CLIENT)]
    ciphered.opening.keeper.set_keys(KEYS)
    assert fields.wanted_titles() == []
    model = fields.model()
    ciphered.selection.go_to(4)
    index = model.innermost(0, 20)
    assert model.item(index).name == "ciphered-text"
    assert model.data(index, int(Qt.ItemDataRole.DecorationRole)) is not None
    ink = model.data(index.siblingAtColumn(1), int(Qt.ItemDataRole.ForegroundRole)).color().name()
    assert ink == theme.colours(QGuiApplication.palette()).secure


def test_the_apdu_and_what_was_decrypted_can_be_copied(ciphered, qtbot):
    """From the table's menu: the APDU without its WPDU header, and the opened octets."""
    ciphered.opening.keeper.set_keys(KEYS)
    actions = menu_texts(ciphered, 4)
    clipboard = QGuiApplication.clipboard()
    actions["Copy APDU as hex stream"].trigger()
    assert clipboard.text() == ciphered.workspace.traffic.octets(4)[8:].hex()
    actions["Copy decrypted APDU as hex stream"].trigger()
    assert clipboard.text() == ciphered.workspace.details.views[1].octets.hex()
    assert clipboard.text().startswith("c0")


def test_another_capture_is_opened_with_the_same_keys(open_in, qtbot):
    """Keys belong to the window: the bundled sample, its key file, and opening it again."""
    window = open_in(resource("samples/first-look.pcapng"))
    window.open_path(str(resource("samples/first-look-keys.toml")))
    qtbot.waitUntil(lambda: len(window.opening.keeper.keys) == 3)
    traffic = window.workspace.traffic
    opened = [row for row in range(traffic.total) if traffic.info(row).verdict is Verdict.OPENED]
    assert len(opened) >= 30
    assert not any(traffic.info(row).verdict is Verdict.NO_KEY for row in range(traffic.total))
    window.reload()
    qtbot.waitUntil(lambda: window.document is not None and not window.document.reading)
    assert window.workspace.traffic is not traffic
    assert window.workspace.traffic.info(opened[0]).verdict is Verdict.OPENED


# The parts by themselves.


@pytest.mark.parametrize("verdict", VERDICT_LOOKS)
@pytest.mark.parametrize("scheme", [theme.LIGHT, theme.DARK])
def test_every_verdict_has_a_look_that_can_be_read(qtbot, look, verdict, scheme):
    """An icon, a word and colours with enough contrast in both schemes."""
    bar = VerdictBar()
    qtbot.addWidget(bar)
    bar.show_openings([Opening(verdict, notes=("because",))])
    assert bar.badge.text()
    shown = VERDICT_LOOKS[verdict]
    assert contrast(getattr(scheme, shown.ink), getattr(scheme, shown.back)) >= 4.5
    assert contrast(scheme.text, getattr(scheme, shown.back)) >= 4.5


def test_only_what_is_not_clear_has_a_look():
    """Whoever adds a verdict on a ciphered part gives it a look."""
    signatures = {Verdict.VERIFIED, Verdict.SIGNATURE_WRONG}
    assert set(VERDICT_LOOKS) == set(Verdict) - {Verdict.CLEAR} - signatures


def test_what_is_not_opened_is_told_before_what_is(qtbot, look):
    """Two protected parts in one WPDU."""
    bar = VerdictBar()
    qtbot.addWidget(bar)
    closed = Opening(Verdict.NO_KEY, title=b"ABCDEFGH", notes=("no key is given",))
    opened = Opening(Verdict.OPENED, b"\x01", 1, "k", b"ABCDEFGH", "SC || AK")
    bar.show_openings([opened, closed])
    assert bar.shown is closed
    assert "1 more" in bar.sentence.text()
    bar.show_openings([])
    assert bar.isHidden()


def test_a_context_without_an_opener_is_left_alone():
    """Nothing to listen to."""
    context = Context()
    assert listening(context) == (context, [])


def test_wanted_keys_are_called_by_title_or_address():
    """The menu's words."""
    assert WantedKey(bytes.fromhex(METER)).order == f"Add key for ABC {METER}…"
    assert WantedKey(None, "198.51.100.7").order == "Add key for 198.51.100.7…"
    assert WantedKey(None).order == "Add key…"
