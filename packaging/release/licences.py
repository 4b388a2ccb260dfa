"""Gathers the licence texts of all that an installer carries, by distribution."""

import importlib.metadata
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from release.facts import CHECKOUT

_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)


def carried(site_packages: Path) -> Iterator[importlib.metadata.Distribution]:
    """The distributions in `site_packages` that the run-time pins name, sorted by name."""
    pins = (CHECKOUT / "packaging" / "requirements.txt").read_text(encoding="utf-8")
    wanted = {normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", pins, re.MULTILINE)}
    found = {
        normal(each.metadata["Name"]): each
        for each in importlib.metadata.distributions(path=[str(site_packages)])
    }
    for name in sorted(wanted & found.keys()):
        yield found[name]


def normal(name: str) -> str:
    """The name of a distribution in the one way that pins spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def collect(site_packages: Path, folder: Path) -> None:
    """Copy each distribution's licence files, and those that no wheel brings, to `folder/<distribution>/`."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(Path(__file__).with_name("texts_of_licences"), folder)
    for distribution in carried(site_packages):
        name = normal(distribution.metadata["Name"])
        for file in distribution.files or ():
            if ".dist-info" in str(file.parent) and _LICENCE_FILE.search(file.name):
                place = folder / name / file.name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), place)
