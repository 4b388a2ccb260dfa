"""Texts that installers carry: man pages, completion, menu entry, AppStream data, release notes, SBOM."""

import plistlib
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from configparser import ConfigParser

import pytest

from cosemscope import cli
from tests.helpers.scripts import CHECKOUT, script

changelog = script("release.changelog")
facts = script("release.facts")
steps = script("release.steps")
texts = script("release.texts")
desktop_files = script("release.linux.desktop_files")


def test_every_command_has_a_man_page_with_each_option(tmp_path):
    """They are made from the commands' help, so that none is forgotten."""
    texts.write_man_pages(tmp_path)
    _, parsers = texts.whole_parser()
    assert set(parsers) == set(cli.COMMANDS)
    for name, parser in parsers.items():
        page = (tmp_path / f"cosemscope-{name}.1").read_text()
        plain = page.replace("\\-", "-")
        assert cli.COMMANDS[name] in plain
        options = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", parser.format_help().partition("options:")[2])
        assert "--help" in options
        assert [option for option in options if option not in plain] == []
    assert "cosemscope\\-list" in (tmp_path / "cosemscope.1").read_text()


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_man_pages_are_good_troff(tmp_path):
    """groff warns of nothing."""
    for page in texts.write_man_pages(tmp_path):
        done = subprocess.run(
            ["groff", "-man", "-ww", "-Tutf8", "-z", str(page)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_each_shell_completes_each_command(tmp_path):
    """bash, zsh and fish; bash reads what it is given."""
    pytest.importorskip("shtab", reason="the set `release` is not set up")
    paths = texts.write_completions(tmp_path)
    assert len(paths) == 3
    for path in paths:
        assert [name for name in cli.COMMANDS if name not in path.read_text()] == []
    if shutil.which("bash"):
        subprocess.run(["bash", "-n", str(tmp_path / texts.COMPLETIONS["bash"])], check=True)


def test_troff_takes_text_as_it_stands():
    """No line of a help becomes a request."""
    assert texts.roff(".so /etc/passwd\n'x \\n -v") == "\\&.so /etc/passwd\n\\&'x \\en \\-v"


def test_the_menu_entry_opens_what_is_declared():
    """The desktop entry, the kinds of file and AppStream agree."""
    entry = ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read_string(desktop_files.desktop_entry())
    kinds = [kind.mime for kind in facts.FILE_TYPES]
    assert entry["Desktop Entry"]["MimeType"].strip(";").split(";") == kinds
    assert entry["Desktop Entry"]["Exec"] == "cosemscope %f"
    mime = ElementTree.fromstring(desktop_files.mime_package().encode())
    assert [each.get("type") for each in mime] == kinds
    component = ElementTree.fromstring(desktop_files.appstream().encode())
    assert component.findtext("id") == facts.FACTS.identifier
    assert component.find("releases/release").get("version") == facts.FACTS.version
    assert (CHECKOUT / "packaging/release/linux" / f"{facts.FACTS.identifier}.yml").exists()


def test_release_notes_come_from_the_changelog():
    """Of the version; before its heading is there, of what is unreleased."""
    text = "## [Unreleased]\n\n- new\n\n## [0.1.0] - 2026-01-02\n\n- old\n\n## [0.0.9]\n\n- older\n"
    assert changelog.notes(text, "0.1.0", "v0.1.0") == "- old"
    assert changelog.notes(text, "0.2.0", None) == "- new"
    for version, tag, reason in (
        ("0.1.0", "v0.2.0", "is not v0.1.0"),
        ("0.2.0", "v0.2.0", "says nothing of 0.2.0"),
        ("0.0.9", "v0.0.9", "no day"),
    ):
        with pytest.raises(steps.BuildError, match=reason):
            changelog.notes(text, version, tag)


def test_the_sbom_names_all_that_is_carried():
    """Distributions, Qt, Python; it fits the schema, and is the same twice."""
    pytest.importorskip("cyclonedx", reason="the set `release` is not set up")
    import json
    import sysconfig
    from pathlib import Path

    sbom = script("release.sbom")
    packages = Path(sysconfig.get_path("purelib"))
    document = sbom.document(packages)
    assert document == sbom.document(packages)
    parts = {part["name"]: part for part in json.loads(document)["components"]}
    assert {"qt", "cpython", "numpy", "pyside6-essentials", "cryptography"} <= set(parts)
    assert all(part.get("licenses") for part in parts.values())


def test_macos_is_told_what_the_program_opens():
    """The property list survives being written; it opens both kinds and is the default of none."""
    bundle = script("release.macos.bundle")
    made = plistlib.loads(plistlib.dumps(bundle.info_plist(facts.FACTS)))
    types = made["CFBundleDocumentTypes"]
    assert {kind.uti for kind in facts.FILE_TYPES} == {each["LSItemContentTypes"][0] for each in types}
    assert {each["LSHandlerRank"] for each in types} == {"Alternate"}
    declared = [each["UTTypeIdentifier"] for each in made["UTImportedTypeDeclarations"]]
    assert declared == [kind.uti for kind in facts.FILE_TYPES]
    assert made["CFBundleShortVersionString"] == facts.FACTS.version
    assert all(plistlib.loads(plistlib.dumps(bundle.ENTITLEMENTS)).values())


def test_a_bundle_that_lacks_a_part_is_told(tmp_path):
    """The structure is held against a list, here on a bundle of empty files."""
    bundle = script("release.macos.bundle")
    image = script("release.macos.image")
    for part in bundle.STRUCTURE:
        path = tmp_path / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert image.missing_parts(tmp_path) == []
    (tmp_path / "Contents/Info.plist").unlink()
    assert image.missing_parts(tmp_path) == ["Contents/Info.plist"]


def test_the_disk_image_shows_the_program_and_where_to_drag_it():
    """Both icons lie in the window, beside each other, and a Finder file with them can be made."""
    import runpy

    path = CHECKOUT / "packaging/release/macos/image_settings.py"
    made = runpy.run_path(str(path), {"defines": {"app": "/x/Cosemscope.app"}})
    (_, (width, height)), places = made["window_rect"], made["icon_locations"]
    assert set(places) == {"Cosemscope.app", *made["symlinks"]}
    assert all(0 < left < width and 0 < top < height for left, top in places.values())
    assert places["Cosemscope.app"][0] < places["Applications"][0]


def test_the_icon_is_drawn_in_every_size(tmp_path):
    """PNG, ico and icns, from the one SVG."""
    image = pytest.importorskip("PIL.Image", reason="the set `release` is not set up")
    icons = script("release.icons")
    icons.draw(CHECKOUT / "resources/icons/cosemscope.svg", tmp_path)
    ico, icns = image.open(tmp_path / "cosemscope.ico"), image.open(tmp_path / "cosemscope.icns")
    assert {size for size, _ in ico.info["sizes"]} == {size for size in icons.SIZES if size <= 256}
    assert {(128, 128, 1), (512, 512, 2)} <= {tuple(each) for each in icns.info["sizes"]}
    assert len(image.open(tmp_path / "256.png").getcolors(1 << 16)) > 3


def test_the_cask_names_both_images(tmp_path):
    """With their checksums, at the address told."""
    cask = script("release.macos.cask")
    images = {name: tmp_path / f"{name}.dmg" for name in cask.PROCESSORS}
    for name, path in images.items():
        path.write_bytes(name.encode())
    text = cask.cask(images, "https://example.org/owner/repo/releases/download/v1")
    assert text.count("sha256") == 1
    assert text.count("do") >= 1
    assert 'homepage "https://example.org/owner/repo"' in text
    assert "#{version}-macos-#{arch}.dmg" in text
    if shutil.which("ruby"):
        subprocess.run(["ruby", "-c"], input=text, text=True, check=True, capture_output=True)
