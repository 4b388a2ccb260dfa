"""A mutant stands in a copy: its own tests notice it, or those of its room, or nobody; the copy stays."""

import json
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="no mutation operators: python3 packaging/bootstrap.py mutants")

from tests.mutants.judgement import Judgement
from tests.mutants.places import Mutant, every_mutant
from tests.mutants.reach import Reach
from tests.mutants.trials import Outcome, TestsFail, copied, near

MODULE = """def first(a):
    return a + 1


def second(a):
    return a < 3


def third(a):
    return a * 1


def last(a):
    while a > 0:
        a = a - 1
"""
TEST_OWN = """from cosemscope.room.module import first, last


def test_first():
    assert first(1) == 2


def test_last():
    assert last(2) is None
"""
TEST_ROOM = """import subprocess, sys


def test_second():
    code = "from cosemscope.room.module import second; print(second(3), second(2))"
    said = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert said.stdout.split() == ["False", "True"]
"""
CONFIGURATION = '[tool.pytest.ini_options]\npythonpath = ["app", "."]\naddopts = "--import-mode=importlib"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout with one module, of which its own tests see a half and those of the room a part."""
    files = {
        "pyproject.toml": CONFIGURATION,
        "app/cosemscope/__init__.py": "",
        "app/cosemscope/room/__init__.py": "",
        "app/cosemscope/room/module.py": MODULE,
        "tests/room/test_module.py": TEST_OWN,
        "tests/room/test_other.py": TEST_ROOM,
    }
    for name, text in files.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "checkout"


def mutant(checkout: Path, becomes: str) -> Mutant:
    module = checkout / "app/cosemscope/room/module.py"
    return next(each for each in every_mutant(module) if " ".join(each.becomes.split()) == becomes)


def test_who_notices(checkout):
    """Each mutant is tried on what its module is without all the others, in children of tests too."""
    tests = near(checkout, checkout / "app/cosemscope/room/module.py")
    with copied(checkout) as copy:
        copy.measure(tests.others)
        before = {path: path.read_bytes() for path in copy.folder.rglob("*.py")}
        outcomes = [
            copy.outcome(mutant(checkout, becomes), tests, 60.0)
            for becomes in ("return a - 1", "return a <= 3", "return a // 1")
        ]
        assert outcomes == [Outcome.OWN, Outcome.ROOM, Outcome.NOBODY]
        assert copy.outcome(mutant(checkout, "return a <= 3"), tests, 60.0, own_only=True) is Outcome.NOBODY
        assert before == {path: path.read_bytes() for path in copy.folder.rglob("*.py")}
        folder = copy.folder
    assert not folder.exists()


def test_only_tests_that_call_the_function_are_asked(checkout):
    """Others can not notice. The room is asked too where a line is in no function, or children call it."""
    module = checkout / "app/cosemscope/room/module.py"
    module.write_text(f"AT_LOADING = 1\n\n\n{MODULE}")
    other = checkout / "tests/room/test_other.py"
    other.write_text(
        TEST_ROOM
        + "\n\ndef test_first_again():\n    from cosemscope.room.module import first\n    first(3)\n"
    )
    with copied(checkout) as copy:
        copy.measure(["tests/room"])
        source = module.read_text()

        def asked(text: str) -> list[str]:
            line = source.splitlines().index(text) + 1
            return copy.reach.asked("room/module.py", source, line, ["tests/room"])

        own, others = "tests/room/test_module.py", "tests/room/test_other.py"
        assert sorted(asked("    return a + 1")) == [
            f"{own}::test_first",
            f"{others}::test_first_again",
        ]
        assert asked("        a = a - 1") == [f"{own}::test_last"]
        tests = {f"{own}::test_first", f"{own}::test_last", f"{others}::test_first_again"}
        for text in ("    return a < 3", "AT_LOADING = 1"):
            *before, room = asked(text)
            assert (set(before), room) == (tests, "tests/room")
        assert copy.reach.time_of([own]) <= copy.reach.time_of(["tests/room"])
        assert copy.reach.time_of(["tests/ro"]) == 0
        known = json.loads(json.dumps(copy.known))
    with copied(checkout) as again:
        for one in known:
            again.know(one)
        assert again.reach == copy.reach


def test_what_is_called_at_loading_is_asked_of_all(tmp_path):
    """A table that a function makes as its module is loaded is seen by tests that never call the function."""
    reach = Reach()
    reach.add({"": (0.0, [("a.py", 1)]), "tests/test_a.py::test_a": (1.0, [("a.py", 1), ("a.py", 5)])})
    source = "def table():\n    return 1\n\n\n@decorated\ndef other(a=2):\n    return 3\n"
    everything = ["tests/test_a.py::test_a", "tests"]
    assert reach.asked("a.py", source, 2, ["tests"]) == everything
    assert (
        reach.asked("a.py", source, 6, ["tests"]) == everything
    )  # what stands before the body is run at loading
    assert reach.asked("a.py", source, 7, ["tests"]) == ["tests/test_a.py::test_a"]
    assert reach.asked("a.py", source, 7, ["tests/room"]) == ["tests/room"]


def test_a_mutant_that_never_ends_is_noticed(checkout):
    """Else the command would stand still."""
    tests = near(checkout, checkout / "app/cosemscope/room/module.py")
    with copied(checkout) as copy:
        assert copy.outcome(mutant(checkout, "a = a + 1"), tests, 3.0) is Outcome.OWN


def test_tests_that_fail_by_themselves_are_left_out(checkout):
    """What fails without a mutant would notice every one; where nothing passes there is nothing to ask."""
    (checkout / "tests/room/test_other.py").write_text("def test_wrong():\n    assert 1 == 2\n")
    tests = near(checkout, checkout / "app/cosemscope/room/module.py")
    with copied(checkout) as copy:
        copy.measure(tests.others)
        assert copy.failing == ["tests/room/test_other.py::test_wrong"]
        assert copy.outcome(mutant(checkout, "return a <= 3"), tests, 60.0) is Outcome.NOBODY
    (checkout / "tests/room/test_module.py").unlink()
    with copied(checkout) as copy, pytest.raises(TestsFail, match="assert 1 == 2"):
        copy.measure(tests.others)


def test_judged_mutants_have_a_reason_until_their_line_changes(checkout, tmp_path):
    """A judgement is of one line; it does not outlive it."""
    file = tmp_path / "judged.toml"
    entry = '[[mutant]]\nmodule = "room/module.py"\nwas = "return a * 1"\nbecomes = "{}"\nbecause = "one"\n'
    changed = mutant(checkout, "return a // 1")
    file.write_text(entry.format(changed.becomes))
    judgement = Judgement.read(checkout / "app/cosemscope", file)
    assert judgement.of(changed) == "one"
    assert judgement.of(mutant(checkout, "return a - 1")) is None
    assert judgement.stale() == []
    changed.module.write_text("")
    assert [key[1] for key in judgement.stale()] == ["return a * 1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[mutant]]\nmodule = "a.py"\nwas = "1"\nbecomes = "2"\n', "because"),
        ('[[mutant]]\nmodule = "a.py"\nwas = "1"\nbecomes = "2"\nbecause = "x"\n' * 2, "twice"),
    ],
)
def test_a_judgement_without_a_reason_is_refused(tmp_path, text, said):
    """Judged one by one means that each says why."""
    file = tmp_path / "judged.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        Judgement.read(tmp_path, file)
