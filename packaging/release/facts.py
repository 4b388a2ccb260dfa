"""What Cosemscope says of itself to installers: stated once, read by every recipe in this folder.

The version stands in `app/cosemscope/__init__.py` and nowhere else; the day of a build is that of the newest
commit, so that one commit built twice gives the same octets.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGING = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGING.parent
#: What is made on the way, and what is released.
BUILD, DIST = CHECKOUT / "build", CHECKOUT / "dist"


@dataclass(frozen=True)
class FileType:
    """A kind of file that Cosemscope opens: its suffix, MIME type, Apple's type and a name for people."""

    suffix: str
    mime: str
    uti: str
    title: str


FILE_TYPES = (
    FileType("pcap", "application/vnd.tcpdump.pcap", "org.wireshark.pcap", "Packet capture"),
    FileType("pcapng", "application/x-pcapng", "org.wireshark.pcapng", "Packet capture (pcapng)"),
)


@dataclass(frozen=True)
class Facts:
    """The names, texts and version of a release."""

    version: str
    name: str = "Cosemscope"
    command: str = "cosemscope"
    window_command: str = "cosemscopew"
    identifier: str = "io.github.cosemscope.Cosemscope"
    publisher: str = "The Cosemscope authors"
    copyright: str = "Copyright the Cosemscope authors, Apache-2.0"
    licence: str = "Apache-2.0"
    summary: str = "Inspector for DLMS/COSEM over IP (IEC 62056-4-7)"

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """The version as the four numbers that Windows wants."""
        parts = [int(part) for part in re.findall(r"\d+", self.version)[:3]]
        parts += [0] * (4 - len(parts))
        return parts[0], parts[1], parts[2], parts[3]


def read_version(checkout: Path = CHECKOUT) -> str:
    """The version that the package states; raises ValueError where it states none."""
    path = checkout / "app" / "cosemscope" / "__init__.py"
    found = re.search(r'^__version__ = "([^"]+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{path} states no __version__")
    return found[1]


def build_epoch(checkout: Path = CHECKOUT) -> int:
    """Seconds since 1970 that a build calls now: SOURCE_DATE_EPOCH, or the time of the newest commit."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told:
        return int(told)
    asked = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=checkout, capture_output=True, text=True, check=False
    )
    return int(asked.stdout) if asked.returncode == 0 else 1_700_000_000


FACTS = Facts(read_version())
