"""Which tests call which functions: a plugin of pytest that looks on while tests run, and what it wrote.

Only the tests that call the function of a mutant can notice it, unless it is called when modules are loaded.
Where the plugin is loaded, it writes to the file that an environment variable names.
"""

import ast
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import CodeType, FrameType

import pytest

FILE = "COSEMSCOPE_REACH"
_PACKAGE = f"{os.sep}cosemscope{os.sep}"
#: A function: its module, a path inside the package, and its first line with those of its decorators.
Function = tuple[str, int]


@dataclass
class Reach:
    """Tests, parametrised ones as one, by what they call; how long they take; what is called at loading."""

    tests: dict[Function, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    at_loading: set[Function] = field(default_factory=set)

    def add(self, found: dict[str, tuple[float, list[Function]]]) -> None:
        """Take in what a run of tests wrote; "" stands for loading."""
        for test, (seconds, functions) in found.items():
            called = {(module, line) for module, line in functions}
            if not test:
                self.at_loading |= called
                continue
            self.seconds[test] = max(seconds, self.seconds[test])
            for function in called:
                self.tests[function].add(test)

    def time_of(self, within: Iterable[str]) -> float:
        """The seconds that tests took: single ones, those of files, or those below folders."""
        paths = set(within)
        return sum(
            seconds
            for test, seconds in self.seconds.items()
            if test in paths
            or (file := test.partition("::")[0]) in paths
            or any(str(folder) in paths for folder in PurePosixPath(file).parents)
        )

    def asked(self, module: str, source: str, line: int, within: Sequence[str]) -> list[str]:
        """What to ask below the folders `within` of a change of a line: tests, files of short ones first.

        Those that call its function; where any test may notice, since the line is in no function, or its
        function is called at loading or in children of tests alone, those that call something else of the
        module, and then the folders.
        """
        start = _function_at(source, line)
        function = (module, start)
        found = self._below(within, [function])
        if not start or not found or function in self.at_loading:
            return [*self._below(within, [one for one in self.tests if one[0] == module]), *within]
        return found

    def _below(self, within: Sequence[str], functions: Iterable[Function]) -> list[str]:
        """The tests below folders that call one of these functions."""
        folders = tuple(f"{folder}/" for folder in within)
        called = {test for function in functions for test in self.tests.get(function, ())}
        found = [test for test in called if test.startswith(folders)]
        files: dict[str, float] = defaultdict(float)
        for test in found:
            files[test.partition("::")[0]] += self.seconds[test]
        return sorted(found, key=lambda test: (files[test.partition("::")[0]], test))


def _function_at(source: str, line: int) -> int:
    """First line of the innermost function with a line in its body, decorators included; 0 for none."""
    start = 0
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        # What stands before the body is run where the function is made.
        if node.body[0].lineno <= line <= (node.end_lineno or 0):
            start = max(start, min([node.lineno, *(one.lineno for one in node.decorator_list)]))
    return start


class _Watch:
    """Looks on: the code that is called between two moments."""

    def __init__(self) -> None:
        self.called: set[CodeType] = set()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            self.called.add(frame.f_code)

    def begin(self) -> None:
        """Look on from now, in this thread and in those that are started."""
        sys.setprofile(self)
        threading.setprofile(self)

    def functions(self) -> set[Function]:
        """The functions of the package that were called since the last time."""
        called, self.called = self.called, set()
        return {
            (code.co_filename.rpartition(_PACKAGE)[2].replace(os.sep, "/"), code.co_firstlineno)
            for code in called
            if _PACKAGE in code.co_filename
        }


_watch = _Watch()
_found: dict[str, tuple[float, set[Function]]] = {}
if FILE in os.environ:  # this is the plugin, and what pytest loads next may load the package
    _watch.begin()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Look on while a test runs; what was called since the one before was called at loading."""
    _take("", 0.0)
    began = time.monotonic()
    _watch.begin()  # some tests look on themselves
    yield
    _take(item.nodeid.partition("[")[0], time.monotonic() - began)


def _take(test: str, seconds: float) -> None:
    before, functions = _found.get(test, (0.0, set()))
    _found[test] = (before + seconds, functions | _watch.functions())


def pytest_sessionfinish() -> None:
    """Write what was found."""
    sys.setprofile(None)
    threading.setprofile(None)
    listed = {test: (seconds, sorted(functions)) for test, (seconds, functions) in _found.items()}
    Path(os.environ[FILE]).write_text(json.dumps(listed), encoding="utf-8")
