"""What the tests say of a mutant: it stands in a copy of the checkout, and the tests nearest to it run first.

Nearest are those whose name is the module's, `test_wports.py` or `test_wports_*.py` for `wports.py`; then
come those of its room that call the function with the mutant, or all of them where that is in no function or
called as modules are loaded. A run that does not end, or wants too much memory, is one that fails.
"""

import contextlib
import copy
import enum
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutants.places import Mutant
from tests.mutants.reach import FILE, Reach

#: What of a checkout tests need; all else may be large.
_COPIED = ("app", "packaging", "pyproject.toml", "resources", "tests", "README.md", "CHANGELOG.md")
#: Octets of memory that a run of tests may use, and seconds that one test may take.
_MEMORY, _ONE_TEST = 4 << 30, 60
#: How many times longer than when they were measured tests may take, and seconds besides.
_PATIENCE, _BESIDES = 3, 30
PACKAGE = Path("app/cosemscope")
_FAILING = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
_PASSED = re.compile(r"\b\d+ passed\b")


class Outcome(enum.Enum):
    """Who noticed a mutant."""

    OWN = "own tests"
    ROOM = "the room's tests"
    NOBODY = "nobody"


class TestsFail(Exception):  # noqa: N818 -- no error of ours
    """No test passes before anything was changed; the message is pytest's last lines."""

    __test__ = False


@dataclass(frozen=True)
class Near:
    """The tests near a module, in the order in which they are asked; paths inside the checkout."""

    own: tuple[str, ...]
    others: tuple[str, ...]


def near(checkout: Path, module: Path) -> Near:
    """The tests that mirror a module, and the folders of its stage and room; a room alone has one folder."""
    inside = module.relative_to(checkout / PACKAGE)
    folder = checkout / "tests" / inside.parent
    own = sorted({*folder.glob(f"test_{module.stem}.py"), *folder.glob(f"test_{module.stem}_*.py")})
    folders = [folder, checkout / "tests" / inside.parts[0]]
    others = [each for each in dict.fromkeys(folders) if each.is_dir()]
    return Near(*(tuple(str(path.relative_to(checkout)) for path in paths) for paths in (own, others)))


class Copy:
    """A copy of a checkout in which one module at a time is a mutant."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.checkout = checkout
        self.folder = folder
        self.failing: list[str] = []
        self.reach = Reach()
        self.known: list[dict[str, Any]] = []
        for name in _COPIED:
            source = checkout / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".*")
                shutil.copytree(source, folder / name, ignore=ignored, symlinks=True)
            elif source.exists():
                shutil.copy2(source, folder / name)

    def twin(self, folder: Path) -> "Copy":
        """Another copy, with the compiled modules of this one."""
        other = copy.copy(self)
        other.folder = folder
        shutil.copytree(self.folder, folder, symlinks=True)
        return other

    def measure(self, paths: Sequence[str]) -> None:
        """Run tests on what nobody changed: what they call, and how long they take, is known from then on.

        Those that fail are left out from then on, and put into `failing`. Raises TestsFail where none passes.
        """
        passed, said = self._pass(paths, None, first=True)
        failing = [] if passed else _FAILING.findall(said)
        if not passed and (not failing or not _PASSED.search(said)):
            raise TestsFail("\n".join(said.splitlines()[-30:]))
        self.know({"failing": failing, "tests": json.loads(self._reach_file.read_text(encoding="utf-8"))})

    def know(self, known: dict[str, Any]) -> None:
        """Take in what an earlier `measure` found."""
        self.failing += known["failing"]
        self.reach.add(known["tests"])
        self.known.append(known)

    def outcome(
        self, mutant: Mutant, tests: Near, limit: float | None = None, *, own_only: bool = False
    ) -> Outcome:
        """Who notices a mutant; each run of tests may take `limit` seconds, else a few times what it took."""
        with self._changed(mutant):
            if tests.own and not self._ends(tests.own, limit):
                return Outcome.OWN
            if own_only or not tests.others:
                return Outcome.NOBODY
            module = mutant.module.relative_to(self.checkout / PACKAGE).as_posix()
            source = mutant.module.read_text(encoding="utf-8")
            asked = self.reach.asked(module, source, mutant.line, tests.others)
            asked = [test for test in asked if test.partition("::")[0] not in tests.own]
            passed = not asked or self._ends(asked, limit)
        return Outcome.NOBODY if passed else Outcome.ROOM

    def _ends(self, paths: Sequence[str], limit: float | None) -> bool:
        """Whether tests pass, and in good time."""
        return self._pass(paths, limit or _PATIENCE * self.reach.time_of(paths) + _BESIDES)[0]

    @contextlib.contextmanager
    def _changed(self, mutant: Mutant) -> Iterator[None]:
        path = self.folder / mutant.module.relative_to(self.checkout)
        kept = path.read_bytes()
        # A mutant may have the size and the second of the module: nothing compiled may stand for it.
        _forget_compiled(path)
        path.write_text(mutant.source, encoding="utf-8")
        try:
            yield
        finally:
            path.write_bytes(kept)
            _forget_compiled(path)

    def _pass(self, paths: Sequence[str], limit: float | None, *, first: bool = False) -> tuple[bool, str]:
        """Whether tests pass within `limit` seconds, and what pytest wrote; it stops where one fails.

        The `first` time it does not, and what they call is written down.
        """
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header"]
        command += ["-p", "reach"] if first else []
        command += [f"--timeout={_ONE_TEST}", *(f"--deselect={each}" for each in self.failing)]
        command += [*([] if first else ["-x"]), *paths]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment(first=first),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_limit_memory if os.name == "posix" else None,
        )
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process)
            return False, "the tests did not end"
        return process.returncode == 0, output.decode(errors="replace")

    @property
    def _reach_file(self) -> Path:
        return self.folder.parent / "reach.json"

    def _environment(self, *, first: bool) -> dict[str, str]:
        """The copy's modules before the checkout's, in children of tests too; the same examples each time."""
        paths = [str(self.folder / "app"), str(self.folder)]
        ours = {
            "PYTHONPATH": os.pathsep.join([*paths, *([str(Path(__file__).parent)] if first else [])]),
            "HYPOTHESIS_PROFILE": "ci",
            "QT_QPA_PLATFORM": "offscreen",
            "OPENBLAS_NUM_THREADS": "1",
            "COSEMSCOPE_SHARED": os.environ.get(
                "COSEMSCOPE_SHARED", str(self.checkout.resolve().parent / "shared")
            ),
        }
        ours |= {FILE: str(self._reach_file)} if first else {}
        return {**os.environ, **ours}


def _forget_compiled(module: Path) -> None:
    for compiled in module.parent.glob(f"__pycache__/{module.stem}.*"):
        compiled.unlink()


def _limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))


def _end(process: subprocess.Popen) -> None:
    """End a run and what it started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()


@contextlib.contextmanager
def copied(checkout: Path) -> Iterator[Copy]:
    """A copy of a checkout in a folder that is removed at the end; its twins go beside it."""
    with tempfile.TemporaryDirectory(prefix="cosemscope-mutants-") as name:
        folder = Path(name) / "0" / "checkout"
        folder.mkdir(parents=True)
        yield Copy(checkout, folder)
