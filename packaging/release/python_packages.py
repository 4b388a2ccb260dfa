"""Builds the wheel and the sdist, looks into them, and tries the wheel in empty environments."""

import shutil
import tarfile
import zipfile
from pathlib import Path

from release.facts import BUILD, CHECKOUT, DIST, FACTS
from release.freezing import fresh, release_tools
from release.steps import BuildError, run, say

WHEEL = DIST / f"cosemscope-{FACTS.version}-py3-none-any.whl"
SDIST = DIST / f"cosemscope-{FACTS.version}.tar.gz"
#: What each must have, and folders that the wheel must not.
_IN_WHEEL = ("cosemscope/__main__.py", "cosemscope/_resources/samples/first-look.pcapng")
_IN_SDIST = ("pyproject.toml", "LICENSE", "NOTICE", "README.md", "resources/samples/first-look.pcapng")
_NOT_IN_WHEEL = ("tests/", "packaging/")


def build() -> tuple[Path, Path]:
    """Build both; return their paths. Raises BuildError where one is not as it should be."""
    DIST.mkdir(exist_ok=True)
    uv = Path(release_tools().scripts) / "uv"
    run([uv, "build", "--quiet", "--out-dir", DIST, CHECKOUT])
    with zipfile.ZipFile(WHEEL) as wheel:
        names = wheel.namelist()
    faults = [f"the wheel lacks {name}" for name in _IN_WHEEL if name not in names]
    faults += [f"the wheel has {name}" for name in names if name.startswith(_NOT_IN_WHEEL)]
    with tarfile.open(SDIST) as sdist:
        inner = {name.partition("/")[2] for name in sdist.getnames()}
    faults += [f"the sdist lacks {name}" for name in _IN_SDIST if name not in inner]
    if faults:
        raise BuildError("\n".join(faults))
    return WHEEL, SDIST


def trial() -> None:
    """Install the wheel as pip, pipx and uvx do, each in an environment of its own; run its self-test."""
    uv = Path(release_tools().scripts) / "uv"
    place = BUILD / "empty"
    shutil.rmtree(place, ignore_errors=True)
    run([uv, "venv", "--quiet", place])
    python = place / "bin" / "python"
    run([uv, "pip", "install", "--quiet", "--python", python, WHEEL])
    elsewhere = fresh(BUILD / "elsewhere")
    say(run([place / "bin" / "cosemscope", "self-test"], folder=elsewhere))
    # uvx, and pipx in the same manner: the command from the wheel, nothing kept.
    said = run(
        [uv, "tool", "run", "--isolated", "--from", WHEEL, "cosemscope", "--version"], folder=elsewhere
    )
    say(f"uvx: {said.strip()}")
