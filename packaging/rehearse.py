"""Does on Linux all that a release does, short of uploading: `python3 packaging/rehearse.py [STEP...]`.

A step is a row of `STEPS`; without a word all are done, in their order. The workflows call the same steps, so
that what a release does was done before. `--list` tells what each is.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import build

from release import changelog, freezing, python_packages, twice, workflows
from release.facts import BUILD, DIST, FACTS
from release.linux import deb
from release.macos import cask
from release.steps import BuildError, run, run_module, say
from release.windows import frozen as windows_frozen
from release.windows import nsis, runtime, winget
from workspace import SetupError

#: Where a rehearsal says that files will be; a release says it with --address.
_NOWHERE = "https://cosemscope.example/releases/download/v" + FACTS.version


class Step(NamedTuple):
    """Something that a release does: what it is, and what does it, given the command line."""

    meaning: str
    do: Callable[[argparse.Namespace], object]


def _build(*targets: str) -> Callable[[argparse.Namespace], object]:
    """What builds these targets."""

    def do(_: argparse.Namespace) -> None:
        for target in targets:
            build.build(target)

    return do


def write_sboms(_: argparse.Namespace) -> None:
    """Write what each frozen program is made of."""
    linux = next((BUILD / "frozen-python" / "lib").glob("python3.*")) / "site-packages"
    for system, packages in (("linux", linux), ("windows", runtime.RUNTIME / "Lib" / "site-packages")):
        if packages.is_dir():
            path = DIST / f"{FACTS.name}-{FACTS.version}-{system}.cdx.json"
            run_module(freezing.release_tools(), "release.sbom", packages, path)
            say(f"{path.name}: fits CycloneDX's schema")


def write_manifests(arguments: argparse.Namespace) -> None:
    """Write what tells others of the files that are in `dist`: to update notices, winget, Homebrew."""
    (DIST / "latest.json").write_text(json.dumps({"version": FACTS.version}) + "\n", encoding="ascii")
    if nsis.SETUP.exists():
        folder = freezing.fresh(DIST / "winget")
        made = winget.manifests(nsis.SETUP, f"{arguments.address}/{nsis.SETUP.name}")
        for name, manifest in made.items():  # JSON is YAML
            (folder / name).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        words: list[str | Path] = [
            "--schemafile",
            winget.SCHEMA,
            "--force-filetype",
            "yaml",
            *sorted(folder.iterdir()),
        ]
        run([Path(freezing.release_tools().scripts) / "check-jsonschema", *words])
        say(f"winget: {len(made)} manifests fit the schema")
    prefix = f"{FACTS.name}-{FACTS.version}-macos-"
    images = {name: DIST / f"{prefix}{machine}.dmg" for name, machine in cask.PROCESSORS.items()}
    if all(image.exists() for image in images.values()):
        (DIST / f"{FACTS.command}.rb").write_text(cask.cask(images, arguments.address), encoding="utf-8")
    else:
        say("No disk images are here, hence no cask.")


def write_checksums(_: argparse.Namespace) -> Path:
    """Write SHA256SUMS over all files in `dist`; return its path."""
    path = DIST / "SHA256SUMS"
    files = sorted(
        each for each in DIST.iterdir() if each.is_file() and each != path and each != changelog.NOTES
    )
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files]
    path.write_text("".join(lines), encoding="ascii")
    return path


STEPS: dict[str, Step] = {
    "changelog": Step("tag, version and changelog agree", lambda arguments: changelog.check(arguments.tag)),
    "workflows": Step("the workflow files under their linters", lambda _: workflows.check()),
    "python": Step("wheel and sdist", lambda _: python_packages.build()),
    "python-trial": Step("that wheel in empty environments", lambda _: python_packages.trial()),
    "linux": Step("the frozen program and the package, built and tried", _build("linux")),
    "linux-again": Step(
        "both once more, in another folder: the same octets",
        lambda _: twice.build_again(
            ["frozen", "deb", "wheel"], [freezing.FROZEN, deb.PACKAGE, python_packages.WHEEL]
        ),
    ),
    "windows": Step("the Windows program, installer and zip, under Wine", _build("windows")),
    "windows-again": Step(
        "these once more, in another folder: the same octets",
        lambda _: twice.build_again(
            ["windows-frozen", "windows-setup", "windows-portable"],
            [windows_frozen.FROZEN, nsis.SETUP, nsis.PORTABLE],
        ),
    ),
    "sbom": Step("what the programs are made of", write_sboms),
    "manifests": Step("winget's manifests, Homebrew's cask, the answer to update notices", write_manifests),
    "checksums": Step("SHA256SUMS", write_checksums),
}


def main(words: Sequence[str]) -> int:
    """Do the steps that `words` name, or all; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="rehearse.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="steps:\n" + "\n".join(f"  {name:<16}{step.meaning}" for name, step in STEPS.items()),
    )
    parser.add_argument("steps", nargs="*", metavar="STEP", help="what to do; everything without a word")
    parser.add_argument("--without", action="append", default=[], metavar="STEP", help="leave this one out")
    parser.add_argument("--tag", help="the tag that is released")
    parser.add_argument("--address", default=_NOWHERE, help="the folder that the files will be in")
    arguments = parser.parse_args(words)
    unknown = [name for name in (*arguments.steps, *arguments.without) if name not in STEPS]
    if unknown:
        parser.error(f"unknown: {' '.join(unknown)}")
    for name in [name for name in arguments.steps or STEPS if name not in arguments.without]:
        say(f"\n== {name}: {STEPS[name].meaning}")
        began = time.monotonic()
        try:
            STEPS[name].do(arguments)
        except (BuildError, SetupError) as error:
            print(error, file=sys.stderr)
            return 1
        say(f"== {name}: done ({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
