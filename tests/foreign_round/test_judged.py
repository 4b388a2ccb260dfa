"""The verdict on foreign captures is no rubber stamp: what is taken for DLMS, and what is raised, is told."""

import gzip
import random
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from cosemscope.analysis.engine import Analysis
from tests.foreign_round.__main__ import judge_talks, wire_of
from tests.foreign_round.fetched import captures_in
from tests.foreign_round.judged import Judged, judge
from tests.helpers.foreign_traffic import TALKS, put_on
from tests.helpers.wire import Tcp, Wire, get_request


def _foreign(folder: Path) -> Path:
    wire = Wire()
    put_on(wire, TALKS["HTTP"](random.Random(1)), 1)
    return wire.capture(folder / "foreign.pcap")


def test_dlms_is_told_as_taken(tmp_path: Path) -> None:
    """With its stream and rows; a foreign capture is clean."""
    assert judge(_foreign(tmp_path)).clean
    wire = Wire()
    Tcp(wire).handshake().say(0, get_request(1))
    judged = judge(wire.capture(tmp_path / "x"))
    assert judged.taken == ["x: stream 0, DLMS wrapper, 1 rows"]
    assert not judged.clean


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    """By a sentence, which is no fault."""
    path = tmp_path / "x"
    path.write_text("hello")
    assert judge(path) == Judged(files=1, refused=1)


def test_an_exception_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is."""

    def fail(self: Analysis) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr(Analysis, "sessions", fail)
    judged = judge(_foreign(tmp_path), "name")
    assert judged.raised == ["name: IndexError: out of range"]


def test_ways_that_differ_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast and one by one."""
    counts = iter([{"wpdus": 1}, {"wpdus": 2}])
    monkeypatch.setattr(Analysis, "statistics", lambda self: next(counts))
    assert judge(_foreign(tmp_path)).raised == ["foreign.pcap: the fast way and the slow way differ"]


def test_sums() -> None:
    """Of several captures."""
    total = Judged(1, 0, 10, 2)
    total.add(Judged(1, 1, 5, 1, taken=["x"], raised=["y"]))
    assert (total.files, total.refused, total.packets, total.streams) == (2, 1, 15, 3)
    assert (total.taken, total.raised) == (["x"], ["y"])


def test_captures_are_found_by_their_octets(tmp_path: Path) -> None:
    """In tar and zip, plain or compressed, whatever their names; other files are left."""
    octets = _foreign(tmp_path).read_bytes()
    files = {"a/x.bin": octets, "b.py": b"print()", "c.gz": gzip.compress(octets), "d.gz": b"\x1f\x8b\x08no"}
    tar, zipped = tmp_path / "x-1.tar.gz", tmp_path / "x-1.zip"
    with tarfile.open(tar, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))
    with zipfile.ZipFile(zipped, "w") as other:
        for name, content in files.items():
            other.writestr(name, content)
    for path in (tar, zipped):
        found = list(captures_in(path))
        assert [one.name for one in found] == [f"{path.name}: a/x.bin", f"{path.name}: c.gz"]
        assert [one.octets for one in found] == [octets, files["c.gz"]]


def test_talks_of_every_protocol_are_clean(tmp_path: Path) -> None:
    """Some of them cut and damaged, by a seed."""
    judged = judge_talks(5, 200, tmp_path)
    assert (judged.clean, judged.files) == (True, 1)
    assert len(judged.framings) > 12


def test_payloads_go_over_both_protocols(tmp_path: Path) -> None:
    """Each as a datagram and as a connection."""
    judged = judge(wire_of([b"hello", get_request(1)]).capture(tmp_path / "x"))
    assert judged.streams == 4
    assert len(judged.taken) == 2
