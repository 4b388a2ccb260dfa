"""`read`, `write` and `run` as a user types them, at the built-in meter: what is printed, and the status."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from cosemscope.capture.files.reader import open_capture
from cosemscope.cli.meters.meter_makers import published_keys

pytestmark = pytest.mark.timeout(120)
_APP = Path(__file__).resolve().parents[3] / "app"
_LLS = ("--client", "17", "--auth", "lls", "--keys", str(published_keys()))
_HLS = ("--client", "18", "--auth", "hls5", "--keys", str(published_keys()))


class Ran(NamedTuple):
    """What a command printed, and its status."""

    out: str
    errors: str
    status: int

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(scope="module")
def meter() -> Iterator[str]:
    """The address of the built-in meter, in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "cosemscope", "meter", "127.0.0.1:0", "--tcp-only", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_APP)},
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["addresses"][0]
        process.terminate()
        process.communicate()


@pytest.fixture
def ran(tmp_path: Path):
    """Runs a command to its end."""

    def run(*words: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "cosemscope", *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            env={
                **os.environ,
                "PYTHONPATH": str(_APP),
                "COSEMSCOPE_STATE": str(tmp_path / "state"),
                "COSEMSCOPE_SPOOL": str(tmp_path / "spool"),
                "COSEMSCOPE_METERS": str(tmp_path / "meters.toml"),
            },
        )
        return Ran(done.stdout, done.stderr, done.returncode)

    return run


def test_values_with_their_units(meter: str, ran) -> None:
    """Options may stand before and behind the objects."""
    done = ran("read", meter, *_LLS, "1.0.1.8.0.255", "--timeout", "5", "voltage l1")
    lines = done.out.splitlines()
    assert lines[0].startswith("1.0.1.8.0.255 Active energy import (+A)  ")
    assert lines[0].endswith("kWh")
    assert lines[1].endswith(" V")
    assert lines[2].startswith("kept       ")
    assert (done.errors, done.status) == ("", 0)


def test_the_keys_of_json(meter: str, ran) -> None:
    """They stay, as the help says."""
    done = ran("read", meter, *_HLS, "1.0.1.8.0.255", "--json")
    connecting, associated, value, kept = done.events
    assert [one["event"] for one in done.events] == ["connecting", "associated", "value", "kept"]
    assert set(value) == {
        *("event", "time", "class_id", "obis", "attribute", "name", "value", "type"),
        *("number", "unit", "text", "response_ms"),
    }
    assert value["unit"] == "Wh"
    assert connecting["to"] == associated["remote"] == meter
    with open_capture(str(kept["file"])):
        assert int(str(kept["packets"])) > 20  # the counter was learnt first


def test_one_refused_object_does_not_hide_the_others(meter: str, ran) -> None:
    """It is said what the meter answers; the status is 1."""
    done = ran("read", meter, "1.0.1.8.0.255", "3:1.0.2.8.0.255", "no such name", "--json")
    values = [one for one in done.events if one["event"] == "value"]
    assert [one.get("error") is None for one in values] == [True, False]
    assert [one for one in done.events if one["event"] == "error"]
    assert done.status == 1


def test_lists(meter: str, ran) -> None:
    """Objects with rights; logical devices as the public client."""
    assert "Clock (8) 0.0.1.0.0.255 Clock\n           1 read, 2 read" in ran("read", meter, "--list").out
    assert ran("read", meter, "--sap").out.startswith("wPort 1      CSM")


def test_rows_as_csv(meter: str, ran) -> None:
    """Nothing else is printed."""
    done = ran("read", meter, *_LLS, "1.0.99.1.0.255", "--last", "3", "--csv")
    head, *rows = done.out.splitlines()
    assert head.count("[Wh]") == 2
    assert len(rows) == 3
    assert rows[0].split(",")[0].endswith("+00:00")


def test_again_and_again(meter: str, ran) -> None:
    """Statistics at the end; a threshold that is passed is a failure."""
    done = ran("read", meter, *_LLS, "1.0.1.8.0.255", "--every", "0.01", "--times", "5")
    assert "5 readings: 5 answered, 0 lost; " in done.out
    assert done.status == 0
    slow = ran("read", meter, *_LLS, "1.0.1.8.0.255", "--times", "2", "--slower-than", "0.000001")
    assert "2 slower than wanted" in slow.out
    assert slow.status == 1


def test_a_refused_association_is_not_tried_again(meter: str, ran, tmp_path: Path) -> None:
    """Meters lock after some wrong passwords."""
    wrong = tmp_path / "password"
    wrong.write_text("wrong\n")
    words = ("--client", "17", "--auth", "lls", "--password-file", str(wrong), "--times", "5")
    done = ran("read", meter, "1.0.1.8.0.255", *words)
    assert done.errors.count("authentication-failure") == 1
    assert "check password" in done.errors
    assert "kept" in done.out
    assert done.status == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "nothing is asked for"),
        (("--last", "3"), "rows of which profile"),
        (("1.0.99.1.0.255", "--last", "3", "--entries", "1..2"), "ask for different rows"),
        (("1.0.1.8.0.255", "--auth", "hls5"), "needs keys"),
        (("1.0.1.8.0.255", "--auth", "lls"), "needs a password"),
        (("1.0.1.8.0.255", "--auth", "lls", "--password-file", "none"), "cannot be read"),
        (("1.0.1.8.0.255", "--auth", "hls5", "--keys", "none.toml"), "none.toml"),
        (("1.0.1.8.0.255", "--auth", "hls5", "--keys", str(published_keys()), "--key", "x"), "the name 'x'"),
        (("1.0.1.8.0.255", "--meters", "none.toml"), "has no saved meters"),
    ],
)
def test_what_cannot_be_asked(words: tuple[str, ...], sentence: str, ran) -> None:
    """Status 2, before anything is sent."""
    done = ran("read", "127.0.0.1:1", *words)
    assert sentence in done.errors
    assert done.status == 2


def test_nothing_is_changed_unasked(meter: str, ran) -> None:
    """It is said what would be sent; --yes sends it."""
    done = ran("write", meter, *_HLS, "switch", "disconnect")
    assert f"To be sent to {meter}, wPort 1: DISCONNECT the supply." in done.errors
    assert "nothing was sent: --yes sends it" in done.errors
    assert done.status == 2
    done = ran("write", meter, *_HLS, "switch", "reconnect", "--yes")
    assert "output is connected" in done.out
    assert done.status == 0


def test_a_sequence_at_a_saved_meter(meter: str, ran, tmp_path: Path) -> None:
    """By name; the options that are typed come before those that are saved."""
    (tmp_path / "meters.toml").write_text(
        f'[[meter]]\nname = "desk"\naddress = "{meter}"\nclient = 17\nauth = "lls"\n'
        f'keys = "{published_keys()}"\n'
    )
    sequence = tmp_path / "sequence.toml"
    sequence.write_text('meter = "desk"\n[[step]]\nread = "1.0.1.8.0.255"\n[[step]]\nclock = "now"\n')
    done = ran("run", str(sequence), "--yes")
    assert "step 1     read 1.0.1.8.0.255" in done.out
    assert "step 2 (set the clock" in done.errors
    assert done.status == 1
    assert ran("run", str(sequence), "other").status == 2
    assert ran("run", str(sequence)).status == 2
    assert ran("read", "desk", "1.0.32.7.0.255").status == 0
    assert ran("read", "desk", "--client", "18", "1.0.32.7.0.255").status == 1
