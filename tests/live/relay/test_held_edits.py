"""What goes on in the place of a WPDU that is held, and what is said where that cannot be."""

from argparse import ArgumentTypeError

import pytest

from cosemscope.live.relay.held_edits import (
    DelayBy,
    DoubleIt,
    DropIt,
    GoingOn,
    GoOn,
    HeldEdit,
    ReplaceApdu,
    SetFields,
    SplitAt,
    parse_edit,
)
from cosemscope.transport.wpdu import Wpdu
from tests.live.relay.relays import GET

TYPED = {
    "go": GoOn(),
    "drop": DropIt(),
    "double": DoubleIt(),
    "delay=500ms": DelayBy(0.5),
    "split=8": SplitAt(8),
    "replace=c001": ReplaceApdu(b"\xc0\x01"),
    "source=17": SetFields(source_wport=17),
    "destination=1": SetFields(destination_wport=1),
    "invoke-id=3": SetFields(invoke_id=3),
    "at=8:c0": SetFields(at=8, octets=b"\xc0"),
}


@pytest.mark.parametrize(("text", "edit"), TYPED.items(), ids=TYPED)
def test_what_is_typed_is_what_is_told(text: str, edit: HeldEdit) -> None:
    """The words of an edit are those that make it."""
    assert parse_edit(text) == edit
    assert edit.words == text


def test_other_ways_of_typing() -> None:
    """Seconds, wPorts in hexadecimal, octets with spaces or colons between them."""
    assert parse_edit("delay=1.5s") == DelayBy(1.5)
    assert parse_edit("source=0x11") == SetFields(source_wport=17)
    assert parse_edit(" replace=c0 01:02 ") == ReplaceApdu(b"\xc0\x01\x02")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing to do with a WPDU"),
        ("dropp", "nothing to do with a WPDU"),
        ("drop=1", "nothing to do with a WPDU"),
        ("delay=5", "no time, such as 500ms"),
        ("delay=61s", "no delay"),
        ("split=x", "no number"),
        ("replace=0", "not hexadecimal"),
        ("replace=", "no octets"),
        ("source=70000", "no wPort"),
        ("at=8", "no place with octets"),
        ("at=-1:00", "no place in a WPDU"),
    ],
)
def test_what_is_no_edit_is_said(text: str, words: str) -> None:
    """With what was typed and what there is."""
    with pytest.raises(ArgumentTypeError, match=words):
        parse_edit(text)


def test_plans() -> None:
    """What goes on, and when."""
    assert GoOn().plan(GET) == (GoingOn(GET),)
    assert DropIt().plan(GET) == ()
    assert DoubleIt().plan(GET) == (GoingOn(GET), GoingOn(GET))
    assert DelayBy(0.5).plan(GET) == (GoingOn(GET, 0.5),)
    first, second = SplitAt(9).plan(GET)
    assert (first.octets, second.octets) == (GET[:9], GET[9:])
    assert first.after == 0 < second.after
    assert ReplaceApdu(b"\xc4\x01").plan(GET) == (GoingOn(Wpdu(16, 1, b"\xc4\x01").encode()),)


def octets_of(edit: HeldEdit, wpdu: bytes = GET) -> bytes:
    (one,) = edit.plan(wpdu)
    return one.octets


def test_fields_are_set_in_place() -> None:
    """wPorts, octets anywhere (the length too), and the invoke-id without its priority."""
    assert octets_of(SetFields(source_wport=17, destination_wport=0x102)) == (
        bytes.fromhex("000100110102000d") + GET[8:]
    )
    assert octets_of(SetFields(at=6, octets=b"\xff\xff")) == GET[:6] + b"\xff\xff" + GET[8:]
    assert octets_of(SetFields(invoke_id=5)) == GET[:10] + b"\xc5" + GET[11:]
    assert octets_of(SetFields(at=len(GET) - 1, octets=b"\x09")) == GET[:-1] + b"\x09"
    notification = Wpdu(1, 16, bytes.fromhex("0f4000000200")).encode()
    assert octets_of(SetFields(invoke_id=0x123456), notification)[8:] == bytes.fromhex("0f4012345600")


@pytest.mark.parametrize(
    ("edit", "wpdu", "words"),
    [
        (SplitAt(len(GET)), GET, "cannot be split"),
        (SplitAt(0), GET, "cannot be split"),
        (SetFields(at=len(GET), octets=b"\0"), GET, "not there: it has 21"),
        (SetFields(invoke_id=16), GET, "no invoke-id of this APDU"),
        (SetFields(invoke_id=1), Wpdu(16, 1, b"\x60\x00").encode(), "no invoke-id in the clear"),
        (SetFields(invoke_id=1), Wpdu(16, 1, b"").encode(), "no invoke-id in the clear"),
        (SetFields(source_wport=1), b"\0\1\0", "not there"),
        (ReplaceApdu(bytes(65536)), GET, "do not fit"),
        (ReplaceApdu(b"\0"), b"\0\1\0", "no header"),
    ],
)
def test_what_cannot_be_done_is_said(edit: HeldEdit, wpdu: bytes, words: str) -> None:
    """And nothing is changed."""
    with pytest.raises(ValueError, match=words):
        edit.plan(wpdu)


def test_octets_without_a_place_are_no_field() -> None:
    """Nor is a place without octets."""
    for wrong in ({"at": 1}, {"octets": b"\0"}):
        with pytest.raises(ValueError, match="go with the place"):
            SetFields(**wrong)  # type: ignore[arg-type]
