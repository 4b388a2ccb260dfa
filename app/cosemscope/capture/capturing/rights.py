"""Who may capture: the exact thing to do where this process may not, system by system.

Nothing here asks to run a window as root. On Linux dumpcap is the way that gives rights to the fewest: setcap
on a Python interpreter would give them to every Python program.
"""

import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

NPCAP_SITE = "npcap.com"
_CAPABILITIES = "cap_net_raw,cap_net_admin=eip"
_GROUP = "wireshark"
_UNKNOWN_PACKAGE = "the package of your system that has dumpcap, often wireshark-common or wireshark-cli"


def rights_advice(platform: str = sys.platform) -> str:
    """Advice on how to be allowed to capture on this system: one or two sentences."""
    if platform == "win32":
        return (
            f"Install Npcap from {NPCAP_SITE} with its installer; if it is there, run that installer again "
            "without the option that restricts Npcap to administrators."
        )
    if platform == "darwin":
        return (
            "Install ChmodBPF, which comes with Wireshark (Install ChmodBPF.pkg on its disk image), and log "
            "in again: it lets the group access_bpf capture."
        )
    if platform.startswith("linux"):
        return linux_advice()
    return "Ask the administrator for permission to read /dev/bpf*."


def linux_advice(
    dumpcap: str | None = None,
    *,
    frozen: str | None = None,
    has_group: Callable[[str], bool] | None = None,
) -> str:
    """The advice for Linux: by whether there is dumpcap, and whether its group is there to be joined."""
    frozen = frozen or (sys.executable if getattr(sys, "frozen", False) else None)
    dumpcap = dumpcap or shutil.which("dumpcap") or _hidden_dumpcap()
    join = f"sudo usermod -a -G {_GROUP} {_user_name()}"
    then = "and log in again; then dumpcap captures for you."
    debian = shutil.which("dpkg-reconfigure")
    allow = "sudo dpkg-reconfigure wireshark-common && " if debian else ""
    answer = "(answer Yes), " if debian else ""
    if dumpcap is not None:
        if (has_group or _has_group)(_GROUP):
            return f"Run: {join}   {then}"
        if debian:
            return f"Run: {allow}{join}   {answer}{then}"
        return f"Run: sudo setcap {_CAPABILITIES} {dumpcap}   then dumpcap captures for you."
    if frozen:
        return f"Run: sudo setcap {_CAPABILITIES} {frozen}"
    install = _install_line()
    if install is None:
        return f"Install {_UNKNOWN_PACKAGE}. Run: {join}   {then}"
    return f"Run: {install} && {allow}{join}   {answer}{then}"


def no_library_advice(platform: str = sys.platform) -> str:
    """Advice on what to install where there is neither libpcap nor dumpcap."""
    if platform == "win32":
        return f"Install Npcap from {NPCAP_SITE}."
    if platform == "darwin":
        return "libpcap is a part of macOS: see that /usr/lib/libpcap.A.dylib can be loaded."
    install = _install_line()
    return f"Install {_UNKNOWN_PACKAGE}." if install is None else f"Run: {install}"


def _install_line() -> str | None:
    """The command that installs dumpcap and libpcap; None on a system that is not known."""
    for command, line in (
        ("apt-get", "sudo apt install wireshark-common libpcap0.8"),
        ("dnf", "sudo dnf install wireshark-cli libpcap"),
        ("zypper", "sudo zypper install wireshark libpcap1"),
        ("pacman", "sudo pacman -S wireshark-cli libpcap"),
    ):
        if shutil.which(command):
            return line
    return None


def _hidden_dumpcap() -> str | None:
    """A dumpcap that is there but that this user may not run, as its group's members may."""
    for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin"):
        path = Path(folder, "dumpcap")
        try:
            if stat.S_ISREG(path.stat().st_mode):
                return str(path)
        except OSError:
            continue
    return None


def _has_group(name: str) -> bool:
    try:
        import grp

        grp.getgrnam(name)
    except (ImportError, KeyError):
        return False
    return True


def _user_name() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError, AttributeError):
        return "$USER"
