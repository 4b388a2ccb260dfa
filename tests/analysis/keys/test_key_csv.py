"""Keys out of CSV: of few holders what TOML says too, of many the same keys by title; faults by line."""

import io
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys import key_csv
from cosemscope.analysis.keys.key_entry import KeyFileError
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource

EK, AK = "00112233445566778899AABBCCDDEEFF", "C0FFEE11C0FFEE22C0FFEE33C0FFEE44"
LONG = EK + AK


def _load(tmp_path: Path, text: str) -> KeyTable:
    path = tmp_path / "keys.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return KeyTable.load(path)


def _many(lines: list[str], head: str = "title,encryption,authentication") -> str:
    """A file with so many more holders that it is a fleet's."""
    cells = head.count(",")
    rest = [f"4D{number:014X}" + f",{EK}" * cells for number in range(key_csv.MOST_ENTRIES + 1)]
    return "\n".join([head, *lines, *rest]) + "\n"


def _keys(table: KeyTable, title: str) -> list[tuple[bytes | None, bytes | None]]:
    octets = bytes.fromhex(title)
    return [(keys.encryption, keys.authentication) for keys in table.select((octets, octets)).sets]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_a_small_file_is_like_toml(delimiter: str, end: str, begin: str, tmp_path: Path) -> None:
    """Spreadsheets write semicolons, byte order marks and quotes; all fields of TOML stand there."""
    lines = [
        ["Title", "Encryption", "authentication", "address", "wport", "name", "hls_secret_text"],
        ["4353500000000001", EK, AK, "198.51.100.7", "16", '"Meter 1"', ""],
        ["", "", "", "198.51.100.8", "", "Meter 2", "secret"],
        [],
    ]
    found = _load(tmp_path, begin + end.join(delimiter.join(line) for line in lines) + end)
    as_toml = KeyTable.parse(f'''
[[key]]
name = "Meter 1"
system_title = "4353500000000001"
address = "198.51.100.7"
wport = 16
encryption = "{EK}"
authentication = "{AK}"
[[key]]
name = "Meter 2"
address = "198.51.100.8"
hls_secret_text = "secret"
''')
    assert found.text() == as_toml.text()
    assert not found.fleets


def test_a_fleet_is_found_by_title_and_opens(tmp_path: Path) -> None:
    """A capture whose titles are in a file of over a thousand lines is opened as with a small one."""
    small = KeyTable.load(resource("samples/first-look-keys.toml"))
    lines = [
        f"{entry.keys.title.hex()},{entry.keys.encryption.hex()},{entry.keys.authentication.hex()}"
        for entry in small.entries
        if entry.keys.title and entry.keys.encryption and entry.keys.authentication
    ]
    fleet = _load(tmp_path, _many(lines))
    assert len(fleet.fleets) == 1
    assert len(fleet) == key_csv.MOST_ENTRIES + 1 + len(lines)
    opened = []
    for keys in (small, fleet):
        with open_capture(resource("samples/first-look.pcapng")) as reader:
            analysis = Analysis(reader).run()
            complete(Associations(analysis, keys))
            opened.append(analysis.first_look["inner"].tolist())
    assert opened[0] == opened[1]
    assert max(opened[0]) > 0


def test_keys_of_all_sizes_and_several_of_one_title(tmp_path: Path) -> None:
    """Suite 2 has longer keys; a title whose keys were changed stands there twice; a cell may be empty."""
    title = "4353500000000001"
    table = _load(tmp_path, _many([f"{title},{LONG},{LONG}", f"{title},{AK},", f"435350FF00000001,,{EK}"]))
    long, ek, ak = map(bytes.fromhex, (LONG, EK, AK))
    assert _keys(table, title) == [(long, long), (ak, None)]
    assert _keys(table, "435350FF00000001") == [(None, ek)]
    assert _keys(table, "4D00000000000001") == [(ek, ek)]
    assert _keys(table, "4D0000000000FFFF") == []
    assert table.select((None, None)).sets == ()


