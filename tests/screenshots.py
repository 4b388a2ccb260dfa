"""Pictures of the real window: start page, captures, filters and panes, keys, live links; light and dark.

    python tests/screenshots.py OUT_DIR [CAPTURE...]

Without captures the bundled sample is taken, without and with its keys, then a test link on loopback.
README's pictures are made so, into `resources/pictures`. Needs no display: it draws off screen unless told
otherwise.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # the offscreen plugin tells each move
if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.helpers.equipment import equip

    equip()

import numpy as np
from PySide6.QtWidgets import QApplication, QWidget

from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.names.tags import DATA_NOTIFICATION, GET_RESPONSE, GLO_SERVICES
from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.gui import application
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.document.protection import WantedKey
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.live.capture_dialog import CaptureDialog
from cosemscope.gui.live.connect_dialog import ConnectDialog
from cosemscope.gui.live.interface_watch import InterfaceWatch
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.live.commands.ready_made import READY_MADE
from cosemscope.resources import resource
from tests.helpers.live_window import captured_interface, listener

KEYS = "samples/first-look-keys.toml"
PASTED = """\
# a GET response as somebody mailed it
00000000  00 01 00 01 00 10 00 12  c4 01 c1 00 09 0c 07 e9  |................|
00000010  0a 09 04 0b 00 1c 00 ff  c4 00                    |..........|
0000001a
"""

SIZE = (1800, 1000)
PATIENCE = 120.0


def wait(until: Callable[[], bool], settle: float = 0.4) -> None:
    """Let the window work until something is so, and a little longer, so that it is painted."""
    application_object = QApplication.instance()
    end = time.monotonic() + PATIENCE
    while not until():
        application_object.processEvents()
        if time.monotonic() > end:
            raise TimeoutError("the window did not get ready")
    end = time.monotonic() + settle
    while time.monotonic() < end:
        application_object.processEvents()


def picture(window: QWidget, path: Path) -> None:
    """Save what a window looks like."""
    if not window.grab().save(str(path)):
        raise OSError(f"{path} could not be written")
    print(path)


def show_capture(window: Window, capture: Path) -> None:
    """Open a capture and choose what shows most: a short notification or response, and a field of it."""
    window.open_path(str(capture))
    wait(lambda: window.document is None or not window.document.reading)
    table, details = window.workspace.table, window.workspace.details
    wpdus = table.wpdus.traffic.wpdus
    for tag in (DATA_NOTIFICATION, GET_RESPONSE):
        rows = np.flatnonzero((wpdus["apdu_tag"][:500] == tag) & (wpdus["size"][:500] < 200))
        if len(rows):
            table.select_row(int(rows[0]))
            table.scrollTo(table.currentIndex(), table.ScrollHint.PositionAtCenter)
            details.fields.select_octet(0, len(details.view.octets) - 1)
            break
    wait(lambda: True)


def show_ciphered(window: Window) -> None:
    """Choose a ciphered response that follows others, and in it the last field of what was opened."""
    table, details = window.workspace.table, window.workspace.details
    tags = table.wpdus.traffic.wpdus["apdu_tag"][: window.document.wpdus]
    responses = [tag for tag, plain in GLO_SERVICES.items() if plain == GET_RESPONSE]
    rows = np.flatnonzero(np.isin(tags, responses))
    table.select_row(int(rows[min(4, len(rows) - 1)]))
    table.scrollTo(table.currentIndex(), table.ScrollHint.PositionAtCenter)
    if len(details.views) > 1:
        details.fields.select_octet(1, len(details.views[1].octets) - 1)
    wait(lambda: True)


def keys_pictures(window: Window, folder: Path, ending: str) -> None:
    """The sample without and with its keys; the dialogs of keys; the box for pasted octets."""
    opening = window.opening
    show_ciphered(window)
    picture(window, folder / f"no-key{ending}.png")
    opening.keeper.set_keys(KeyTable.load(resource(KEYS)))
    show_ciphered(window)
    picture(window, folder / f"opened{ending}.png")
    opening.show_keys()
    wait(lambda: True)
    picture(opening.dialog, folder / f"keys{ending}.png")
    form = opening.add_key(WantedKey(bytes.fromhex("4353480000000001")))
    wait(lambda: True)
    picture(form, folder / f"key{ending}.png")
    form.reject()
    opening.dialog.close()
    opening.box.open_with(PASTED)
    opening.box.details.fields.select_octet(0, 14)
    wait(lambda: True)
    picture(opening.box, folder / f"octets{ending}.png")
    opening.box.close()
    opening.keeper.set_keys(NO_KEYS)


def asking_pictures(window: Window, folder: Path, ending: str) -> None:
    """A filter with what is offered, and with a mistake; what was found, counted, exchanged; the overview."""
    workspace = window.workspace
    line = workspace.filter.line
    window.activateWindow()
    line.setFocus()
    workspace.filter.show_filter("apdu == get-response && response_time > 50ms")
    workspace.sessions.setCurrentIndex(workspace.sessions.sessions.index(1, 0))
    wait(lambda: not workspace.selection.filtering)
    picture(window, folder / f"filter{ending}.png")
    line.setText("result == ")
    line.textEdited.emit(line.text())
    wait(line.list.isVisible)
    picture(line.list, folder / f"completion{ending}.png")
    line.list.hide()
    line.setText("obis == 1.0.1.8 && result == success")
    wait(lambda: True)
    picture(window, folder / f"mistake{ending}.png")
    line.left.emit()
    workspace.selection.show_all()
    workspace.finding.begin("Voltage")
    workspace.find_next()
    wait(lambda: not workspace.finding.search.running)
    picture(window, folder / f"find{ending}.png")
    workspace.finding.leave()
    workspace.wishes.countAsked.emit("obis,result", "response_time")
    wait(lambda: workspace.panes["counts"].groups.rowCount() > 0)
    picture(window, folder / f"counts{ending}.png")
    for name in ("exchanges", "overview", "expert"):
        workspace.show_pane(name, True)
        wait(lambda: True, 1.0)
        picture(window, folder / f"{name}{ending}.png")
    for name in ("counts", "exchanges", "overview", "expert"):
        workspace.show_pane(name, False)


def live_pictures(window: Window, folder: Path, ending: str) -> None:
    """A test link to a listener, its end, and the dialogs of links and captures."""
    panel = window.live.panel
    with listener() as server:
        window.live.begin(ConnectJob(server.address))
        wait(lambda: panel.status.text().startswith("Connected"))
        for _, apdu in (*READY_MADE[:1], *READY_MADE[2:5], READY_MADE[1]):
            rows = window.document.wpdus
            panel.write(apdu)
            panel.send()
            wait(lambda rows=rows: window.document.wpdus == rows + 2, 0.05)
        panel.write(READY_MADE[5][1])
        wait(lambda: True)
        picture(window, folder / f"link{ending}.png")
    wait(lambda: not window.live.running and not window.document.reading)
    picture(window, folder / f"link-closed{ending}.png")
    connect = ConnectDialog(window, (), ConnectJob("meter-7.example:4059"))
    capture = CaptureDialog(window, CaptureJob(interfaces=("eth0",), capture_filter="tcp prot 4059"))
    capture.watch.close()  # made-up interfaces are the same on every computer
    wait(lambda: not InterfaceWatch.ending)
    capture.show_interfaces([captured_interface(name, loopback=name == "lo") for name in ("eth0", "lo")])
    for turn in range(40):
        capture.interfaces.show_rates({"eth0": 900 + 500 * np.sin(turn / 3), "lo": turn % 7})
    for name, dialog in (("connect", connect), ("capture", capture)):
        dialog.show()
        wait(lambda: True)
        picture(dialog, folder / f"{name}{ending}.png")
        dialog.reject()
    window.document.spool.saved_as = Path("link.pcapng")  # nobody is asked


def open_window(settings: Settings) -> Window:
    """A new window of the usual size."""
    window = Window(settings)
    window.resize(*SIZE)
    window.workspace.resize(SIZE[0], SIZE[1] - 100)
    window.workspace.lay_out()
    window.show()
    wait(lambda: True)
    return window


def main(words: list[str]) -> int:
    """Make the pictures: of `CAPTURE`s by their names, of the sample as README wants it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("captures", type=Path, nargs="*", metavar="CAPTURE", help="instead of the sample")
    arguments = parser.parse_args(words)
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    captures = {capture.name.split(".")[0]: capture for capture in arguments.captures}
    bundled = not captures
    captures = captures or {"window": resource(SAMPLE)}
    with tempfile.TemporaryDirectory() as place:
        os.environ["COSEMSCOPE_SPOOL"] = str(Path(place) / "spools")
        settings = Settings(Path(place) / "settings.ini")
        application.make_application([], settings)
        for appearance, ending in (("light", ""), ("dark", "-dark")):
            settings.set(options.APPEARANCE, appearance)
            window = open_window(settings)
            picture(window, folder / f"start{ending}.png")
            for name, capture in captures.items():
                show_capture(window, capture)
                picture(window, folder / f"{name}{ending}.png")
            if bundled:
                asking_pictures(window, folder, ending)
                keys_pictures(window, folder, ending)
                live_pictures(window, folder, ending)
            window.close()
            window.deleteLater()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
