"""Taking captures in: once each, whole or not at all, rings together; what is broken costs nothing else."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from cosemscope.analysis.fleet.capture_files import captures_of, key_of, read_file
from cosemscope.analysis.fleet.capture_intake import Intake, IntakeOrder, take_capture
from cosemscope.analysis.fleet.capture_processes import take_captures
from cosemscope.analysis.fleet.fleet_folder import FleetError, FleetFolder
from cosemscope.analysis.fleet.intake_plan import IntakePlan, plan_intake
from cosemscope.analysis.fleet.rows.fleet_captures import CAPTURES
from tests.helpers.fleet_captures import write_fleet
from tests.helpers.fleet_folders import contents, rows_of
from tests.helpers.traffic import Said, Traffic
from tests.helpers.traffic_apdus import aare, aarq, double_long_unsigned, get_request, get_response

pytest.importorskip("pyarrow")

_HEADER = 24


@pytest.fixture
def folder(tmp_path: Path) -> FleetFolder:
    """An empty folder for tables."""
    folder = FleetFolder(tmp_path / "tables")
    folder.make()
    return folder


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """A small capture."""
    return write_fleet(tmp_path, meters=30).captures[0]


def run(folder: FleetFolder, *paths: Path, again: bool = False) -> IntakePlan:
    """Take captures in, as `tables` does; the plan."""
    plan = plan_intake(folder, paths, again=again)
    for one in plan.captures:
        assert not take_capture(IntakeOrder(one.files, folder.path, one.replaces)).failure
    return plan


def ring(folder: Path, parts: int = 3) -> list[Path]:
    """A ring whose association is opened in the first file, and goes on in the others."""
    traffic = Traffic()
    talk = traffic.udp(("10.0.0.1", 50_000), ("10.0.0.2", 4059))
    talk.say(True, Said(16, 1, aarq()))
    talk.say(False, Said(1, 16, aare()))
    for number in range(1, 3 * parts):
        talk.say(True, Said(16, 1, get_request(number % 16, 3, "1.0.1.8.0.255")))
        talk.say(False, Said(1, 16, get_response(number % 16, double_long_unsigned(number))))
    packets = traffic.packets()
    made = []
    for part in range(parts):
        one = Traffic()
        for packet in packets[part * len(packets) // parts : (part + 1) * len(packets) // parts]:
            one.add(*packet)
        path = folder / f"ring_{part + 1:05}_2026113000000{part}.pcapng"
        one.write(path)
        made.append(path)
    return made


def test_a_second_run_changes_nothing(folder: FleetFolder, day: Path) -> None:
    """Not one file is written again, and the capture is told to be there."""
    assert len(run(folder, day).captures) == 1
    before = contents(folder.path)
    assert any(name.startswith("exchanges/day=2026-11-28/") for name in before)
    plan = run(folder, day)
    assert plan.captures == []
    assert [one.sentence for one in plan.remarks] == [f"{day} is there already."]
    assert contents(folder.path) == before


def test_again_gives_the_same_rows(folder: FleetFolder, day: Path) -> None:
    """The rows are replaced by the same ones."""
    run(folder, day)
    before = rows_of(folder.path, "exchanges")
    assert len(run(folder, day, again=True).captures) == 1
    assert rows_of(folder.path, "exchanges") == before


def test_one_capture_under_two_names_is_one(folder: FleetFolder, day: Path) -> None:
    """In one run, and in another."""
    other = day.with_name("copy.pcap")
    shutil.copy(day, other)
    plan = run(folder, day, other)
    assert len(plan.captures) == 1
    assert len(plan.remarks) == 1
    assert "is the same as" in plan.remarks[0].sentence
    assert [one.sentence for one in run(folder, other).remarks] == [f"{other} is there already."]
    assert len(rows_of(folder.path, "captures")) == 1


def test_a_capture_that_has_grown_replaces_what_it_was(folder: FleetFolder, day: Path) -> None:
    """Its rows are there once."""
    octets = day.read_bytes()
    whole = len(octets)
    day.write_bytes(octets[: whole // 2])
    run(folder, day)
    half = len(rows_of(folder.path, "exchanges"))
    day.write_bytes(octets)
    (planned,) = run(folder, day).captures
    assert len(planned.replaces) == 1
    assert len(rows_of(folder.path, "captures")) == 1
    assert len(rows_of(folder.path, "exchanges")) > half
    assert len(list(folder.files("exchanges"))) == 1


def test_files_of_a_ring_are_one_capture(folder: FleetFolder, tmp_path: Path) -> None:
    """Its association goes on from file to file; its key is that of all files."""
    paths = ring(tmp_path)
    assert captures_of(reversed(paths)) == [tuple(paths)]
    assert captures_of([paths[0], paths[2]]) == [tuple(paths)]
    assert captures_of([paths[1]]) == [(paths[1],)]
    run(folder, *paths)
    (capture,) = rows_of(folder.path, "captures")
    assert capture["files"] == list(map(str, paths))
    assert capture["capture"] == key_of([read_file(path) for path in paths])
    (association,) = rows_of(folder.path, "associations")
    exchanges = rows_of(folder.path, "exchanges")
    assert association["exchanges"] == len(exchanges) == 9
    assert {row["association"] for row in exchanges} == {1}


def test_part_of_a_ring_ends_where_it_was_told(folder: FleetFolder, tmp_path: Path) -> None:
    """The files behind the last one that is named are not read."""
    paths = ring(tmp_path)
    run(folder, *paths[:2])
    (capture,) = rows_of(folder.path, "captures")
    assert capture["files"] == list(map(str, paths[:2]))
    assert len(rows_of(folder.path, "values")) < 8


def test_a_ring_that_went_on_is_taken_in_anew(folder: FleetFolder, tmp_path: Path) -> None:
    """What was there of it is replaced, so that no row is there twice."""
    paths = ring(tmp_path)
    run(folder, *paths[:2])
    (planned,) = run(folder, *paths).captures
    assert len(planned.replaces) == 1
    assert len(rows_of(folder.path, "exchanges")) == 9
    assert run(folder, *paths[:2]).captures == []


def test_a_ring_that_turned_goes_on_with_what_is_new(folder: FleetFolder, tmp_path: Path) -> None:
    """The files that a capture has already stay there."""
    paths = ring(tmp_path, 4)
    run(folder, *paths[:3])
    for gone in paths[:2]:
        gone.unlink()
    plan = run(folder, *paths[2:])
    assert [one.path for one in plan.captures[0].files] == [paths[3]]
    assert plan.captures[0].replaces == ()
    assert "1 of 2 files are there already" in plan.remarks[0].sentence
    assert len(rows_of(folder.path, "values")) == 11


@pytest.mark.parametrize("octets", [b"", b"no capture at all", b"\xd4\xc3\xb2\xa1"])
def test_what_is_no_capture_is_told(folder: FleetFolder, tmp_path: Path, octets: bytes) -> None:
    """In a sentence with its name; nothing is written of it."""
    path = tmp_path / "broken.pcap"
    path.write_bytes(octets)
    found = take_capture(IntakeOrder((read_file(path),), folder.path))
    assert str(path) in found.failure
    assert list(folder.files("captures")) == []
    assert not list(folder.path.glob(".*"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_what_may_never_end_is_not_read(folder: FleetFolder, tmp_path: Path) -> None:
    """Pipes, devices and folders are told."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    plan = plan_intake(folder, [pipe, Path("/dev/zero"), tmp_path])
    assert plan.captures == []
    assert [one.path for one in plan.failures] == sorted([pipe, Path("/dev/zero"), tmp_path], key=str)


