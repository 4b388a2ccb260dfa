"""The dialog that asks what to capture: filter, interfaces, options, and the command line that follows."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from cosemscope.capture.capturing import libpcap
from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.capture.capturing.libpcap import OpenOptions
from cosemscope.capture.job_options import words_of
from cosemscope.capture.spool.spool_ring import RingOptions, StopOptions
from cosemscope.gui.live.asked_jobs import command_in, command_line, ports_of, remembered
from cosemscope.gui.live.capture_dialog import CaptureDialog
from cosemscope.gui.live.interface_watch import InterfaceWatch
from tests.helpers.live_window import captured_interface


def need_libpcap() -> None:
    """Without the library nobody checks a filter or lists interfaces."""
    try:
        libpcap.devices()
    except libpcap.LibpcapError as error:
        pytest.skip(f"libpcap is needed: {error}")


@pytest.fixture
def dialog(qtbot, look, monkeypatch):
    """The options with two interfaces, of which one may not be used; no thread looks for others."""
    monkeypatch.setattr(InterfaceWatch, "start", lambda self: None)
    made = []

    def make(job: CaptureJob, typed: str = "") -> CaptureDialog:
        dialog = CaptureDialog(None, job, typed)
        qtbot.addWidget(dialog)
        made.append(dialog)
        barred = captured_interface("eth1", way="", reason="You may not. Run: sudo true   and log in again.")
        dialog.show_interfaces([barred, captured_interface("eth0"), captured_interface("lo", loopback=True)])
        dialog.show()
        return dialog

    yield make
    for one in made:
        one.reject()


def test_options_become_a_command_line(dialog):
    """Every option of the dialog is a word of the command, and limits of nothing are none."""
    job = CaptureJob(
        interfaces=("eth0", "lo"),
        further_ports=(4060, 4061),
        options=OpenOptions(promiscuous=False, snap_length=96, buffer=2 << 20, immediate=True),
        ring=RingOptions(10 << 20, 60, 5),
        stop=StopOptions(1000, 20 << 20, 30),
    )
    shown_dialog = dialog(job, "a filter not used")
    assert shown_dialog.job == job
    assert shown_dialog.filter.filter.text() == "a filter not used"
    assert shown_dialog.go.isEnabled()
    assert command_line(job) == [
        *("capture", "--control", "--interface=eth0", "--interface=lo", "--port=4060", "--port=4061"),
        *("--no-promiscuous", "--snap-length=96", "--buffer=2", "--immediate"),
        *(f"--ring-size={10 << 20}", "--ring-seconds=60", "--ring-files=5"),
        *("--packets=1000", f"--size={20 << 20}", "--seconds=30"),
    ]
    bare = CaptureJob(interfaces=("lo",), capture_filter="tcp")
    shown_dialog = dialog(bare)
    shown_dialog.numbers["ring.files"].setValue(3)  # of a ring that there is not
    assert shown_dialog.job == bare
    assert command_line(bare) == ["capture", "--control", "--interface=lo", "--filter=tcp"]


def test_a_capture_is_remembered_as_its_words():
    """What was stored by another version, or by a hand that erred, counts as nothing."""
    job = CaptureJob(interfaces=("eth 0", "--lo"), capture_filter="")
    assert remembered(tuple(words_of(job)), CaptureJob()) == job
    for words in ((), ("--ring-size=x",), ("--fly",), ("--by=magic",)):
        assert remembered(words, CaptureJob()) == CaptureJob()


def test_an_interface_that_may_not_be_used_says_why(dialog, qtbot):
    """The reason with what to do, a button for its command, and no start."""
    shown_dialog = dialog(CaptureJob(interfaces=("eth1",)))
    assert [one.name for one in shown_dialog.interfaces.chosen] == ["eth1"]
    assert shown_dialog.notice.text().startswith("You may not.")
    assert not shown_dialog.go.isEnabled()
    qtbot.mouseClick(shown_dialog.copy_command, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "sudo true"
    shown_dialog.interfaces.setCurrentItem(shown_dialog.interfaces.topLevelItem(0))
    assert shown_dialog.go.isEnabled()
    assert not shown_dialog.copy_command.isVisible()


def test_the_second_way_says_what_it_is(dialog):
    """dumpcap is named with its delay, which cannot be chosen; the first way says nothing."""
    shown_dialog = dialog(CaptureJob(interfaces=("eth2",), options=OpenOptions(immediate=True)))
    shown_dialog.show_interfaces([captured_interface("eth2", way="dumpcap"), captured_interface("eth0")])
    assert [one.name for one in shown_dialog.interfaces.chosen] == ["eth2"]
    assert shown_dialog.notice.text().startswith("dumpcap captures for you. It takes packets every 250 ms")
    assert shown_dialog.notice.isVisible()
    assert not shown_dialog.immediate.isEnabled()
    assert shown_dialog.go.isEnabled()
    shown_dialog.interfaces.setCurrentItem(shown_dialog.interfaces.topLevelItem(1))
    assert not shown_dialog.notice.isVisible()
    assert shown_dialog.immediate.isEnabled()
    assert shown_dialog.job.options.immediate


def test_a_wrong_filter_is_said_in_place(dialog, qtbot):
    """As it is typed; the start waits for the verdict."""
    need_libpcap()
    shown_dialog = dialog(CaptureJob(interfaces=("eth0",)))
    field = shown_dialog.filter
    assert "port 4059" in field.words.text()
    qtbot.keyClicks(field.filter, "tcp prot 4059")
    assert field.own.isChecked()
    qtbot.waitUntil(lambda: not field.waiting)
    assert field.trouble
    assert field.words.text() == field.trouble
    assert not shown_dialog.go.isEnabled()
    field.filter.clear()
    qtbot.keyClicks(field.filter, "tcp port 4059")
    qtbot.waitUntil(lambda: not field.waiting)
    assert field.words.text() == "The filter is right."
    assert shown_dialog.go.isEnabled()
    qtbot.keyClicks(field.ports, "4060, 99999")
    assert field.dlms.isChecked()
    assert "65535" in field.words.text()
    assert not shown_dialog.go.isEnabled()


def test_rates_become_curves(dialog):
    """Only the last ones are kept; painting them is no trouble."""
    shown_dialog = dialog(CaptureJob(interfaces=("lo",)))
    for rate in range(100):
        shown_dialog.interfaces.show_rates({"lo": float(rate), "eth0": 0.0})
    names = [shown_dialog.interfaces.topLevelItem(row).text(0) for row in range(3)]
    assert names[-1] == "eth1"
    item = shown_dialog.interfaces.topLevelItem(names.index("lo"))
    rates = item.data(3, int(Qt.ItemDataRole.UserRole) + 1)
    assert rates == [float(rate) for rate in range(60, 100)]
    assert not shown_dialog.grab().isNull()


def test_real_interfaces_are_listed_with_rates(qtbot, look):
    """The thread lists this computer's interfaces and counts; closing gives it up."""
    need_libpcap()
    watch = InterfaceWatch()
    with qtbot.waitSignal(watch.listed, timeout=20_000) as listed:
        watch.start()
    assert listed.args[0]
    with qtbot.waitSignal(watch.counted, timeout=10_000) as counted:
        pass
    assert isinstance(counted.args[0], dict)
    watch.close()
    assert InterfaceWatch.wait_for_all()
    qtbot.waitUntil(lambda: not InterfaceWatch.ending)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("", ()),
        ("4060", (4060,)),
        ("4060, 4061 4060", (4060, 4061)),
        ("x", None),
        ("²", None),
        ("0", None),
        ("70000", None),
    ],
)
def test_ports_as_typed(text, ports):
    """Separated by commas or spaces, each once; anything else is no list of ports."""
    assert ports_of(text) == ports


def test_commands_in_messages():
    """The command between its marks; none where there is none."""
    assert command_in("Run: sudo setcap x=eip /usr/bin/dumpcap   then dumpcap captures.") == (
        "sudo setcap x=eip /usr/bin/dumpcap"
    )
    assert command_in("Install it, run: sudo usermod -a -G w u   and log in again.").endswith("-G w u")
    assert command_in("Run: sudo setcap x=eip /opt/cosemscope") == "sudo setcap x=eip /opt/cosemscope"
    assert command_in("Install Npcap.") == ""
