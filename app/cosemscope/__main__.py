"""Entry: words of the command line go to `cli`, everything else opens the window.

`cli` and `gui` know nothing of each other; this module is the only one that
knows both, and imports only the one that is asked for. Without a display the
session tree comes out as text instead of the window.
"""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cosemscope.window_words import WindowWords, window_words

SAMPLE = "samples/first-look.pcapng"
# Seconds that a thread may keep Python to itself: with the usual 5 ms, what is read ahead waits for what is
# analysed, and a busy worker makes the window ten times slower.
SWITCH_INTERVAL = 0.0005
# Objects after which unused circles of them are looked for: what waits for the rest of ten thousand streams
# is used, and lines make many objects and no circles. The usual 700 would take a third of the time.
GARBAGE = 50_000, 20, 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Cosemscope with `arguments` (default: the process's own).

    Returns the exit status: 0 done, 1 failed with a sentence on standard error, 2 wrong usage.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*GARBAGE)
    # Workers that Python starts import nothing from the current folder: a capture may lie among anything.
    os.environ["PYTHONSAFEPATH"] = "1"
    # Nothing here is linear algebra: threads for it would only keep rights that a capture gives up.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from cosemscope import cli

    if cli.is_command(words):
        return cli.main(words)
    if words and not words[0].startswith("-") and (trouble := missing_capture(words[0])):
        return _refuse(trouble, 1)  # perhaps meant for a command, and options behind it
    try:
        wanted = window_words(words)
    except SystemExit as refusal:  # said on standard error
        return int(refusal.code or 0)
    if wanted.capture and (trouble := missing_capture(wanted.capture)):
        return _refuse(trouble, 1)
    if has_display():
        from cosemscope import gui

        return gui.main(wanted)
    return _sessions_as_text(wanted)


def has_display(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether Qt has something to draw on: a display, or a platform of Qt's that was asked for by name."""
    if not platform.startswith("linux"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def missing_capture(word: str) -> str | None:
    """Why `word` cannot be the capture to open, as a sentence; None when a file of that name is there."""
    path = Path(word)
    if path.is_dir():
        return f"{word} is a folder: name a capture file in it."
    if path.exists():
        return None
    if path.suffix or path.name != word:
        return f"There is no file {word}."
    return f"There is neither a file nor a command {word}: --help lists the commands."


def _sessions_as_text(wanted: WindowWords) -> int:
    """Print the session tree of the capture, or of the bundled sample where none is named."""
    from cosemscope import cli
    from cosemscope.resources import resource

    try:
        capture = wanted.capture or str(resource(SAMPLE))
    except FileNotFoundError as error:
        return _refuse(str(error), 1)
    what = f"the sessions in {wanted.capture or 'the bundled sample'}"
    print(f"There is no display for the window; these are {what}:", file=sys.stderr, flush=True)
    words = ["sessions", capture]
    for option, value in (("--keys", wanted.keys), ("--filter", wanted.display_filter)):
        words += [option, value] if value else []
    return cli.main(words)


def _refuse(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
