"""Advice where capturing is not allowed: the exact line for this system, never to run a window as root."""

import shutil

import pytest

from cosemscope.capture.capturing import rights
from cosemscope.capture.capturing.rights import linux_advice, no_library_advice, rights_advice


@pytest.mark.parametrize(
    ("platform", "words"),
    [("win32", "Npcap"), ("darwin", "ChmodBPF"), ("linux", "sudo "), ("freebsd14", "/dev/bpf")],
)
def test_each_system_has_its_way(platform: str, words: str) -> None:
    """The advice names what has to be done on this very system."""
    assert words in rights_advice(platform)


@pytest.mark.parametrize(
    ("frozen", "has_dumpcap", "has_group", "debian", "line"),
    [
        (None, True, True, True, "sudo usermod -a -G wireshark someone "),
        (
            None,
            True,
            False,
            True,
            "Run: sudo dpkg-reconfigure wireshark-common && sudo usermod -a -G wireshark someone   (ans",
        ),
        (None, True, False, False, "sudo setcap cap_net_raw,cap_net_admin=eip /usr/bin/dumpcap "),
        ("/opt/cosemscope", False, False, True, "sudo setcap cap_net_raw,cap_net_admin=eip /opt/cosemscope"),
        (
            None,
            False,
            False,
            True,
            "Run: sudo apt install wireshark-common libpcap0.8 && sudo dpkg-reconfigure",
        ),
        (
            None,
            False,
            False,
            False,
            "Run: sudo dnf install wireshark-cli libpcap && sudo usermod -a -G wireshark",
        ),
    ],
)
def test_linux_advice_fits_what_is_installed(
    monkeypatch: pytest.MonkeyPatch,
    frozen: str | None,
    has_dumpcap: bool,
    has_group: bool,
    debian: bool,
    line: str,
) -> None:
    """A Python interpreter is never to be given rights: every Python program would have them."""
    programs = {"dpkg-reconfigure", "apt-get"} if debian else {"dnf"}
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name in programs else None)
    monkeypatch.setattr(rights, "_hidden_dumpcap", lambda: None)
    monkeypatch.setattr(rights, "_user_name", lambda: "someone")
    advice = linux_advice(
        "/usr/bin/dumpcap" if has_dumpcap else None, frozen=frozen, has_group=lambda _: has_group
    )
    assert line in advice
    assert "python" not in advice.lower()


@pytest.mark.parametrize(
    ("platform", "words"), [("win32", "Npcap"), ("darwin", "libpcap.A.dylib"), ("linux", "wireshark")]
)
def test_what_to_install(platform: str, words: str) -> None:
    """The advice names the package or program of this very system."""
    assert words in no_library_advice(platform)


def test_an_unknown_linux_is_told_what_to_look_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a package manager that is known there still is a hint."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(rights, "_hidden_dumpcap", lambda: None)
    assert linux_advice().startswith("Install the package of your system that has dumpcap")
    assert no_library_advice("linux").startswith("Install the package of your system that has dumpcap")
