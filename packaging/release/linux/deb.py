"""Packs the frozen program as a package for Debian and Ubuntu: program, menu entry, man pages, completion."""

import gzip
import hashlib
import shutil
import time
from pathlib import Path

import qt_libraries
from release.facts import BUILD, CHECKOUT, DIST, FACTS, build_epoch
from release.freezing import FROZEN, fresh, release_tools
from release.linux import desktop_files
from release.steps import need, run, run_module

TREE = BUILD / "deb"
PACKAGE = DIST / f"{FACTS.command}_{FACTS.version}_amd64.deb"
_MAINTAINER = f"{FACTS.publisher} <maintainers@cosemscope.org>"
#: The C library of the system that the wheels were made for.
_C_LIBRARY = "libc6 (>= 2.34)"
#: What lintian says that is so on purpose: tag and, for people, why.
_ON_PURPOSE = {
    "embedded-library": "Qt's wheels bring their own, and Qt must be replaceable as a whole",
    "hardening-no-fortify-functions": "libraries are as their makers built them",
    "hardening-no-bindnow": "libraries are as their makers built them",
    "hardening-no-pie": "the launcher is PyInstaller's",
    "unstripped-binary-or-object": "PyInstaller's launcher carries the program behind its code",
    "shared-library-lacks-prerequisites": "data of ICU are in a library without code",
    "package-contains-documentation-outside-usr-share-doc": "licences stand beside what they are for",
    "extra-license-file": "licences stand beside what they are for",
}


def pack() -> Path:
    """Build the package; return its path."""
    need("dpkg-deb")
    DIST.mkdir(exist_ok=True)
    fresh(TREE)
    share = TREE / "usr" / "share"
    home = TREE / "usr" / "lib" / FACTS.command
    shutil.copytree(FROZEN / FACTS.command, home, symlinks=True)
    link = TREE / "usr" / "bin" / FACTS.command
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../lib/{FACTS.command}/{FACTS.command}")
    desktop_files.write(share)
    run_module(release_tools(), "release.texts", share)
    for page in (share / "man" / "man1").glob("*.1"):
        _compress(page)
    _write_documents(share)
    _write_control(TREE)
    _settle_modes(TREE)
    options = ["--root-owner-group", "-Zxz", "-z2", "--threads-max=1"]
    run(["dpkg-deb", *options, "--build", TREE, PACKAGE])
    return PACKAGE


def _write_documents(share: Path) -> None:
    """Copyright, changelog and lintian's overrides, where Debian wants them."""
    documents = share / "doc" / FACTS.command
    documents.mkdir(parents=True)
    year = time.gmtime(build_epoch()).tm_year
    (documents / "copyright").write_text(
        f"{(CHECKOUT / 'NOTICE').read_text(encoding='utf-8')}\n"
        f"Copyright {year} the Cosemscope authors. The licence of Cosemscope is in\n"
        "/usr/share/common-licenses/Apache-2.0, that of Qt and PySide6 in\n"
        "/usr/share/common-licenses/LGPL-3; the others are in\n"
        f"/usr/lib/{FACTS.command}/_internal/licences.\n",
        encoding="utf-8",
    )
    day = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(build_epoch()))
    changelog = documents / "changelog"
    changelog.write_text(
        f"{FACTS.command} ({FACTS.version}) stable; urgency=medium\n\n"
        f"  * Version {FACTS.version}; see /usr/lib/{FACTS.command}/_internal/CHANGELOG.md.\n\n"
        f" -- {_MAINTAINER}  {day}\n",
        encoding="utf-8",
    )
    _compress(changelog)
    overrides = share / "lintian" / "overrides" / FACTS.command
    overrides.parent.mkdir(parents=True)
    lines = [f"# {why}\n{FACTS.command}: {tag} *\n" for tag, why in _ON_PURPOSE.items()]
    overrides.write_text("".join(lines), encoding="utf-8")


def _write_control(tree: Path) -> None:
    """The package's head, and a checksum of each file."""
    libraries = {**qt_libraries.OFFSCREEN, **qt_libraries.XCB, **qt_libraries.WAYLAND}
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    folder = tree / "DEBIAN"
    folder.mkdir()
    (folder / "control").write_text(
        f"Package: {FACTS.command}\n"
        f"Version: {FACTS.version}\n"
        "Architecture: amd64\n"
        f"Maintainer: {_MAINTAINER}\n"
        f"Installed-Size: {sum(path.stat().st_size for path in files) // 1024}\n"
        f"Depends: {', '.join(sorted({_C_LIBRARY, 'libstdc++6', *libraries.values()}))}\n"
        "Recommends: libpcap0.8\n"
        "Suggests: wireshark-common\n"
        "Section: net\n"
        "Priority: optional\n"
        "Description: inspector for DLMS/COSEM over IP (IEC 62056-4-7)\n"
        " Opens or makes captures of meters' traffic, shows WPDUs as a tree of wPort\n"
        " sessions with their timing, decodes every APDU down to the octet and opens\n"
        " the ciphered ones with the keys that it is given; as a window and as\n"
        " commands for scripts.\n",
        encoding="utf-8",
    )
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files]
    (folder / "md5sums").write_text("".join(sums), encoding="utf-8")


def _compress(path: Path) -> None:
    """Replace a file by its gzip, which tells neither name nor time."""
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    path.unlink()


def _settle_modes(tree: Path) -> None:
    """Everyone reads, the owner writes; programs run."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or (path.name == FACTS.command and path.parent.parent.name == "lib")
            path.chmod(0o755 if runs else 0o644)
