"""For scripts under `tests` that are started by hand: a Python that has what Cosemscope needs."""

import importlib.util
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def equip() -> None:
    """See that the checkout's packages can be imported; without NumPy, go on in the virtual environment.

    Where there is none it is set up as for `python3 app`. Does not return when another Python goes on.
    """
    sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "app")]
    if importlib.util.find_spec("numpy") and importlib.util.find_spec("cryptography"):
        return
    sys.path.insert(0, str(CHECKOUT / "packaging"))
    import bootstrap
    from workspace import Place

    status = bootstrap.main(["app"])
    python = Place(str(CHECKOUT)).python
    sys.exit(status or subprocess.call([python, *sys.argv]))
