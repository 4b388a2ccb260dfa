"""Compiles the Windows installer with NSIS, and packs the portable zip, from the frozen folder."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from release.facts import BUILD, CHECKOUT, DIST, FACTS, FILE_TYPES, build_epoch
from release.steps import need, run, say
from release.windows import signing
from release.windows.frozen import FROZEN
from release.windows.runtime import HERE, PLACE

PAYLOAD = FROZEN / FACTS.command
SETUP = DIST / f"{FACTS.name}-{FACTS.version}-windows-x86_64-setup.exe"
PORTABLE = DIST / f"{FACTS.name}-{FACTS.version}-windows-x86_64-portable.zip"
#: Best for its size, and quick, for installers that are made for a test.
COMPRESSION = "/SOLID lzma"


def compile_setup(output: Path = SETUP, version: str = FACTS.version, compression: str = COMPRESSION) -> Path:
    """Compile the installer; return its path."""
    need("makensis")
    DIST.mkdir(exist_ok=True)
    settle_times(PAYLOAD)
    signing.sign([PAYLOAD / f"{name}.exe" for name in (FACTS.command, FACTS.window_command)])
    lists = PLACE / "files.nsh"
    lists.write_text("\n".join(file_lists(PAYLOAD)) + "\n", encoding="utf-8")
    defines = {
        "COMMAND": FACTS.command,
        "COMPRESSION": compression,
        "COPYRIGHT": FACTS.copyright,
        "FILES": lists,
        "ICON": BUILD / "icons" / "cosemscope.ico",
        "LICENCE": CHECKOUT / "LICENSE",
        "NAME": FACTS.name,
        "NUMBERS": ".".join(map(str, FACTS.numbers)),
        "OUTPUT": output,
        "PAYLOAD": PAYLOAD,
        "PUBLISHER": FACTS.publisher,
        "SUMMARY": FACTS.summary,
        "VERSION": version,
        "WINDOW_COMMAND": FACTS.window_command,
    }
    if signing.certificate():
        defines["SIGN"] = signing.COMMAND
    words = [f"-D{name}={value}" for name, value in defines.items()]
    say("Compiling the installer ...")
    run(["makensis", "-V2", "-WX", "-INPUTCHARSET", "UTF8", *words, "installer.nsi"], folder=HERE)
    signing.sign([output])
    return output


def settle_times(folder: Path) -> None:
    """Give every file in `folder` the time of the build, since installers keep times."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (build_epoch(), build_epoch()))


def file_lists(payload: Path) -> Iterator[str]:
    """Lines of NSIS: macros that install and remove each file of `payload`, and the file types."""
    files = sorted(path for path in payload.rglob("*") if path.is_file())
    folders = sorted({path.parent for path in files})
    yield "!macro INSTALL_FILES"
    for folder in folders:
        yield f'  SetOutPath "{_target(payload, folder)}"'
        yield from (f'  File "{path}"' for path in files if path.parent == folder)
    yield "!macroend"
    yield "!macro REMOVE_FILES"
    yield from (f'  Delete "{_target(payload, path)}"' for path in files)
    # All folders on the way, the deepest first; one with somebody else's file in it stays.
    every = {
        parent for folder in folders for parent in (folder, *folder.parents) if payload in parent.parents
    }
    yield from (f'  RMDir "{_target(payload, folder)}"' for folder in sorted(every, reverse=True))
    yield "!macroend"
    yield from _type_lists()


def _target(payload: Path, path: Path) -> str:
    inner = path.relative_to(payload)
    return "\\".join(("$INSTDIR", *inner.parts))


def _type_lists() -> Iterator[str]:
    """Lines of NSIS: macros that register the file types for "Open with", and take that back."""
    program = f"{FACTS.window_command}.exe"
    application = f"Software\\Classes\\Applications\\{program}"
    abilities = f"Software\\{FACTS.name}\\Capabilities"
    opening = f'\'"$INSTDIR\\{program}" "%1"\''
    yield "!macro REGISTER_TYPES"
    yield f'  WriteRegStr SHCTX "{application}" FriendlyAppName "{FACTS.name}"'
    yield f'  WriteRegStr SHCTX "{application}\\shell\\open\\command" "" {opening}'
    yield f'  WriteRegStr SHCTX "{abilities}" ApplicationName "{FACTS.name}"'
    yield f'  WriteRegStr SHCTX "{abilities}" ApplicationDescription "{FACTS.summary}"'
    yield f'  WriteRegStr SHCTX "Software\\RegisteredApplications" "{FACTS.name}" "{abilities}"'
    for kind in FILE_TYPES:
        identifier = f"{FACTS.name}.{kind.suffix}"
        classes = f"Software\\Classes\\{identifier}"
        yield f'  WriteRegStr SHCTX "{application}\\SupportedTypes" ".{kind.suffix}" ""'
        yield f'  WriteRegStr SHCTX "{abilities}\\FileAssociations" ".{kind.suffix}" "{identifier}"'
        yield f'  WriteRegStr SHCTX "{classes}" "" "{kind.title}"'
        yield f'  WriteRegStr SHCTX "{classes}\\DefaultIcon" "" "$INSTDIR\\{program},0"'
        yield f'  WriteRegStr SHCTX "{classes}\\shell\\open\\command" "" {opening}'
        yield f'  WriteRegNone SHCTX "Software\\Classes\\.{kind.suffix}\\OpenWithProgids" "{identifier}"'
    yield "!macroend"
    yield "!macro UNREGISTER_TYPES"
    yield f'  DeleteRegKey SHCTX "{application}"'
    yield f'  DeleteRegKey SHCTX "Software\\{FACTS.name}"'
    yield f'  DeleteRegValue SHCTX "Software\\RegisteredApplications" "{FACTS.name}"'
    for kind in FILE_TYPES:
        yield f'  DeleteRegKey SHCTX "Software\\Classes\\{FACTS.name}.{kind.suffix}"'
        suffix = f"Software\\Classes\\.{kind.suffix}"
        yield f'  DeleteRegValue SHCTX "{suffix}\\OpenWithProgids" "{FACTS.name}.{kind.suffix}"'
        yield f'  DeleteRegKey /ifempty SHCTX "{suffix}\\OpenWithProgids"'
        yield f'  DeleteRegKey /ifempty SHCTX "{suffix}"'
    yield "!macroend"


def pack_portable(output: Path = PORTABLE) -> Path:
    """Pack the frozen folder as a zip that needs no installing; return its path."""
    import time

    DIST.mkdir(exist_ok=True)
    moment = time.gmtime(build_epoch())[:6]
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in PAYLOAD.rglob("*") if path.is_file()):
            name = f"{FACTS.name}-{FACTS.version}/{path.relative_to(PAYLOAD).as_posix()}"
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return output