def test_an_empty_capture_is_there_without_rows(folder: FleetFolder, day: Path, tmp_path: Path) -> None:
    """It is one all the same, and not asked for again."""
    path = tmp_path / "empty.pcap"
    path.write_bytes(day.read_bytes()[:_HEADER])
    run(folder, path)
    (capture,) = rows_of(folder.path, "captures")
    assert (capture["packets"], capture["exchanges"], capture["time"]) == (0, 0, None)
    assert run(folder, path).captures == []


def test_a_damaged_capture_gives_what_it_has(folder: FleetFolder, day: Path) -> None:
    """And its row says where it is damaged."""
    octets = bytearray(day.read_bytes())
    day.write_bytes(octets[:-5])
    (planned,) = plan_intake(folder, [day]).captures
    found = take_capture(IntakeOrder(planned.files, folder.path))
    assert not found.failure
    assert found.problems
    (capture,) = rows_of(folder.path, "captures")
    assert capture["problems"]
    assert capture["exchanges"] > 100


def test_what_was_interrupted_is_not_there(
    folder: FleetFolder, day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its rows nor a half file; what a killed run has left beside goes with the next one."""
    order = IntakeOrder((read_file(day),), folder.path)
    left = folder.path / f".{key_of(order.files)}.part" / "exchanges" / "day=2026-11-28"
    left.mkdir(parents=True)
    (left / "half.parquet").write_bytes(b"half")
    assert rows_of(folder.path, "exchanges") == []

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(CAPTURES), "encodings", stop)
        with pytest.raises(KeyboardInterrupt):
            take_capture(order)
    assert [path for path in folder.path.rglob("*") if path.is_file()] == []
    assert not take_capture(order).failure
    assert not list(folder.path.glob(".*"))


def test_rows_without_the_mark_are_not_read(folder: FleetFolder, day: Path) -> None:
    """A run that ended between two renames has left rows that are not there, until it is made again."""
    run(folder, day)
    (mark,) = folder.files("captures")
    mark.unlink()
    assert list(folder.files("exchanges"))
    assert rows_of(folder.path, "exchanges") == []
    assert len(run(folder, day).captures) == 1
    assert rows_of(folder.path, "exchanges")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With its name: a file stands there."""
    place = tmp_path / "file"
    place.write_text("something else")
    with pytest.raises(FleetError, match=f"{place} cannot be written"):
        FleetFolder(place).make()


def test_a_damaged_mark_is_told(folder: FleetFolder, day: Path) -> None:
    """With what to do."""
    run(folder, day)
    (mark,) = folder.files("captures")
    mark.write_bytes(b"PAR1")
    with pytest.raises(FleetError, match=r"cannot be read.*Remove it"):
        plan_intake(folder, [day])


def dies(order: IntakeOrder) -> Intake:
    """Take a capture in, but for one that kills its process while it writes."""
    if "dies" in order.files[0].path.name:
        (order.folder / f".{key_of(order.files)}.part" / "exchanges").mkdir(parents=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return take_capture(order)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes cannot be killed so")
def test_a_process_that_dies_costs_its_own_capture_only(folder: FleetFolder, tmp_path: Path) -> None:
    """The others are there, and it is told which one is not."""
    captures = write_fleet(tmp_path, meters=20).captures
    bad = captures[1].rename(captures[1].with_name("dies.pcap"))
    orders = [IntakeOrder((read_file(path),), folder.path) for path in (captures[0], bad, captures[2])]
    found = {order.files[0].path: intake for order, intake in take_captures(orders, 2, dies)}
    assert "ended by signal 9" in found[bad].failure
    assert str(bad) in found[bad].failure
    assert not found[captures[0]].failure
    assert not found[captures[2]].failure
    assert not list(folder.path.glob(".*"))
    assert {row["files"][0] for row in rows_of(folder.path, "captures")} == {
        str(captures[0]),
        str(captures[2]),
    }


def test_whoever_stops_asking_ends_the_processes(folder: FleetFolder, tmp_path: Path) -> None:
    """What they had begun beside is gone."""
    captures = write_fleet(tmp_path, meters=200).captures
    orders = [IntakeOrder((read_file(path),), folder.path) for path in captures]
    asking = take_captures(orders, 2)
    next(asking)
    asking.close()
    assert len(list(folder.files("captures"))) <= 2
    assert not list(folder.path.glob(".*"))
