"""Where Cosemscope's own data files are: names, icons, samples.

In a checkout they stand in `resources/` beside `app/`; an installed package
carries them inside itself. Nothing else in the project builds such a path.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "_resources", _PACKAGE.parent.parent / "resources")


def resource(name: str) -> Path:
    """The path of the data file `name` (with forward slashes, below `resources`).

    Raises FileNotFoundError, naming the file, when the installation is incomplete.
    """
    for place in _PLACES:
        path = place / name
        if path.exists():
            return path
    raise FileNotFoundError(f"Cosemscope's data file {name} is missing: install Cosemscope again")
