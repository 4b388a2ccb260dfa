"""For scripts under `tests` that are started by hand: the checkout's own Python goes on with them."""

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def equip(*besides: str) -> None:
    """Go on in the checkout's virtual environment, unless this is its Python; set it up where it is missing.

    The sets `besides` are set up beside those of the tests. Another Python that happens to have NumPy will
    not do: its packages are not the pinned ones. Does not return when the other Python goes on, and raises
    SystemExit where the set-up failed.
    """
    sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "app")]
    sys.path.insert(0, str(CHECKOUT / "packaging"))
    import bootstrap
    from workspace import Place

    place = Place(str(CHECKOUT))
    at_home = os.path.realpath(sys.prefix) == os.path.realpath(place.venv)
    names = [*([] if at_home else ["app", "tests"]), *besides]
    status = bootstrap.main(names) if names else 0
    if status or not at_home:
        sys.exit(status or subprocess.call([place.python, *sys.argv]))
    sys.path.remove(str(CHECKOUT / "packaging"))
