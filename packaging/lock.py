"""Make the pins anew: `python packaging/lock.py` writes `packaging/requirements*.txt` with uv.

Each file holds names, versions and hashes for every platform and Python that
Cosemscope runs on, and no address: where packages come from is the user's
setting. Versions that are pinned already stay unless `--upgrade` is given.
"""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

PACKAGING = Path(__file__).resolve().parent
#: File of pins -> extras of pyproject.toml that go in; the first takes the run-time dependencies as well.
LOCKS = {
    "requirements.txt": ("keyring",),
    "requirements-test.txt": ("test",),
    "requirements-lint.txt": ("lint",),
    "requirements-mutants.txt": ("mutants",),
    "requirements-fuzz.txt": ("fuzz",),
    "requirements-freeze.txt": ("freeze",),
    "requirements-release.txt": ("release",),
    "requirements-windows.txt": ("windows",),
    "requirements-fleet.txt": ("fleet",),
}
#: Files of pins whose packages stand as stated, without what they say that they need.
ALONE = {"requirements-mutants.txt"}


def wanted(project: dict[str, object], name: str) -> list[str]:
    """The unpinned requirements, as `pyproject.toml` states them, that the pins in file `name` answer."""
    extras = project["optional-dependencies"]
    assert isinstance(extras, dict)
    lines = [line for extra in LOCKS[name] for line in extras[extra]]
    if name == "requirements.txt":
        dependencies = project["dependencies"]
        assert isinstance(dependencies, list)
        lines = [*dependencies, *lines]
    return lines


def compile_pins(uv: str, name: str, requirements: Sequence[str], options: Sequence[str]) -> None:
    """Write the pins file `name`; the files made before it bind its versions."""
    made = list(LOCKS)[: list(LOCKS).index(name)]
    bounds = [option for other in ("constraints.txt", *made) for option in ("-c", str(PACKAGING / other))]
    command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", *options, *bounds]
    if name in ALONE:
        command.append("--no-deps")
    subprocess.run(
        [*command, "-", "-o", str(PACKAGING / name)],
        input="\n".join(requirements),
        text=True,
        check=True,
    )


def main(options: Sequence[str]) -> int:
    """Write every pins file; `options` go to uv. Return the exit status."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        print("uv is needed to make the pins (python -m pip install uv)", file=sys.stderr)
        return 1
    project = tomllib.loads((PACKAGING.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name in LOCKS:
        compile_pins(uv, name, wanted(project, name), options)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
