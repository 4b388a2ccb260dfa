"""Object lists of meters, kept by address, wPorts and client: what was read once names objects next time."""

import hashlib
from contextlib import suppress
from pathlib import Path

from cosemscope.application.encoding.apdus import encode_data, parse_data
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.octet_reader import ParseError
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.state_folder import keep, read_kept, state_place

_FOLDER = "object-lists"
_MOST = 8 << 20


def _path(meter: str, client: int) -> Path:
    name = hashlib.sha256(f"{meter} {client}".encode()).hexdigest()[:32]
    return state_place() / _FOLDER / f"{name}.data"


def kept_list(meter: str, client: int) -> Data | None:
    """The object list that this client of a meter was told last; None where none is kept."""
    with suppress(MeterError, ParseError):  # what cannot be used is read anew
        octets = read_kept(_path(meter, client), _MOST)
        return parse_data(octets) if octets else None
    return None


def keep_list(meter: str, client: int, value: Data) -> None:
    """Keep an object list; one that cannot be kept is read again next time."""
    with suppress(MeterError):
        keep(_path(meter, client), encode_data(value))
