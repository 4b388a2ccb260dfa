"""For scripts under `tests` that are started by hand: the checkout's own Python goes on with them."""

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def equip() -> None:
    """Go on in the checkout's virtual environment, unless this is its Python; set it up where it is missing.

    Another Python that happens to have NumPy will not do: its packages are not the pinned ones. Does not
    return when the other Python goes on.
    """
    sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "app")]
    sys.path.insert(0, str(CHECKOUT / "packaging"))
    import bootstrap
    from workspace import Place

    place = Place(str(CHECKOUT))
    if os.path.realpath(sys.prefix) == os.path.realpath(place.venv):
        sys.path.remove(str(CHECKOUT / "packaging"))
        return
    status = bootstrap.main(["app", "tests"])
    sys.exit(status or subprocess.call([place.python, *sys.argv]))
