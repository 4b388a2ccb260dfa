"""The tshark on this machine as a second opinion; where there is none, tests that need it are skipped."""

import shutil
import subprocess
from pathlib import Path

import pytest

#: Takes WPDUs for STUN, or knows only one WPDU a segment: what it then calls malformed is not.
_MISTAKEN = ("classicstun", "stun", "rpcap", "dlms", "cosem")
_CHECKS = ("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")


def tshark(path: Path, *arguments: str) -> list[str]:
    """The lines that tshark prints for `path`; skips the test where tshark is not installed.

    Fails the test when tshark complains about the file.
    """
    command = shutil.which("tshark")
    if command is None:
        pytest.skip("tshark is not installed")
    disabled = [word for name in _MISTAKEN for word in ("--disable-protocol", name)]
    ran = subprocess.run(
        [command, "-r", str(path), *_CHECKS, *disabled, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    complaints = [line for line in ran.stderr.splitlines() if line and "Running as user" not in line]
    assert (ran.returncode, complaints) == (0, [])
    return ran.stdout.splitlines()


def complaints(path: Path) -> list[str]:
    """A line for each packet of `path` that has an analysis flag, a bad checksum or a malformed part."""
    wrong = (
        "tcp.analysis.flags || _ws.malformed || ip.checksum.status == 0 || "
        "tcp.checksum.status == 0 || udp.checksum.status == 0"
    )
    return tshark(path, "-Y", wrong)
