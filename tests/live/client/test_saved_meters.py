"""Saved meters: the options of read by name; keys by reference, and never an octet of one in a sentence."""

from pathlib import Path

import pytest

from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.saved_meters import load_meters

_MORE = '[[meter]]\nname = "a"\naddress = "192.0.2.7"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "meters.toml"
    path.write_text(text)
    return path


def test_a_saved_meter(tmp_path: Path) -> None:
    """Options by their long names; paths count from the file's folder."""
    text = (
        f'{_MORE}client = 18\nauth = "hls5"\nudp = true\nkeys = "keys.toml"\nkey = "a"\nlearn_counter = false'
    )
    saved = load_meters(written(tmp_path, text))["a"]
    assert (saved.access.client, saved.access.auth, saved.access.udp) == (18, "hls5", True)
    assert saved.secrets == {"keys": tmp_path / "keys.toml", "key": "a"}


def test_no_file_is_no_meters(tmp_path: Path) -> None:
    """Nobody has to have one."""
    assert load_meters(tmp_path / "none.toml") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[meter]]\naddress = 'a'", "meter 1 has no name"),
        (f"{_MORE}{_MORE}", "two meters have the name 'a'"),
        ("[[meter]]\nname = 'a'", "has no address"),
        (f"{_MORE}auth = 'hls9'", "hls9"),
        (f"{_MORE}suite = 7", "no security suite"),
        (f"{_MORE}client = []", "cannot be list"),
        (f"{_MORE}keys = 5", "cannot be int"),
        ("meter = 5", "each meter is a table"),
        ("[[", "is no TOML"),
    ],
)
def test_what_is_no_saved_meter(text: str, words: str, tmp_path: Path) -> None:
    """A sentence with file, meter and field."""
    with pytest.raises(MeterError) as error:
        load_meters(written(tmp_path, text))
    assert words in str(error.value)
    assert "meters.toml" in str(error.value)


def test_a_key_that_stands_there_is_refused_and_not_shown(tmp_path: Path) -> None:
    """Keys are named by reference only."""
    key = "000102030405060708090A0B0C0D0E0F"
    with pytest.raises(MeterError, match="there is no 'encryption'") as error:
        load_meters(written(tmp_path, f'{_MORE}encryption = "{key}"'))
    assert key not in str(error.value)
