"""Octets by address: any stretch of a file, what was put aside, and both from several threads at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.octets import SIDE, OctetFile, SideStore

CONTENT = bytes(range(256)) * 4


@pytest.fixture(params=["preadv", "seek"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OctetFile:
    """The same file by both ways of reading at a position."""
    if request.param == "seek":
        monkeypatch.delattr("os.preadv", raising=False)
    path = tmp_path / "octets"
    path.write_bytes(CONTENT)
    return OctetFile.open(path)


@pytest.mark.parametrize(
    ("offset", "length", "octets"),
    [
        (0, 4, b"\0\1\2\3"),
        (255, 3, b"\xff\0\1"),
        (1020, 4, b"\xfc\xfd\xfe\xff"),
        (1020, 100, b"\xfc\xfd\xfe\xff"),
        (1024, 1, b""),
        (5000, 1, b""),
        (10, 0, b""),
    ],
)
def test_any_stretch(file: OctetFile, offset: int, length: int, octets: bytes) -> None:
    """As many octets as there are; the rest of a view stays as it was."""
    assert file.read(offset, length) == octets
    target = bytearray(b"?" * length)
    assert file.read_into(offset, memoryview(target)) == len(octets)
    assert bytes(target) == octets + b"?" * (length - len(octets))
    file.close()
    file.close()


def test_many_threads_read_at_once(file: OctetFile) -> None:
    """Each gets its own stretch, whatever the others do."""
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda at: file.read(at, 8), [at % 1000 for at in range(2000)])
    assert list(found) == [CONTENT[at % 1000 : at % 1000 + 8] for at in range(2000)]
    file.close()


def test_a_file_that_grows_and_shrinks(tmp_path: Path) -> None:
    """It is as long as it is now, and what is gone is not there."""
    path = tmp_path / "octets"
    path.write_bytes(b"abc")
    file = OctetFile.open(path)
    assert file.size == 3
    with path.open("ab") as more:
        more.write(b"def")
    assert (file.size, file.read(2, 9)) == (6, b"cdef")
    path.write_bytes(b"x")
    assert (file.size, file.read(0, 9)) == (1, b"x")
    file.close()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The system's error, with the name."""
    with pytest.raises(FileNotFoundError):
        OctetFile.open(tmp_path / "nothing")


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_what_is_put_aside_is_found_again(pieces: list[bytes]) -> None:
    """Each at its address, which no file has; a part of one, and never more than there is in all."""
    store = SideStore()
    places = [store.add(piece) for piece in pieces]
    assert all(place >= SIDE for place in places)
    for place, piece in zip(places, pieces, strict=True):
        assert store.octets(place, len(piece)) == piece
        assert store.octets(place + 1, max(len(piece) - 1, 0)) == piece[1:]
    assert store.octets(SIDE, 10_000) == b"".join(pieces)
    store.close()


def test_nothing_was_put_aside() -> None:
    """No file is made for it."""
    store = SideStore()
    assert store.octets(SIDE, 10) == b""
    store.close()


def test_threads_put_aside_at_once() -> None:
    """No two pieces lie on each other."""
    store = SideStore()
    store.add(b"")
    found: list[tuple[int, bytes]] = []

    def add(number: int) -> None:
        for _ in range(100):
            piece = bytes([number]) * (number + 1)
            found.append((store.add(piece), piece))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(store.octets(place, len(piece)) == piece for place, piece in found)
    assert len({place for place, _ in found}) == 600
    store.close()


def test_addresses_of_the_side_store_fit_in_columns() -> None:
    """Beyond every file, and as far from the end of 64 bits with a sign."""
    assert SIDE == 2**62
