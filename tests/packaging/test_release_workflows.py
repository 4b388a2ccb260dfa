"""The workflows and the one script: they name each other's parts, and every action is pinned."""

import re

import pytest

from tests.helpers.scripts import CHECKOUT, script

build = script("build")
rehearse = script("rehearse")
lock = script("lock")
FILES = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(path):
    """A tag can be moved to something else."""
    used = re.findall(r"uses: (\S+)", path.read_text())
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", each)] == []


@pytest.mark.parametrize(
    "path", [*FILES, CHECKOUT / ".ci" / "run", CHECKOUT / "README.md"], ids=lambda path: path.name
)
def test_targets_and_steps_that_are_named_exist(path):
    """In the workflows, the script of all checks, and what people read."""
    text = path.read_text()
    for name, known in (("build.py", build.TARGETS), ("rehearse.py", rehearse.STEPS)):
        for words in re.findall(rf"packaging/{name}((?: (?:--\S+ \"[^\"]*\"|[a-z][a-z-]*))*)", text):
            named = re.findall(r"(?<![-\w\"$])[a-z][a-z-]+", re.sub(r'--\S+ "[^"]*"', "", words))
            assert [word for word in named if word not in known] == []


def test_targets_that_stand_for_others_name_them():
    """No target leads nowhere, or in a circle."""
    for name, target in build.TARGETS.items():
        assert target.meaning
        if isinstance(target.make, tuple):
            assert name not in target.make
            assert set(target.make) <= set(build.TARGETS)


def test_every_extra_has_its_pins():
    """What builds and what makes a release is pinned like everything else."""
    import tomllib

    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras) == {extra for names in lock.LOCKS.values() for extra in names}
