"""Installs, starts, photographs, upgrades and removes the Windows program, under Wine or on Windows.

Each line of the account is something that was looked at; the first thing that is not as it should be raises
BuildError.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release.display import photograph, screen, window
from release.facts import BUILD, FACTS, FILE_TYPES
from release.inspection import check_download
from release.steps import BuildError, need, say
from release.windows import host, nsis
from release.windows import wine as under_wine
from release.windows.runtime import PLACE

PICTURE = BUILD / "pictures" / "windows.png"
_OLD_VERSION = "0.0.1"
_OLD_SETUP = PLACE / "older-setup.exe"
_LEFT_OVER = "of-the-older-version.txt"
_REGISTERED = rf"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\{FACTS.name}"
_ENVIRONMENT = r"HKCU\Environment"
_MACHINE_ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
#: A PATH as people have them, longer than NSIS's own strings.
_LONG_PATH = ";".join(rf"C:\somewhere\folder-{number:03}\bin" for number in range(90))
#: Seconds that a removal may take.
_PATIENCE = 60
#: Exit status of an installer that refuses, see installer.nsi.
_REFUSED = 3


def compile_older() -> Path:
    """Compile an installer of an older version, which brings a file that the newer one does not."""
    extra = nsis.PAYLOAD / _LEFT_OVER
    extra.write_text("This file was a part of an older version.\n", encoding="ascii")
    try:
        return nsis.compile_setup(_OLD_SETUP, _OLD_VERSION, compression="zlib")
    finally:
        extra.unlink()


def expect(holds: object, text: str) -> None:
    """Tell that `text` holds; raises BuildError where it does not."""
    if not holds:
        raise BuildError(f"not so: {text}")
    say(f"  ok  {text}")


def trial() -> None:
    """Try everything that a user does with the installer; leaves a picture."""
    check_download(nsis.SETUP)
    if not host.NATIVE:
        need("wine", "/usr/lib/wine/wine64")
    home = host.folder("LOCALAPPDATA") / "Programs" / FACTS.name
    settings = host.folder("APPDATA") / FACTS.name / f"{FACTS.name}.ini"
    host.set_registry(_ENVIRONMENT, "Path", "REG_EXPAND_SZ", _LONG_PATH)
    compile_older()
    host.wait_for_all()
    say("Installed by an older version")
    _install(_OLD_SETUP, home, _OLD_VERSION)
    expect((home / _LEFT_OVER).exists(), "what only the older version brings is there")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[window]\nzoom=2\n", encoding="ascii")
    with _running(home):
        host.run_program([nsis.SETUP, "/S", "/CurrentUser"], statuses=(_REFUSED,))
        expect(_version() == _OLD_VERSION, "an upgrade while it runs is refused, and changes nothing")
        expect((home / _LEFT_OVER).exists(), "no file was touched")
    say("Upgraded")
    _install(nsis.SETUP, home, FACTS.version)
    expect(not (home / _LEFT_OVER).exists(), "what the older version brought is gone")
    _look_at_registration(home)
    say(host.run_program([home / f"{FACTS.command}.exe", "self-test"]))
    with _running(home, PICTURE):
        say(f"  ok  window photographed: {PICTURE}")
    say("Removed")
    _remove(home)
    expect(settings.exists(), "settings are kept")
    say("Installed again, and removed with the settings")
    _install(_OLD_SETUP, home, _OLD_VERSION)
    _remove(home, "/SETTINGS")
    expect(not settings.parent.exists(), "settings are gone, as asked")
    _for_all_users()


def _for_all_users() -> None:
    """Install for all users and remove: elsewhere, with the machine's part of the registry and its PATH."""
    say("Installed for all users, and removed")
    home = host.folder("PROGRAMFILES") / FACTS.name
    registered = _REGISTERED.replace("HKCU", "HKLM")
    before = host.read_registry(_MACHINE_ENVIRONMENT, "Path") or ""
    host.run_program([_OLD_SETUP, "/S", "/AllUsers"])
    host.wait_for_all()
    expect((home / f"{FACTS.command}.exe").exists(), "it is in Program Files")
    expect(host.read_registry(registered, "DisplayVersion") == _OLD_VERSION, "the machine's registry has it")
    path = host.read_registry(_MACHINE_ENVIRONMENT, "Path")
    expect(path == f"{before};{host.spelled(home)}", "the machine's PATH has it")
    _uninstall(home, "/AllUsers")
    expect(not home.exists(), "its folder is gone")
    expect(host.read_registry(registered, "DisplayVersion") is None, "the machine's registry forgot it")
    expect(host.read_registry(_MACHINE_ENVIRONMENT, "Path") == before, "the machine's PATH is as before")


