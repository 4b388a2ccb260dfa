"""Mutants change one place each, in what is done and not in what is declared; a seed draws the same again."""

from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="no mutation operators: python3 packaging/bootstrap.py mutants")

from tests.mutants.places import OPERATORS, Mutant, draw, every_mutant, modules_of
from tests.mutants.trials import near

CASES = [
    ("return a < b", {"a <= b", "a > b", "a >= b", "a == b", "a != b"}),
    ("return a is b", {"a is not b"}),
    ("return a + 1", {"a - 1", "a + 2", "a + 0"}),
    ("return -a", {"a"}),
    ("return a & ~b", {"a | ~b", "a & b"}),
    ("return a and not b", {"a or not b", "a and b"}),
    ("return True", {"False"}),
    ("return a if b else 'x'", {"a if not b else 'x'"}),
    ("return a(*b, **{})", set()),
    ("return 'a text'", set()),
]


def made(tmp_path: Path, text: str) -> list[Mutant]:
    path = tmp_path / "module.py"
    path.write_text(text)
    return list(every_mutant(path))


def plain(line: str) -> str:
    return " ".join(line.split())


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_what_becomes_of_a_line(tmp_path, line, expected):
    """Comparisons, constants, signs, negations and operators change; names, texts and calls do not."""
    mutants = made(tmp_path, f"def f(a, b):\n    {line}\n")
    assert {plain(mutant.becomes) for mutant in mutants} == {f"return {text}" for text in expected}
    assert {(mutant.line, mutant.was) for mutant in mutants} <= {(2, line)}


@pytest.mark.parametrize(
    "text",
    [
        "def f(a: 'int | None', *, b: int | None = None) -> int | None: ...\n",
        "x: dict[int, str | None]\n",
        "from dataclasses import dataclass as d\n@d(frozen=True, slots=True, kw_only=True)\nclass A: ...\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import os\n",
        "def f(a, /, *, b): ...\n",
    ],
)
def test_what_type_checkers_watch_over_is_left_alone(tmp_path, text):
    """No test could notice these."""
    assert made(tmp_path, text) == []


def test_a_mutant_differs_in_its_one_line(tmp_path):
    """The rest of the module stays to the letter."""
    text = "A = 1\n\n\ndef f(a):  # why\n    while a < A:\n        break\n    return 2\n"
    mutants = made(tmp_path, text)
    assert {mutant.line for mutant in mutants} == {1, 5, 6, 7}
    for mutant in mutants:
        lines = text.split("\n")
        assert lines[mutant.line - 1].strip() == mutant.was != mutant.becomes
        rest = mutant.source.split("\n")
        assert (
            rest[: mutant.line - 1] + rest[mutant.line :] == lines[: mutant.line - 1] + lines[mutant.line :]
        )


def test_a_seed_draws_the_same_places_again_each_of_them_once(tmp_path):
    """A figure that cannot be repeated is none; places count, not the number of ways to change them."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.py").write_text("\n".join(f"A{n} = {n}" for n in range(40)))
    (tmp_path / "two.py").write_text("\n".join(f"B{n} = A < {n}" for n in range(20)))
    modules = modules_of(tmp_path, ["a", "two.py"])
    assert modules == [tmp_path / "a" / "one.py", tmp_path / "two.py"]
    first, again = (draw(modules, 30, "7") for _ in range(2))
    assert first == again != draw(modules, 30, "8")
    assert len({(mutant.module, mutant.line) for mutant in first}) > 20
    assert len(draw(modules, 1000, "7")) == 40 + 2 * 20


def test_every_operator_is_one_of_the_tools():
    """A name that the tool drops would quietly draw fewer mutants."""
    from cosmic_ray.operators.provider import OperatorProvider

    assert set(OPERATORS) <= set(OperatorProvider())
    assert len(OPERATORS) == len(set(OPERATORS))


def test_the_nearest_tests_are_those_of_the_same_name(tmp_path):
    """They are asked first; a room without stages is asked once."""
    for name in ("tests/apdu/data/test_dates.py", "tests/apdu/data/test_dates_of_old.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "tests/apdu/data/test_dated.py").touch()
    found = near(tmp_path, tmp_path / "app/cosemscope/apdu/data/dates.py")
    assert found.own == ("tests/apdu/data/test_dates.py", "tests/apdu/data/test_dates_of_old.py")
    assert found.others == ("tests/apdu/data", "tests/apdu")
    room = near(tmp_path, tmp_path / "app/cosemscope/apdu/cursor.py")
    assert room.own == ()
    assert room.others == ("tests/apdu",)
