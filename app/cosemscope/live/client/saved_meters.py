"""Saved meters: a TOML file with a name for each, its address, and the options of its association.

    [[meter]]
    name = "kitchen"
    address = "192.0.2.7"
    client = 18
    auth = "hls5"
    keys = "keys.toml"          # where its keys are; a key itself never stands here
    key = "kitchen"

The fields are the options of `read` with their long names. Paths count from the file's folder.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from cosemscope.capture.job_options import job_of_words, option_flags
from cosemscope.live.client.access_job import AccessJob
from cosemscope.live.client.client_refused import MeterError

_MOST_OCTETS = 16 << 20
#: Fields that say where secrets are, and their kinds.
_SECRETS: dict[str, type] = {
    "keys": str,
    "key-store": bool,
    "key": str,
    "own-key": str,
    "password-file": str,
    "ask-password": bool,
}
_PATHS = ("keys", "password-file")


_OPTIONS = frozenset(
    flag.removeprefix("--") for flags in option_flags(AccessJob) for flag in flags if flag.startswith("--")
)


class SavedMeter(NamedTuple):
    """A meter by name: how it is reached, and where its secrets are, by the names of their options."""

    name: str
    access: AccessJob
    secrets: dict[str, Any]


def meters_file() -> Path:
    """The user's file of saved meters; `COSEMSCOPE_METERS` names another. Raises MeterError."""
    given = os.environ.get("COSEMSCOPE_METERS")
    try:
        folder = platformdirs.user_config_path("cosemscope", appauthor=False)
    except RuntimeError as error:
        raise MeterError(f"the home folder is not known ({error}): COSEMSCOPE_METERS names a file") from None
    return Path(given) if given else folder / "meters.toml"


def load_meters(path: Path) -> dict[str, SavedMeter]:
    """The meters in a file by name; none where there is no file. Raises MeterError with a sentence."""
    try:
        with path.open("rb") as file:
            octets = file.read(_MOST_OCTETS + 1)
        if len(octets) > _MOST_OCTETS:
            raise MeterError(f"{path} is longer than {_MOST_OCTETS:,} octets: those are no saved meters")
        tables = tomllib.loads(octets.decode()).get("meter", [])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MeterError(f"{path} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MeterError(f"{path} is no TOML: {error}") from None
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise MeterError(f"{path}: each meter is a table [[meter]]")
    found: dict[str, SavedMeter] = {}
    for number, table in enumerate(tables, 1):
        name = table.get("name")
        if not isinstance(name, str) or not name:
            raise MeterError(f"{path}: meter {number} has no name")
        if name in found:
            raise MeterError(f"{path}: two meters have the name {name!r}")
        try:
            found[name] = meter_of(table, path.parent)
        except MeterError as reason:
            raise MeterError(f"{path}, meter {name!r}: {reason}") from None
    return found


def meter_of(table: Mapping[str, Any], folder: Path = Path()) -> SavedMeter:
    """A meter out of its table; paths count from `folder`. Raises MeterError, which names the field."""
    words: list[str] = []
    secrets: dict[str, Any] = {}
    address = table.get("address")
    if not isinstance(address, str) or not address:
        raise MeterError("it has no address: HOST[:PORT]")
    for key, value in table.items():
        name = key.replace("_", "-")
        if name in ("name", "address"):
            continue
        if name in _SECRETS:
            if not isinstance(value, _SECRETS[name]):
                raise MeterError(f"{key!r} cannot be {type(value).__name__}")
            secrets[name] = folder / str(value) if name in _PATHS else value
        elif name not in _OPTIONS:
            raise MeterError(f"there is no {key!r}: its fields are the options of read, by their long names")
        elif value is True:
            words.append(f"--{name}")
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            words.append(f"--{name}={value}")
        elif value is not False:
            raise MeterError(f"{key!r} cannot be {type(value).__name__}")
    try:
        access = job_of_words(AccessJob, [*words, "--", address])
    except ValueError as reason:
        raise MeterError(str(reason)) from None
    return SavedMeter(str(table.get("name", address)), access, secrets)
