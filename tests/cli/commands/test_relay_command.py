"""`relay` as a shell, a script and the window use it: a process, its lines, its file, whatever ends it."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_live_run import AARE, GET, Command, run, started
from tests.helpers.tshark import complaints, tshark

pytestmark = pytest.mark.timeout(90)
WPDU = bytes.fromhex("000100100001000d") + GET
#: What a SET is sent for, and how it is answered: as the GET that it stands for expects.
SET, GOT = "c101c1000100002a0000ff020000", "c401c1000a03414243"
ANSWERS = (
    "--answer",
    f"60={AARE.hex()}",
    "--answer",
    f"c1={GOT}",
    "--answer",
    "62=6303800100",
    "--answer",
    "d80102",
)


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[str]:
    """The address of a listener that answers as a meter does, over TCP and UDP."""
    with started("listen", "127.0.0.1:0", "--control", *ANSWERS, spool=tmp_path / "far") as command:
        reading = threading.Thread(target=_read_on, args=(command,), daemon=True)
        address = str(command.event("listening")["address"])
        reading.start()
        yield address
        command.process.kill()
        reading.join(10)


def _read_on(command: Command) -> None:
    """Read its output: a full pipe would hold it up."""
    assert command.process.stdout is not None
    for _ in command.process.stdout:
        pass


def test_a_client_reads_its_meter_through_it(meter: str, tmp_path: Path) -> None:
    """Associated, answered and released over TCP and UDP; for people; the file opens in every command."""
    path = tmp_path / "relay.pcapng"
    words = ("relay", ":0", meter, "--write", str(path))
    with started(*words, "--control", spool=tmp_path) as relay:
        address = relay.event("relaying")["address"]
        status, out, errors = run("connect", address, spool=tmp_path)
        assert (status, errors) == (0, "")
        assert "AARE" in out
        assert run("connect", address, "--udp", "--send", GET.hex(), spool=tmp_path)[0] == 0
        assert relay.event("parted")["message"] == "closed in order"
        relay.tell(close=True)
        assert relay.event("kept")["packets"] > 8
        assert relay.end()[0] == 0
    assert complaints(path) == []
    status, out, _ = run("list", str(path), "--fields", "apdu", spool=tmp_path)
    assert (status, out.split()[1:]) == (
        0,
        ["AARQ", "AARE", "RLRQ", "RLRE", "get-request", "exception-response"],
    )


def test_json_lines_hold_and_change(meter: str, tmp_path: Path) -> None:
    """A breakpoint by a command, what it holds as an event, the answer by another; wrong ones are told."""
    with started("relay", ":0", meter, "--control", "--tcp-only", spool=tmp_path) as relay:
        address = relay.event("relaying")["address"]
        relay.tell(hold="apdu = 3")
        assert "is written" in relay.event("error")["message"]
        relay.tell(hold="apdu == get-request")
        assert relay.event("breakpoint")["hold"] == "apdu == get-request"
        with started("connect", address, "--control", spool=tmp_path) as link:
            link.event("connected")
            link.tell(send=GET.hex())
            held = relay.event("held")
            assert (held["number"], held["octets"], held["name"]) == (1, WPDU.hex(), "get-request")
            relay.tell(edit=1, at=1)
            assert "go with the place" in relay.event("error")["message"]
            relay.tell(replace=1, apdu="62 03 80 01 00")
            assert relay.event("gone")["how"] == "replace=6203800100"
            assert link.event("received")["name"] == "RLRE"
            relay.tell(hold=None)
            relay.event("breakpoint")
            link.tell(send=GET.hex())
            assert link.event("received")["name"] == "exception-response"


def test_on_match_and_lines_for_people(meter: str, tmp_path: Path) -> None:
    """What was held and what was done stands on a line each."""
    words = (
        "relay",
        ":0",
        meter,
        "--tcp-only",
        "--hold",
        "apdu == get-request",
        "--on-match",
        f"replace={SET}",
    )
    with started(*words, spool=tmp_path) as relay:
        assert relay.process.stdout is not None
        lines = iter(relay.process.stdout.readline, "")
        assert next(lines) == f"holding    apdu == get-request: replace={SET}\n"
        address = next(lines).split()[1]
        status, out, _ = run("connect", address, "--send", GET.hex(), spool=tmp_path)
        assert status == 0
        assert "get-response" in out
        shown = [next(lines).split()[0] for _ in range(4)]
        assert shown == ["joined", "held", "gone", "parted"]


def test_what_is_held_is_answered_by_typing(meter: str, tmp_path: Path) -> None:
    """A number and what to do, or the number alone; anything else is told."""
    with started(
        "relay", ":0", meter, "--tcp-only", "--hold", "apdu == get-request", "--json", spool=tmp_path
    ) as relay:
        address = relay.event("relaying")["address"]
        with started("connect", address, "--control", spool=tmp_path) as link:
            link.event("connected")
            for typed, how, answer in (
                ("1", "go", "exception-response"),
                ("2 replace=6203800100", "", "RLRE"),
            ):
                link.tell(send=GET.hex())
                relay.event("held")
                relay.write("what\n")
                assert "'what' is no number of something held" in relay.event("error")["message"]
                relay.write(typed + "\n")
                assert relay.event("gone")["how"] == (how or typed[2:])
                assert link.event("received")["name"] == answer


def test_it_goes_on_when_nobody_can_type(meter: str, tmp_path: Path) -> None:
    """As in the background, with its input closed: what is held goes on by itself."""
    words = (
        "relay",
        ":0",
        meter,
        "--tcp-only",
        "--hold",
        "apdu == get-request",
        "--hold-seconds",
        "0.2",
        "--json",
    )
    with started(*words, spool=tmp_path) as relay:
        address = relay.event("relaying")["address"]
        assert relay.process.stdin is not None
        relay.process.stdin.close()
        status, out, _ = run("connect", address, "--send", GET.hex(), spool=tmp_path)
        assert status == 0
        assert "exception-response" in out
        assert relay.event("gone")["how"] == "let go after 0.2 s"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_connections_in_order_and_finishes_the_file(number: int, tmp_path: Path) -> None:
    """Both ends get a FIN, not a reset; the status says that it was interrupted."""
    with socket.create_server(("127.0.0.1", 0)) as target:
        there = f"127.0.0.1:{target.getsockname()[1]}"
        with started("relay", ":0", there, "--tcp-only", "--json", spool=tmp_path) as relay:
            host, _, port = relay.event("relaying")["address"].rpartition(":")
            with socket.create_connection((host, int(port)), 20) as client:
                server, _ = target.accept()
                with server:
                    server.settimeout(20)
                    client.sendall(WPDU)
                    assert server.recv(100) == WPDU
                    relay.process.send_signal(number)
                    assert client.recv(1) == b""
                    assert server.recv(1) == b""
            kept = relay.event("kept")
            assert relay.end()[0] == 130
    assert complaints(Path(kept["file"])) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL to send")
def test_killed_in_mid_traffic_it_loses_nothing_that_it_received(tmp_path: Path) -> None:
    """All that came out at the target is in the file, whose last packet is whole, and what had not yet."""
    path = tmp_path / "killed.pcapng"
    with socket.create_server(("127.0.0.1", 0)) as target:
        there = f"127.0.0.1:{target.getsockname()[1]}"
        words = ("relay", ":0", there, "--tcp-only", "--control", "--write", str(path))
        with started(*words, "--hold", "apdu == set-request", spool=tmp_path) as relay:
            host, _, port = relay.event("relaying")["address"].rpartition(":")
            with socket.create_connection((host, int(port)), 20) as client:
                server, _ = target.accept()
                with server:
                    server.settimeout(20)
                    sending = threading.Thread(target=_send_on, args=(client,), daemon=True)
                    sending.start()
                    got = b""
                    while len(got) < 200 * len(WPDU):
                        got += server.recv(4096)
                    relay.process.send_signal(signal.SIGKILL)
                    relay.process.wait(20)
                    got += _rest(server)
                sending.join(20)
    assert complaints(path) == []
    went, came = _octets_to(path, there.rpartition(":")[2]), _octets_to(path, port)
    assert went >= len(got)
    assert came >= went


def _octets_to(path: Path, port: str) -> int:
    """Octets of TCP that the capture has for a port."""
    return sum(map(int, tshark(path, "-Y", f"tcp.dstport == {port}", "-T", "fields", "-e", "tcp.len")))


def _send_on(client: socket.socket) -> None:
    """Send WPDUs until the connection breaks."""
    try:
        while True:
            client.sendall(WPDU)
    except OSError:
        return


def _rest(server: socket.socket) -> bytes:
    octets = b""
    try:
        while part := server.recv(65536):
            octets += part
    except ConnectionResetError:
        pass
    return octets


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "there is nothing to relay"),
        (("4060",), "4060 leads nowhere"),
        (("4060", "h", "--hold", "apdu = 3"), "--hold: “=” is written “==”"),
        (("4060", "h", "--hold", "response_time > 1s"), "told by a whole capture"),
        (("4060", "h", "--on-match", "drop"), "there is no --hold"),
        (("4060", "h", "--hold", "apdu", "--on-match", "dorp"), "nothing to do with a WPDU"),
        (("4060", "h", "--hold", "apdu", "--hold-seconds", "61"), "nothing is held for more than 60 s"),
        (("--table", "none.toml"), "none.toml cannot be read"),
    ],
)
def test_wrong_usage_is_said_and_nothing_is_opened(
    words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    """Exit status 2, and not even a spool is made."""
    status, out, errors = run("relay", *words, spool=tmp_path)
    assert (status, out) == (2, "")
    assert message in errors
    assert list(tmp_path.iterdir()) == []
