"""Signs the bundle, packs it into a disk image and has Apple notarise it. On a Mac only.

Without secrets in the environment the bundle is signed ad hoc (arm64 asks for that much) and not notarised,
with a warning: COSEMSCOPE_MACOS_IDENTITY names the certificate in the key chain, COSEMSCOPE_NOTARY_PROFILE
the profile that `notarytool store-credentials` made.
"""

import os
import platform
import plistlib
from pathlib import Path

from release.facts import BUILD, DIST, FACTS
from release.freezing import FROZEN, release_tools
from release.inspection import check_download, sizes
from release.macos.bundle import ENTITLEMENTS, STRUCTURE
from release.steps import BuildError, only_on, run, say

APP = FROZEN / f"{FACTS.name}.app"
IMAGE = DIST / f"{FACTS.name}-{FACTS.version}-macos-{platform.machine()}.dmg"
_SETTINGS = Path(__file__).with_name("image_settings.py")


def missing_parts(app: Path) -> list[str]:
    """What every bundle has and this one has not."""
    return [part for part in STRUCTURE if not (app / part).exists()]


def sign() -> None:
    """Sign every library and the bundle, with the hardened runtime; raises BuildError."""
    only_on("darwin", "The bundle's signature")
    missing = missing_parts(APP)
    if missing:
        raise BuildError(f"{APP.name} lacks {', '.join(missing)}")
    entitlements = BUILD / "entitlements.plist"
    entitlements.write_bytes(plistlib.dumps(ENTITLEMENTS))
    identity = os.environ.get("COSEMSCOPE_MACOS_IDENTITY") or "-"
    if identity == "-":
        say("Warning: no certificate (COSEMSCOPE_MACOS_IDENTITY): signed ad hoc only.")
    words = ["codesign", "--force", "--options", "runtime", "--sign", identity]
    words += ["--timestamp"] if identity != "-" else ["--timestamp=none"]
    # What is inside first, the bundle last: its signature covers theirs.
    inner = [path for path in APP.rglob("*") if path.suffix in (".dylib", ".so") and not path.is_symlink()]
    frameworks = [path for path in APP.rglob("*.framework") if not path.is_symlink()]
    for path in (*inner, *frameworks):
        run([*words, path])
    run([*words, "--entitlements", entitlements, APP])
    run(["codesign", "--verify", "--deep", "--strict", APP])


def pack() -> Path:
    """Pack the signed bundle into a disk image, notarised where there are credentials; return its path."""
    only_on("darwin", "The disk image")
    DIST.mkdir(exist_ok=True)
    say(f"{APP.name}: {sum(sizes(APP).values()):,} octets installed")
    words: list[str | Path] = [
        release_tools().python,
        "-m",
        "dmgbuild",
        "-s",
        _SETTINGS,
        "-D",
        f"app={APP}",
        FACTS.name,
    ]
    run([*words, IMAGE])
    identity, profile = (
        os.environ.get(f"COSEMSCOPE_{name}") for name in ("MACOS_IDENTITY", "NOTARY_PROFILE")
    )
    if identity:
        run(["codesign", "--sign", identity, "--timestamp", IMAGE])
    if profile:
        run(["xcrun", "notarytool", "submit", IMAGE, "--keychain-profile", profile, "--wait"], seconds=3_600)
        run(["xcrun", "stapler", "staple", IMAGE])
    else:
        say("Warning: no credentials (COSEMSCOPE_NOTARY_PROFILE): not notarised.")
    check_download(IMAGE)
    return IMAGE


def trial() -> None:
    """Mount the image, check the program's signature, run its self-test from there, unmount."""
    only_on("darwin", "The trial of the disk image")
    place = BUILD / "mounted"
    run(["hdiutil", "attach", IMAGE, "-nobrowse", "-readonly", "-mountpoint", place])
    try:
        app = place / APP.name
        run(["codesign", "--verify", "--deep", "--strict", app])
        picture = BUILD / "pictures" / "macos.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        say(run([app / "Contents" / "MacOS" / FACTS.command, "self-test", "--picture", picture]))
        if not (place / "Applications").is_symlink():
            raise BuildError("The image has no link to Applications.")
    finally:
        run(["hdiutil", "detach", place])
