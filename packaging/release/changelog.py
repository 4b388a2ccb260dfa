"""Checks that the changelog tells of the version, and takes the release's notes out of it."""

import re
from pathlib import Path

from release.facts import CHECKOUT, DIST, FACTS
from release.steps import BuildError

NOTES = DIST / "RELEASE-NOTES.md"
_HEADING = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<day>\d{4}-\d\d-\d\d))?$", re.MULTILINE)


def sections(text: str) -> dict[str, tuple[str | None, str]]:
    """Name of a version (or Unreleased) -> its day and what stands under its heading."""
    found = list(_HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {
        match["name"]: (match["day"], text[match.end() : end].strip())
        for match, end in zip(found, ends, strict=True)
    }


def notes(text: str, version: str, tag: str | None) -> str:
    """What the changelog says of `version`; before it is tagged, what is unreleased will do.

    Raises BuildError where it says nothing, has no day for what is tagged, or the tag is another version's.
    """
    told = sections(text)
    if tag is not None and tag != f"v{version}":
        raise BuildError(f"The tag {tag} is not v{version}, which app/cosemscope/__init__.py states.")
    name = version if version in told or tag is not None else "Unreleased"
    day, body = told.get(name, (None, ""))
    if not body:
        raise BuildError(f"CHANGELOG.md says nothing of {name}.")
    if tag is not None and day is None:
        raise BuildError(f"CHANGELOG.md has no day for {name}: write ## [{name}] - YYYY-MM-DD.")
    return body


def check(tag: str | None = None) -> Path:
    """Write the release's notes; return their path."""
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    DIST.mkdir(exist_ok=True)
    NOTES.write_text(notes(text, FACTS.version, tag) + "\n", encoding="utf-8")
    return NOTES
