"""Golden outputs: the text and the JSON of every command that reads captures, kept as files.

`python -m tests.cli.golden` writes them anew after a wanted change; `git diff` then shows the change.
Outputs over the samples are kept whole; of captures that are not ours only the digest of an output is kept.
"""

import contextlib
import hashlib
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from cosemscope.cli import main
from cosemscope.resources import resource

FOLDER = Path(__file__).with_name("golden")
DIGESTS = FOLDER / "digests.json"

SAMPLES = {"first-look": "first-look-keys.toml", "push": "push-keys.toml", "faults": ""}
#: Shared captures, and the options that open them.
SHARED = ("captures", "cases/streams")
KEYS = {"Output-Ciphered-HLS.pcap"}
KEY_FILE = """[[key]]
encryption = "000102030405060708090A0B0C0D0E0F"
authentication = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
"""

#: Name of an output: the words of its command, {} in the place of the capture.
WITHOUT_KEYS = {
    "sessions": ("sessions", "{}"),
    "sessions-json": ("sessions", "{}", "--json"),
    "overview": ("overview", "{}"),
    "stats": ("stats", "{}"),
    "stats-json": ("stats", "{}", "--json"),
}
WITH_KEYS = {
    "list": ("list", "{}"),
    "list-json": ("list", "{}", "--json"),
    "list-truncated-json": ("list", "{}", "--truncated", "--json"),
    "exchanges": ("exchanges", "{}"),
    "exchanges-json": ("exchanges", "{}", "--json"),
    "list-filtered": (
        "list",
        "{}",
        "--filter",
        "response_time > 50ms && value > 9 || wpdu.octets[8] == 60",
    ),
    "exchanges-filtered": ("exchanges", "{}", "--filter", "exchange.status != answered"),
    "procedures": ("procedures", "{}"),
    "associations": ("associations", "{}"),
    "associations-json": ("associations", "{}", "--json"),
}
#: So many WPDUs of a capture are shown.
_SHOWN = 12


def output(words: list[str]) -> str:
    """The standard output, exit status and standard error of a command, with times in UTC."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    return f"{out.getvalue()}-- {status}\n{err.getvalue()}"


def outputs(capture: Path, keys: Path | None) -> Iterator[tuple[str, str]]:
    """Each output of a capture: its name and its text."""
    named = str(capture)
    key_words = ["--keys", str(keys)] if keys else []
    commands = {name: list(words) for name, words in WITHOUT_KEYS.items()}
    commands |= {name: [*words, *key_words] for name, words in WITH_KEYS.items()}
    for name, words in commands.items():
        yield name, output([named if word == "{}" else word for word in words]).replace(named, capture.name)
    for name, form in (("show", []), ("show-json", ["--json"])):
        shown = []
        for number in range(1, _SHOWN + 1):
            text = output(["show", named, str(number), *form, *key_words])
            if "-- 0\n" not in text:
                break
            shown.append(text)
        yield name, "".join(shown)


def sample_outputs() -> Iterator[tuple[Path, str]]:
    """The golden file and the text of each output over the samples."""
    for name, keys in SAMPLES.items():
        key_file = Path(str(resource(f"samples/{keys}"))) if keys else None
        for what, text in outputs(Path(str(resource(f"samples/{name}.pcapng"))), key_file):
            yield FOLDER / f"{name}.{what}.txt", text


def shared_digests(shared: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """The name and the digest of each output over the shared captures; `folder` is for a key file."""
    keys = folder / "keys.toml"
    keys.write_text(KEY_FILE)
    for place in SHARED:
        for capture in sorted((shared / place).glob("*.[pc]*ap*")):
            key_file = keys if capture.name in KEYS else None
            for what, text in outputs(capture, key_file):
                yield f"{place}/{capture.name} {what}", hashlib.sha256(text.encode()).hexdigest()


@contextlib.contextmanager
def utc() -> Iterator[None]:
    """Times of day are those of UTC meanwhile, where the system lets a process choose."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        if hasattr(time, "tzset"):
            time.tzset()


def write(shared: Path) -> None:
    """Write every golden file anew."""
    import tempfile

    FOLDER.mkdir(exist_ok=True)
    with utc(), tempfile.TemporaryDirectory() as folder:
        for path, text in sample_outputs():
            path.write_text(text, encoding="utf-8")
        digests = dict(shared_digests(shared, Path(folder)))
    DIGESTS.write_text(json.dumps(digests, indent=0) + "\n")


if __name__ == "__main__":
    write(Path(os.environ.get("COSEMSCOPE_SHARED", Path(__file__).resolve().parents[3] / "shared")))
