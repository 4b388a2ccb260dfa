"""Trees as text: those that `show` prints, one behind another; no key, and no password unprompted."""

from pathlib import Path

import pytest

from cosemscope.analysis.export.exports import Order
from cosemscope.cli import main
from tests.helpers.annotated import write_annotated
from tests.helpers.exported import sample, subject_of, written
from tests.helpers.wire import Tcp, Wire, wpdu

PASSWORD = b"Geheim17"
DEDICATED = bytes.fromhex("00112233445566778899aabbccddeeff")
SET_SECRET = wpdu(bytes.fromhex("c101c1000f0000280000ff0700") + b"\x09\x08" + PASSWORD)


def aarq() -> bytes:
    """Low level security, with a password in clear and a dedicated key in clear too."""
    initiate = b"\x01\x01\x10" + DEDICATED + bytes.fromhex("000006 5f1f0400001e5d ffff")
    body = (
        bytes.fromhex("a109060760857405080101 8a020780 8b0760857405080201")
        + bytes([0xAC, len(PASSWORD) + 2, 0x80, len(PASSWORD)])
        + PASSWORD
        + bytes([0xBE, len(initiate) + 2, 4, len(initiate)])
        + initiate
    )
    return wpdu(bytes([0x60, len(body)]) + body)


def secrets(tmp_path: Path) -> Path:
    wire = Wire()
    stream = Tcp(wire).handshake()
    stream.say(0, aarq())
    stream.say(0, SET_SECRET)
    return wire.capture(tmp_path / "wire.pcap")


@pytest.mark.parametrize("name", ["first-look", "faults"])
def test_trees_are_those_that_show_prints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each behind a line that says which WPDU it is."""
    path, keys = sample(name)
    with subject_of(path, range(0, 60, 7), keys) as subject:
        text = written(subject, Order("text")).decode()
    wpdus = text.split("\n\nWPDU ")
    assert len(wpdus) == 9
    key_words = ["--keys", str(path.with_name(f"{name}-keys.toml"))] if name == "first-look" else []
    for number, told in zip(range(1, 61, 7), wpdus, strict=True):
        assert main(["show", str(path), str(number), *key_words]) == 0
        head, _, tree = told.partition("\n")
        assert head.removeprefix("WPDU ").startswith(f"{number}, ")
        assert capsys.readouterr().out.strip() == tree.strip()


def test_comments_stand_above_the_tree(tmp_path: Path) -> None:
    """Also those with several lines."""
    path = write_annotated(tmp_path / "in.pcapng", b"one\ntwo")
    with subject_of(path, [1]) as subject:
        assert "comment on packet 2: one\n  two\n" in written(subject, Order("text")).decode()


def test_keys_are_never_written_and_passwords_on_demand(tmp_path: Path) -> None:
    """In whatever form the tree would have told them."""
    with subject_of(secrets(tmp_path)) as subject:
        hidden = written(subject, Order("text")).decode()
        shown = written(subject, Order("text", passwords=True)).decode()
    for text in (hidden, shown):
        assert DEDICATED.hex() not in text.replace(" ", "").lower()
    for form in (PASSWORD.decode(), PASSWORD.hex()):
        assert form not in hidden
    assert shown.count(PASSWORD.decode()) >= 2
    assert "calling-authentication-value: 12 octets, not shown" in hidden
    assert "a secret" in hidden
    assert "mechanism-name" in hidden
