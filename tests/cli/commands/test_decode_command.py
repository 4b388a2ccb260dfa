"""`cosemscope decode`: hex in, a tree out."""

import io
import json
import tempfile
from pathlib import Path

import pytest

from cosemscope.cli import main
from tests.helpers.shared import shared

_WPDU = "00 01 00 01 00 10 00 09 c4 01 c1 00 06 00 00 13 91"


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    """The info line, then offset, octets and field of every line."""
    assert main(["decode", *_WPDU.split()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "GET response, data = 5009"
    assert lines[3].split() == ["0", "17", "WPDU:", "wPort", "1", "to", "16,", "get-response"]
    assert lines[-1].split() == ["13", "4", "value:", "5009"]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same as JSON: every field with name, value, text, start, stop and children, and the problems."""
    assert main(["decode", "--json", _WPDU]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert (tree["name"], tree["start"], tree["stop"], tree["problems"]) == ("WPDU", 0, 17, [])
    apdu = tree["children"][-1]
    assert apdu["name"] == "get-response"
    data = apdu["children"][-1]["children"][-1]
    assert data["value"] == 5009
    assert data["children"][0] | {"children": []} == {
        "name": "tag",
        "value": 6,
        "text": "double-long-unsigned",
        "start": 12,
        "stop": 13,
        "source": 0,
        "children": [],
    }
    assert tree["sources"] == [{"name": "WPDU", "octets": _WPDU.replace(" ", "")}]


def test_octets_and_references_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Octets are hex, descriptors have named parts, what is no number in JSON is text."""
    assert main(["decode", "--json", "c001c100030100010800ff0200"]) == 0
    descriptor = json.loads(capsys.readouterr().out)["children"][3]
    assert descriptor["value"] == {"class_id": 3, "instance": "0100010800ff", "member": 2, "method": False}
    assert descriptor["children"][1]["value"] == "0100010800ff"
    assert main(["decode", "--json", "c401c100177fc00000"]) == 0
    assert json.loads(capsys.readouterr().out)["children"][3]["value"] == "nan"


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """- reads a dump from standard input."""
    dump = "0000  c4 01 c1 00 06 00 00 13  ........\n0008  91  .\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(dump))
    assert main(["decode", "-"]) == 0
    assert "5009" in capsys.readouterr().out


def test_broken_octets_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """What breaks is decoded up to there, and said."""
    assert main(["decode", "c401c1000600"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("BROKEN")
    assert "undecoded: 00" in shown
    assert "error at offset 5: expected 4 octets of double-long-unsigned" in shown


def test_several_messages_are_a_list_and_trees(capsys: pytest.CaptureFixture[str]) -> None:
    """A line a message, each with its tree; what was left out of the text goes to standard error."""
    text = "10:11:12.345 TX c001c100030100010800ff0200\n10:11:12.456 RX c401c1000600001391"
    assert main(["decode", text]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[:2] == [
        "   1  10:11:12.345000  client  GET 1.0.1.8.0.255 Active energy import (+A)",
        "   2  10:11:12.456000  server  GET response 1.0.1.8.0.255 Active energy import (+A), value = 5009",
    ]
    assert "-- 2, from the server" in told.out
    assert told.err == "cosemscope decode: 2 time stamps, 2 labels ignored.\n"
    assert main(["decode", "--json", text]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [message["sender"] for message in found["messages"]] == ["client", "server"]
    assert found["messages"][1]["children"]
    assert (found["left_out"], found["notes"]) == ({"time stamp": 2, "label": 2}, [])


def test_messages_can_be_kept_as_a_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--write makes a capture of them that every other command opens."""
    path = tmp_path / "pasted.pcapng"
    assert main(["decode", "--write", str(path), _WPDU]) == 0
    capsys.readouterr()
    assert main(["list", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["info"] == "GET response, data = 5009"
    assert main(["decode", "--write", str(tmp_path / "none" / "x"), _WPDU]) == 1


def test_no_hex(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no hex is said on standard error, with status 1."""
    assert main(["decode", "nonsense"]) == 1
    assert "is no hex digit" in capsys.readouterr().err


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    """A WPDU of a capture by its number."""
    assert main(["show", str(shared("captures/DLMS_list.pcap")), "1"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("AARQ")
    assert "source-wport: Public Client (16)" in shown


def test_show_selective_access(capsys: pytest.CaptureFixture[str]) -> None:
    """The range selector of a real request: presence, selector and bounds are told apart."""
    path = str(shared("captures/DLMS_list.pcap"))
    trees = []
    for number in range(1, 9):
        assert main(["show", "--json", path, str(number)]) == 0
        trees.append(json.loads(capsys.readouterr().out))
    assert not any(tree["problems"] for tree in trees)
    (ranged,) = [
        tree for tree in trees if "1.0.99.1.0.255" in tree["info"] and tree["info"].startswith("GET 1")
    ]
    assert ", from 20" in ranged["info"]


def test_show_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers and files that do not exist are said."""
    assert main(["show", str(shared("captures/DLMS_list.pcap")), "99"]) == 1
    assert "has 8 WPDUs, none is number 99" in capsys.readouterr().err
    assert main(["show", "no-such-file.pcap", "1"]) == 1
    assert "no-such-file.pcap" in capsys.readouterr().err


def test_without_a_temporary_folder_each_message_is_read_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No room for the file of the conversation is a sentence, and no end of decoding."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    assert main(["decode", "c001c100030100010800ff0200\nc401c1000600001391"]) == 0
    printed = capsys.readouterr()
    assert "GET response, data = 5009" in printed.out
    assert "each message is read by itself" in printed.err


def test_a_page_for_a_ticket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--html` writes one page of all messages, of decode and of show; a bad path is a sentence."""
    page = tmp_path / "ticket.html"
    assert main(["decode", "--html", str(page), f"TX: c001c100030100010800ff0200\nRX: {_WPDU[24:]}"]) == 0
    text = page.read_text("utf-8")
    assert "GET 1.0.1.8.0.255 Active energy import (+A)" in text
    assert "value = 5009" in text
    assert main(["show", str(shared("captures/Output.pcap")), "1", "--html", str(page)]) == 0
    assert "WPDU 1 of Output.pcap" in page.read_text("utf-8")
    assert main(["decode", "--html", "-", _WPDU]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    assert main(["decode", "--html", str(tmp_path / "no" / "where"), _WPDU]) == 1
    assert "cannot be written" in capsys.readouterr().err
