"""`exchanges`: the keys that scripts rely on, and what stands there for each kind of exchange."""

import json
from pathlib import Path
from typing import Any

import pytest

from cosemscope.cli import main
from cosemscope.resources import resource
from tests.helpers.shared import shared
from tests.helpers.wire import Tcp, Wire, wpdu

#: Keys and the types of their values; all but the first seven may be null.
KEYS = {
    "number": int,
    "stream": int,
    "client": str,
    "server": str,
    "client_wport": int,
    "server_wport": int,
    "status": str,
    "service": str,
    "class_id": int,
    "obis": str,
    "attribute": int,
    "invoke_id": int,
    "result": str,
    "request": int,
    "responses": list,
    "blocks": int,
    "request_octets": int,
    "response_octets": int,
    "time": str,
    "response_time": str,
    "total_time": str,
    "retransmissions": int,
    "security": str,
    "value": (int, float, str),
    "unit": str,
    "request_transfer": str,
    "response_transfer": str,
    "own_time": str,
    "own_time_at_least": bool,
    "block_times": list,
    "longest_pause": str,
    "retransmission_time": str,
}


def exchanges(capture: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["exchanges", "--json", str(capture), *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_keys_and_types_over_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    """Every exchange has every key."""
    found = exchanges(Path(str(resource("samples/first-look.pcapng"))), capsys)
    assert len(found) > 50
    for exchange in found:
        assert exchange.keys() == KEYS.keys()
        for place, (key, kind) in enumerate(KEYS.items()):
            assert isinstance(exchange[key], kind) or (place >= 7 and exchange[key] is None), key
    assert [exchange["number"] for exchange in found] == list(range(1, len(found) + 1))


def test_a_meter_that_opens_the_connection_is_the_server_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`client` and `server` are DLMS roles, not those of TCP."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(1, wpdu(bytes.fromhex("c001c100030100010800ff0200"), 16, 1))
    tcp.say(0, wpdu(bytes.fromhex("c401c1000600001391"), 1, 16))
    (exchange,) = exchanges(wire.capture(tmp_path / "wire.pcap"), capsys)
    assert (exchange["client"], exchange["server"]) == ("10.0.0.2:4059", "10.0.0.1:50000")
    assert (exchange["client_wport"], exchange["server_wport"]) == (16, 1)
    assert (exchange["request"], exchange["responses"]) == (1, [2])
    assert (exchange["value"], exchange["unit"]) == (5009, None)


def test_values_have_their_scalers_and_writes_what_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scaler that was read before applies; a SET has the value that was sent."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for side, octets in (
        (0, "c001c100030100010800ff0300"),
        (1, "c401c10002020ffe161e"),
        (0, "c001c200030100010800ff0200"),
        (1, "c401c2000600001391"),
        (0, "c101c300010000600100ff0200" + "0a0368656c"),
        (1, "c501c300"),
    ):
        tcp.say(side, wpdu(bytes.fromhex(octets), *((1, 16) if side else (16, 1))))
    scaler, value, written = exchanges(wire.capture(tmp_path / "wire.pcap"), capsys)
    assert scaler["value"] == "scaler 10^-2, unit Wh"
    assert (value["value"], value["unit"]) == (50.09, "Wh")
    assert (written["value"], written["result"], written["service"]) == ("hel", "success", "set-request")


def test_ciphered_exchanges_are_those_of_what_was_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the keys blocks are one exchange, and object and value are told."""
    capture = shared("captures/Output-Ciphered-HLS.pcap")
    closed = exchanges(capture, capsys)
    assert {one["service"] for one in closed} > {"glo-get-request"}
    keys = tmp_path / "keys.toml"
    keys.write_text(
        '[[key]]\nencryption = "000102030405060708090A0B0C0D0E0F"\n'
        'authentication = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"\n'
    )
    opened = exchanges(capture, capsys, "--keys", str(keys))
    # Two transfers in blocks of two; and the ACCESS that went out under a wrong tag is seen.
    assert (len(closed), len(opened)) == (132, 132 - 2 + 1)
    assert sorted(one["blocks"] for one in opened)[-2:] == [2, 2]
    assert [one["status"] for one in opened if one["service"] == "access-request"] == ["answered"]
    read = [one for one in opened if one["service"] == "get-request"]
    assert len(read) == 127
    assert all(one["obis"] and one["status"] == "answered" and one["security"] == "opened" for one in read)


def test_text_tells_the_same_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A heading, then a line an exchange with object, status, time and value."""
    assert main(["exchanges", str(resource("samples/first-look.pcapng"))]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["No.", "WPDU"]
    assert any("1.0.1.8.0.255 2" in line and "answered" in line and line.endswith("Wh") for line in lines)
    assert any("error" in line and line.endswith("read-write-denied") for line in lines)
