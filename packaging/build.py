"""Builds what is installed: `python3 packaging/build.py TARGET...` (--help lists them), into `dist/`."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from release import freezing
from release.steps import BuildError, say
from release.windows import frozen as windows_frozen
from release.windows import nsis

#: Target -> what makes it.
TARGETS: dict[str, Callable[[], object]] = {
    "frozen": freezing.freeze,
    "windows-frozen": windows_frozen.freeze,
    "windows-setup": nsis.compile_setup,
    "windows-portable": nsis.pack_portable,
}


def main(words: Sequence[str]) -> int:
    """Make the targets that `words` name, in their order; return the exit status."""
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__)
    parser.add_argument("targets", nargs="+", choices=TARGETS, metavar="TARGET", help=", ".join(TARGETS))
    for name in parser.parse_args(words).targets:
        began = time.monotonic()
        try:
            made = TARGETS[name]()
        except BuildError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        say(f"{name}: {made} ({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
