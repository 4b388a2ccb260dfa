"""What holds for the project as a whole: pins, licences, no addresses, Qt in its room."""

import ast
import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = {
    "requirements.txt": [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["keyring"]],
    "requirements-test.txt": PROJECT["optional-dependencies"]["test"],
    "requirements-lint.txt": PROJECT["optional-dependencies"]["lint"],
    "requirements-mutants.txt": PROJECT["optional-dependencies"]["mutants"],
    "requirements-fuzz.txt": PROJECT["optional-dependencies"]["fuzz"],
    "requirements-freeze.txt": PROJECT["optional-dependencies"]["freeze"],
    "requirements-release.txt": PROJECT["optional-dependencies"]["release"],
    "requirements-windows.txt": PROJECT["optional-dependencies"]["windows"],
    "requirements-fleet.txt": PROJECT["optional-dependencies"]["fleet"],
}


def normal(name: str) -> str:
    """The name of a distribution in the one way that pins spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(file: str) -> dict[str, list[str]]:
    """Name -> versions that `file` pins, one for each marker."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", _pins(file), re.MULTILINE):
        versions.setdefault(normal(name), []).append(version)
    return versions


def _pins(file: str) -> str:
    return (CHECKOUT / "packaging" / file).read_text(encoding="utf-8")


def project_files() -> list[Path]:
    """Every file of the project, as git knows them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip(f"git cannot list the files: {listed.stderr.decode(errors='replace').strip()}")
    paths = [CHECKOUT / name.decode() for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("file", PINS)
def test_every_requirement_is_pinned_with_hashes(file):
    """What pyproject.toml asks for and what is installed cannot drift apart."""
    names = {normal(re.split(r"[\s<>=!~;\[]", line)[0]) for line in PINS[file]}
    assert names <= set(pinned(file))
    entries = re.split(r"^(?=[A-Za-z0-9])", _pins(file), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("file", [*PINS, "constraints.txt"])
def test_pins_hold_no_address(file):
    """Where packages come from is the user's setting."""
    assert "://" not in _pins(file)
    assert not re.search(
        r"^\s*(-i|--index-url|--extra-index-url|--find-links|-f)\b", _pins(file), re.MULTILINE
    )


@pytest.mark.parametrize("file", PINS)
def test_two_files_of_pins_never_disagree(file):
    """All three go into one environment."""
    here = pinned(file)
    for other in PINS:
        there = pinned(other)
        assert {name: there[name] for name in here.keys() & there.keys()} == {
            name: here[name] for name in here.keys() & there.keys()
        }


def test_pyside_is_one_that_works_on_python_3_11():
    """6.12.0 loses a reference to None with each call there, and aborts after some thousands."""
    (version,) = pinned("requirements.txt")["pyside6-essentials"]
    assert tuple(map(int, version.split(".")[:2])) < (6, 12)


def test_the_environment_is_the_pinned_one():
    """The suite tests what users get."""
    for name, versions in pinned("requirements.txt").items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        assert installed in versions, name


def test_no_run_time_dependency_is_under_the_gpl_alone():
    """Cosemscope is Apache-2.0: what it runs on must let it stay so."""
    read = []
    for name in [*pinned("requirements.txt"), *pinned("requirements-fleet.txt")]:
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        licence = metadata.get("License-Expression") or " OR ".join(
            [
                *(each for each in metadata.get_all("Classifier") or () if each.startswith("License ::")),
                (metadata.get("License") or "").splitlines()[0] if metadata.get("License") else "",
            ]
        )
        choices = re.split(r"\s+OR\s+", licence)
        allowed = [each for each in choices if each and not re.search(r"(?<!L)GPL|\bGeneral Public", each)]
        assert allowed, f"{name}: {licence or 'states no licence'}"
        read.append(name)
    assert {"pyside6-essentials", "numpy", "dpkt", "pyqtgraph", "cryptography", "zstandard"} <= set(read)


def test_packaging_is_no_package():
    """Else it would hide the library `packaging` that pytest imports."""
    assert not (CHECKOUT / "packaging" / "__init__.py").exists()


def test_no_file_names_a_machine_or_a_registry():
    """Paths of one machine help nobody else; where packages come from is the user's setting."""
    folders = "work|farm|root|tmp|home"
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org", "registry.npmjs" + ".org"]
    machine = re.compile(rf"(?:^|[^A-Za-z0-9._-])/(?:{folders})/[a-z]")
    found = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, a capture
        for number, line in enumerate(text.splitlines(), 1):
            if machine.search(line) or any(host in line for host in hosts):
                found.append(f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()}")
    assert found == []


def test_qt_is_imported_in_gui_only():
    """The import linter sees chains; this one sees text, so it holds without that tool too."""
    package = CHECKOUT / "app" / "cosemscope"
    guilty = []
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] == "gui":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in {"PySide6", "shiboken6", "pyqtgraph"} for name in names):
                guilty.append(str(path.relative_to(package)))
    assert guilty == []


def test_the_licence_is_apache_2():
    """Statement and text agree."""
    assert PROJECT["license"] == "Apache-2.0"
    text = (CHECKOUT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_names_of_files_and_classes_are_unique_in_the_package():
    """Files and public classes say what they are without their folders: none shares another one's name."""
    files: dict[str, list[Path]] = {}
    classes: dict[str, list[Path]] = {}
    for path in (CHECKOUT / "app/cosemscope").rglob("*.py"):
        if not path.stem.startswith("__"):
            files.setdefault(path.stem, []).append(path)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes.setdefault(node.name, []).append(path)
    shared = {name: paths for names in (files, classes) for name, paths in names.items() if len(paths) > 1}
    assert shared == {}


def test_no_folder_of_the_package_has_more_files_than_one_can_overlook():
    """At most 16 modules: more are several stages, or a table of one kind, as the commands are."""
    for folder in (CHECKOUT / "app/cosemscope").rglob("*/"):
        modules = [path for path in folder.glob("*.py") if not path.stem.startswith("__")]
        assert len(modules) <= 16 or folder.name == "commands", folder
