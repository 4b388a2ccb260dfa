"""Which modules, libraries and data go into the frozen program, and which that PyInstaller finds stay out.

PyInstaller takes all that could be needed by anybody; these tables keep what Cosemscope needs. The committed
lists in `release/lists` show the outcome, file by file.
"""

import re
from pathlib import Path

#: Modules that something would import if it could, and that nobody here asks for.
EXCLUDED_MODULES = [
    "_curses",
    "_hashlib",  # the OpenSSL of the system; `hashlib` has its own, `cryptography` its own OpenSSL
    "_pyrepl",
    "_ssl",
    "bz2",
    "curses",
    "dbm",
    "doctest",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "matplotlib",
    "numpy.distutils",
    "numpy.f2py",
    "numpy.testing",
    "pydoc_data",
    "pytest",
    "readline",  # GPL
    "scipy",
    "setuptools",
    "sqlite3",
    "ssl",
    "tkinter",
    "unittest",
    "zstandard._cffi",
    "zstandard.backend_cffi",
]

#: Libraries of a Linux system that go in: those that Python stands on. Others are the system's own, kept
#: up to date by it: X, Wayland, OpenGL, fonts, libpcap.
_SYSTEM_LIBRARIES = ("expat", "ffi", "lzma", "mpdec", "python", "uuid", "z")

#: What of Qt is used: the modules, and the plugins by kind.
_QT_MODULES = ("Core", "Gui", "Widgets", "Svg", "Network", "OpenGL", "OpenGLWidgets")
_QT_SUPPORT = ("DBus", "XcbQpa", "WaylandClient", "WaylandEglClientHwIntegration", "WlShellIntegration")
_PLUGINS = {
    "platforms": r"(lib)?q(windows|cocoa|xcb|wayland(-generic|-egl)?|offscreen|minimal)",
    "styles": r".*",
    "imageformats": r"(lib)?q(svg|ico|icns)",
    "iconengines": r".*",
    "platformthemes": r".*xdgdesktopportal",
    "platforminputcontexts": r".*(compose|ibus).*",
    "xcbglintegrations": r".*",
    "wayland-shell-integration": r".*xdg-shell",
    "wayland-decoration-client": r".*",
    "wayland-graphics-integration-client": r".*(wayland-egl)",
    "tls": r".*",
}

#: Folders of `resources` that only the checkout needs.
_ONLY_IN_CHECKOUT = ("examples", "pictures")
_UNUSED = re.compile(
    r"/translations/|\.(pyi|pxd|h|a|lib)$|^pyqtgraph/(colors|icons/peegee)/|/opengl32sw\.dll$"
    r"|\.dist-info/(RECORD|INSTALLER|REQUESTED)$"  # what installed it, and where to
)
_TEST_MODULE = re.compile(r"(^|\.)(tests?|testing|conftest|test_\w+)(\.|$)")
_TEST_FILE = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|conftest)\.py")


def data_files(checkout: Path) -> list[tuple[str, str]]:
    """Pairs of a file and the folder it goes to: resources, licence texts, notices, changelog."""
    resources = checkout / "resources"
    pairs = []
    for path in sorted(resources.rglob("*")):
        inner = path.relative_to(resources)
        if path.is_file() and inner.parts[0] not in _ONLY_IN_CHECKOUT:
            pairs.append((str(path), str(Path("cosemscope/_resources") / inner.parent)))
    pairs += [(str(checkout / name), ".") for name in ("LICENSE", "NOTICE", "CHANGELOG.md")]
    pairs += [(str(checkout / "build" / "licences"), "licences")]
    return pairs


def hidden_imports(checkout: Path) -> list[str]:
    """Every module of the program: commands and panes are imported by name, which no analysis sees."""
    app = checkout / "app"
    names = ["keyring"]
    for path in sorted((app / "cosemscope").rglob("*.py")):
        parts = path.relative_to(app).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def wanted_module(name: str) -> bool:
    """Whether the Python module `name` goes in: tests of libraries do not."""
    return not _TEST_MODULE.search(name)


def wanted_file(name: str, source: str = "") -> bool:
    """Whether the file `name` (its path in the frozen folder), found at `source`, goes in."""
    path = name.replace("\\", "/")
    if _TEST_FILE.search(path) or _UNUSED.search(path):
        return False
    system = re.match(r"/(?:usr/)?lib(?:64)?/(?:[\w-]+-linux-gnu/)?lib([^/]+?)[.\d]*\.so[.\d]*$", source)
    if system:
        return system[1] in _SYSTEM_LIBRARIES
    plugin = re.search(r"(?:^|/)plugins/([^/]+)/([^/]+)$", path)
    if plugin:
        kind, file = plugin.groups()
        return kind in _PLUGINS and re.fullmatch(_PLUGINS[kind], file.split(".")[0]) is not None
    module = re.search(r"(?:^|/)(?:lib)?Qt6?([A-Z]\w*?)(?:\.|$)", path)
    if module:
        return module[1] in (*_QT_MODULES, *_QT_SUPPORT)
    return True
