"""`meter` as a shell, a script and the window use it: a process, its lines, its keys, its file, its end."""

import json
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from cosemscope.resources import resource
from tests.cli.test_live_run import run, started
from tests.helpers.tshark import complaints, tshark
from tests.live.meter.meters import AARQ, GET_NAME

pytestmark = pytest.mark.timeout(90)
HERE = "127.0.0.1:0"


def wpdu(apdu: bytes, source: int = 16) -> bytes:
    return b"\0\1" + source.to_bytes(2, "big") + b"\0\1" + len(apdu).to_bytes(2, "big") + apdu


def test_a_client_reads_it_and_it_tells_how_and_keeps_the_traffic(tmp_path: Path) -> None:
    path = tmp_path / "meter.pcapng"
    with started("meter", HERE, "--control", "--write", str(path), spool=tmp_path) as meter:
        listening = meter.event("listening")
        assert listening["devices"] == [1, 2]
        assert listening["transports"] == ["tcp", "udp"]
        assert "wPort 18 reads and changes, HLS-GMAC, ciphered, suite 0" in listening["clients"]
        assert "meter-keys.toml (published test keys)" in listening["keys"]
        status, out, errors = run("connect", listening["addresses"][0], spool=tmp_path)
        assert (status, errors) == (0, "")
        assert "RLRE" in out
        meter.tell(faults=["loss=10%", "nap"])
        assert "'nap' is no fault of a meter" in meter.event("error")["message"]
        meter.tell(faults=["delay=5ms"])
        assert meter.event("faults")["faults"] == ["delay=5ms"]
        meter.tell(close=True)
        assert meter.event("kept")["packets"] > 8
        assert meter.end()[0] == 0
    assert complaints(path) == []


def test_people_are_told_what_to_connect_with(tmp_path: Path) -> None:
    with started("meter", HERE, "--fleet", "3", "--fault", "loss=50%", spool=tmp_path) as meter:
        assert meter.process.stdout is not None
        lines = [meter.process.stdout.readline() for _ in range(6)]
        meter.process.send_signal(signal.SIGINT)
        meter.end()
    assert lines[0].startswith("meter      3 meters, 127.0.0.1:")
    assert [line.split()[0] for line in lines] == ["meter", "client", "client", "client", "keys", "faults"]
    assert "loss=50%" in lines[5]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--mechanism", "8"), "HLS has 2 to 7"),
        (("--keys", "nowhere.toml"), "nowhere.toml does not exist"),
        (("--fault", "nap"), "is no fault of a meter"),
    ],
)
def test_what_makes_no_meter_is_told_with_status_2(words: tuple[str, ...], why: str, tmp_path: Path) -> None:
    status, out, errors = run("meter", HERE, *words, spool=tmp_path)
    assert (status, out) == (2, "")
    assert why in errors


@pytest.mark.parametrize(
    ("text", "words", "why"),
    [
        ('name = "other"\nencryption = "' + "00" * 16 + '"', (), 'no entry with the name "meter"'),
        (
            'name = "meter"\nencryption = "' + "11" * 16 + '"',
            (),
            "suite 0 needs authentication",
        ),
        (
            'name = "meter"\nencryption = "' + "11" * 16 + '"\nauthentication = "' + "11" * 16 + '"',
            ("--mechanism", "3"),
            "HLS 3 needs hls_secret",
        ),
        (
            'name = "meter"\nencryption = "' + "11" * 16 + '"\nauthentication = "' + "11" * 16 + '"',
            (),
            'no entry "password"',
        ),
    ],
)
def test_keys_that_are_missing_are_named_and_none_is_shown(
    text: str, words: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f"[[key]]\n{text}\n")
    status, _, errors = run("meter", HERE, "--keys", str(path), *words, spool=tmp_path)
    assert status == 2
    assert why in errors
    assert "1111" not in errors


@pytest.mark.parametrize(("mechanism", "suite"), [(2, 0), (3, 0), (4, 0), (6, 0), (5, 1), (7, 1), (7, 2)])
def test_the_published_keys_make_every_meter(mechanism: int, suite: int, tmp_path: Path) -> None:
    words = ("--mechanism", str(mechanism), "--suite", str(suite))
    with started("meter", HERE, "--control", *words, spool=tmp_path) as meter:
        assert len(meter.event("listening")["clients"]) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL to send")
def test_killed_in_mid_traffic_it_has_kept_all_that_it_received_and_answered(tmp_path: Path) -> None:
    path = tmp_path / "killed.pcapng"
    with started("meter", HERE, "--tcp-only", "--control", "--write", str(path), spool=tmp_path) as meter:
        host, _, port = meter.event("listening")["addresses"][0].rpartition(":")
        threading.Thread(target=lambda: list(meter.process.stdout or ()), daemon=True).start()
        with socket.create_connection((host, int(port)), 20) as client:
            client.sendall(wpdu(AARQ))
            got = client.recv(4096)
            request = wpdu(GET_NAME)
            for count in range(1, 2_000):
                client.sendall(request)
                got += client.recv(4096)
                if count == 500:
                    meter.process.send_signal(signal.SIGKILL)
                    break
            meter.process.wait(20)
            try:
                while more := client.recv(4096):
                    got += more
            except OSError:
                pass
    assert complaints(path) == []
    kept = tshark(path, "-Y", f"tcp.srcport == {port}", "-T", "fields", "-e", "tcp.len")
    asked = tshark(path, "-Y", f"tcp.dstport == {port}", "-T", "fields", "-e", "tcp.len")
    assert sum(map(int, kept)) >= len(got)
    assert sum(map(int, asked)) >= len(wpdu(AARQ)) + 499 * len(request)


SAMPLE = str(resource("samples/first-look.pcapng"))


def test_it_answers_as_a_captured_meter_did(tmp_path: Path) -> None:
    words = ("meter", HERE, "--from", SAMPLE, "--meter", "198.51.100.21")
    with started(*words, "--at-speed", "--control", spool=tmp_path) as meter:
        listening = meter.event("listening")
        assert any(client.startswith("wPort 16 to 1, lowest level") for client in listening["clients"])
        address = listening["addresses"][0]
        requests = ("--send", AARQ.hex(), "--send", GET_NAME.hex())
        status, out, _ = run("connect", address, *requests, "--json", spool=tmp_path)
        assert status == 0
        answers = [event for event in map(json.loads, out.splitlines()) if event["event"] == "received"]
        assert b"CSP0010200300357" in bytes.fromhex(answers[1]["apdu"])
        assert answers[1]["response_ms"] > 60


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "has 4 meters: choose one with --meter"),
        (("--meter", "198.51.100.99"), "has no meter at 198.51.100.99"),
        (("--meter", "198.51.100.57"), "its keys are not known: name them with --keys"),
    ],
)
def test_what_cannot_be_answered_from_is_told(words: tuple[str, ...], why: str, tmp_path: Path) -> None:
    status, out, errors = run("meter", HERE, "--from", SAMPLE, *words, spool=tmp_path)
    assert (status, out) == (2, "")
    assert why in errors


def test_words_about_a_capture_want_one(tmp_path: Path) -> None:
    status, _, errors = run("meter", HERE, "--at-speed", spool=tmp_path)
    assert status == 2
    assert "belong to --from" in errors
    status, _, errors = run("meter", HERE, "--from", str(tmp_path / "none.pcap"), spool=tmp_path)
    assert status == 2
    assert "none.pcap" in errors
