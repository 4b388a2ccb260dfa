"""Captures inside source packages of the package registry: downloaded once, found by their first octets."""

import gzip
import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cosemscope.capture.files import pcap
from cosemscope.capture.files.compression import GZIP
from cosemscope.capture.pcapng_layout import MAGIC
from tests.helpers.environments import pip_beside

_CHECKOUT = Path(__file__).resolve().parents[2]
#: Where downloads are kept.
FOLDER = _CHECKOUT / ".venv" / "foreign-sources"
#: Source packages that are looked at. Some have no captures today, and may have some again.
PACKAGES = ("scapy==2.8.0", "dpkt==1.9.8", "pyshark==0.6", "python-pcapng==2.1.1", "pypacker==5.4")
#: Octets of a member above which it is passed over.
MAX_MEMBER = 64 << 20


class Capture(NamedTuple):
    """A capture inside a source package."""

    name: str
    octets: bytes


def fetch(package: str, python: Path) -> Path:
    """The source package `name==version`, downloaded with the pip beside `python` where it is not there yet.

    Raises RuntimeError, with the last line of pip, where it cannot be had.
    """
    name, _, version = package.partition("==")
    known = [path for path in FOLDER.glob(f"*{version}*") if _same(path.name, name)]
    if known:
        return known[0]
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [*pip_beside(python), "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", ":all:", "--dest", os.fspath(FOLDER), package]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    found = [path for path in FOLDER.glob(f"*{version}*") if _same(path.name, name)]
    if done.returncode or not found:
        reason = [line for line in done.stderr.splitlines() if line.strip()][-1:] or ["no reason given"]
        raise RuntimeError(f"{package} cannot be had: {reason[0]}")
    return found[0]


def captures_in(archive: Path) -> Iterator[Capture]:
    """The captures in a source package, plain or compressed, in the order of their names."""
    for name, octets in sorted(_members(archive)):
        plain = octets
        if octets.startswith(GZIP):
            try:
                plain = gzip.decompress(octets)
            except (OSError, EOFError):
                continue
        if plain[:4] in (*pcap.MAGICS, MAGIC):
            yield Capture(f"{archive.name}: {name}", octets)


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if entry.file_size <= MAX_MEMBER and not entry.is_dir():
                    yield entry.filename, opened.read(entry)
        return
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as opened_tar:
        for member in opened_tar:
            file = opened_tar.extractfile(member) if member.isfile() and member.size <= MAX_MEMBER else None
            if file is not None:
                yield member.name, file.read()


def _same(file: str, name: str) -> bool:
    return file.lower().replace("_", "-").startswith(f"{name.lower()}-")