def _version() -> str | None:
    return host.read_registry(_REGISTERED, "DisplayVersion")


def _install(setup: Path, home: Path, version: str) -> None:
    host.run_program([setup, "/S", "/CurrentUser"])
    host.wait_for_all()
    expect((home / f"{FACTS.command}.exe").exists(), f"{setup.name} installs silently for the user")
    expect(_version() == version, f"Windows' settings name version {version}")


def _look_at_registration(home: Path) -> None:
    shortcut = host.folder("APPDATA") / "Microsoft/Windows/Start Menu/Programs" / f"{FACTS.name}.lnk"
    expect(shortcut.exists(), "the start menu has it")
    path = host.read_registry(_ENVIRONMENT, "Path") or ""
    expect(path == f"{_LONG_PATH};{host.spelled(home)}", "PATH has it once, behind all that was there")
    for kind in FILE_TYPES:
        suffix = rf"HKCU\Software\Classes\.{kind.suffix}"
        identifier = f"{FACTS.name}.{kind.suffix}"
        expect(
            host.read_registry(rf"{suffix}\OpenWithProgids", identifier) is not None, f"opens .{kind.suffix}"
        )
        expect(not host.read_registry(suffix), f"the default of .{kind.suffix} is not touched")
        command = host.read_registry(rf"HKCU\Software\Classes\{identifier}\shell\open\command")
        program = host.spelled(home / f"{FACTS.window_command}.exe")
        expect(command == f'"{program}" "%1"', f"double click on .{kind.suffix} would start the window")


def _uninstall(home: Path, *words: str) -> None:
    host.run_program([home / "uninstall.exe", "/S", *words])
    host.wait_for_all()
    # The uninstaller goes on from a copy of itself, since no program can delete its own file.
    end = time.monotonic() + _PATIENCE
    while home.exists() and time.monotonic() < end:
        time.sleep(0.2)


def _remove(home: Path, *words: str) -> None:
    _uninstall(home, "/CurrentUser", *words)
    expect(not home.exists(), "its folder is gone")
    shortcut = host.folder("APPDATA") / "Microsoft/Windows/Start Menu/Programs" / f"{FACTS.name}.lnk"
    expect(not shortcut.exists(), "the start menu has it no more")
    expect(host.read_registry(_ENVIRONMENT, "Path") == _LONG_PATH, "PATH is as before")
    left = host.mentions([r"HKCU\Software", r"HKCU\Environment"])
    expect(not left, f"the registry does not mention it {left[:3] or ''}".rstrip())


@contextmanager
def _running(home: Path, picture: Path | None = None) -> Iterator[None]:
    """The window on a sample, as from the start menu; photographed where asked for."""
    words = [home / f"{FACTS.window_command}.exe"]
    words.append(home / "_internal/cosemscope/_resources/samples/first-look.pcapng")
    if host.NATIVE:
        yield from _running_natively(words, picture)
        return
    with screen() as display:
        program: list[str | Path] = [under_wine.LOADER, words[0], under_wine.windows_path(words[1])]
        with window(program, display, under_wine.wine_environment()):
            if picture:
                photograph(display, picture, settle=6)
            yield
        under_wine.settle()


def _running_natively(words: list[Path], picture: Path | None) -> Iterator[None]:
    program = subprocess.Popen(list(map(str, words)))
    time.sleep(10)
    if picture:
        picture.parent.mkdir(parents=True, exist_ok=True)
        grab = "import sys; from PIL import ImageGrab; ImageGrab.grab().save(sys.argv[1])"
        subprocess.run([sys.executable, "-c", grab, str(picture)], check=True)
    yield
    program.terminate()
    program.wait(30)