def test_names_are_what_messages_say(tmp_path: Path) -> None:
    """By name where the file has one, else by file and title; a secret of any size is there."""
    head = "title,name,hls_secret"
    rest = "".join(f"4D{number:014X},,\n" for number in range(key_csv.MOST_ENTRIES + 1))
    table = _load(tmp_path, f"{head}\n4353500000000001,Zähler 7,0102030405\n4353500000000002,,01\n{rest}")
    one, two = (table.select((bytes.fromhex(f"435350000000000{n}"),)).sets[0] for n in (1, 2))
    assert (one.label, one.hls_secret) == ("Zähler 7", bytes.fromhex("0102030405"))
    assert two.label == "keys.csv (4353500000000002)"


@given(st.integers(0, 2**32 - 1))
def test_every_holder_is_found_with_its_own_keys(seed: int) -> None:
    """Against a dictionary of the same lines."""
    draw = random.Random(seed)
    expected: dict[bytes, list[KeySet]] = {}
    lines = []
    for _ in range(key_csv.MOST_ENTRIES + 50):
        title, keys = draw.randbytes(7) + b"\1", [draw.randbytes(draw.choice((16, 32))) for _ in range(2)]
        lines.append(",".join([title.hex(), *(key.hex() for key in keys)]))
        expected.setdefault(title, []).append(KeySet("", title, *keys))
    _, fleet = key_csv.read_key_csv(
        io.StringIO("title,encryption,authentication\n" + "\n".join(lines)), ",", "f", None
    )
    assert fleet is not None
    for title, sets in expected.items():
        found = [fleet.key_set(row) for row in fleet.rows(title)]
        assert [(one.encryption, one.authentication) for one in found] == [
            (one.encryption, one.authentication) for one in sets
        ]


BAD = {
    "a key too short": (
        f"4353500000000001,{EK[:-2]},{AK}",
        "line 2: encryption must be 16 or 32 octets in hex",
    ),
    "no hex": (
        f"4353500000000001,{EK},{AK[:-1]}G",
        "line 2: authentication must be 16 or 32 octets in hex; other",
    ),
    "a title too short": (f"435350,{EK},{AK}", "line 2: system_title must be 8 octets in hex"),
    "too few cells": (f"4353500000000001,{EK}", "line 2 has 2 cells, the first line 3"),
    "a quote without end": (f'4353500000000001,"{EK},{AK}', "this is no CSV"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("many", [False, True])
def test_what_is_wrong_is_told_by_line_and_shows_no_key(name: str, many: bool, tmp_path: Path) -> None:
    """The same words for few lines and for many; what stands there is never shown."""
    line, told = BAD[name]
    text = _many([line]) if many else f"title,encryption,authentication\n{line}\n"
    with pytest.raises(KeyFileError) as caught:
        _load(tmp_path, text)
    assert told in str(caught.value)
    assert EK[:12] not in str(caught.value)
    assert AK[:12] not in str(caught.value)


def test_a_fleet_says_what_it_cannot_have(tmp_path: Path) -> None:
    """No title, a field of small files, no key at all, a missing title, a field twice."""
    for text, told in (
        (_many([], "name,encryption"), "no field title"),
        (_many([], "title,encryption,address"), "address cannot stand in a file of over 1,000 lines"),
        (_many([], "title,name"), "no key is named"),
        (_many([f",{EK},{AK}"]), "line 2: the title is missing"),
        (_many([], "title,encryption,encryption"), "twice"),
        ("title,encryption\n", "holds no keys"),
        ("title,encryption\n" + "a" * 20_000, "line 2 has over 16 KiB"),
    ):
        with pytest.raises(KeyFileError, match=told):
            _load(tmp_path, text)


def test_nothing_shows_a_key(tmp_path: Path) -> None:
    """Neither the table nor its fleet nor a key set in `repr`."""
    table = _load(tmp_path, _many([f"4353500000000001,{EK},{AK}"]))
    keys = table.select((bytes.fromhex("4353500000000001"),)).sets[0]
    for shown in map(repr, (table, table.fleets, keys)):
        assert EK.lower() not in shown.lower()
        assert "1002" in shown or "encryption" in shown
