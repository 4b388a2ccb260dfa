"""Signs Windows programs, with the certificate that the environment names; without one, says so and goes on.

COSEMSCOPE_SIGN_PKCS12 names a PKCS #12 file, COSEMSCOPE_SIGN_PASSWORD_FILE a file with its password (neither
stands on a command line), COSEMSCOPE_SIGN_TIME_SERVER the address of a time-stamp server.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from release.facts import CHECKOUT, FACTS
from release.steps import BuildError, need, run, say

#: What NSIS runs on the uninstaller, which it makes itself.
COMMAND = f'"{sys.executable}" "{CHECKOUT / "packaging" / "build.py"}" --sign'


def certificate() -> Path | None:
    """The PKCS #12 file that the environment names; raises BuildError where it is not there."""
    told = os.environ.get("COSEMSCOPE_SIGN_PKCS12")
    if not told:
        return None
    if not Path(told).is_file():
        raise BuildError(f"COSEMSCOPE_SIGN_PKCS12 names {told}, which is no file.")
    return Path(told)


def sign(programs: Sequence[Path]) -> None:
    """Sign each program in its place, or warn that it stays unsigned."""
    key = certificate()
    if key is None:
        names = ", ".join(program.name for program in programs)
        say(f"Warning: no certificate (COSEMSCOPE_SIGN_PKCS12), unsigned: {names}")
        return
    need("osslsigncode")
    words: list[str | Path] = ["osslsigncode", "sign", "-pkcs12", key, "-h", "sha256", "-n", FACTS.name]
    words += ["-readpass", os.environ.get("COSEMSCOPE_SIGN_PASSWORD_FILE", os.devnull)]
    server = os.environ.get("COSEMSCOPE_SIGN_TIME_SERVER")
    if server:
        words += ["-ts", server]
    for program in programs:
        signed = program.with_suffix(".signed")
        run([*words, "-in", program, "-out", signed])
        shutil.move(signed, program)
