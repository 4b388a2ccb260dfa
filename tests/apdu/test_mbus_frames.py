"""M-Bus long frames: split, their APDU joined from segments, each octet in its field."""

import pytest

from cosemscope.apdu.framed import Layer, decode_octets, recognise
from cosemscope.apdu.mbus_frames import decode_mbus, is_mbus, mbus_apdu, mbus_frames
from cosemscope.apdu.summary import summarise
from tests.helpers.apdu_checks import check_tree

_PUSH = bytes.fromhex("0f00000001000203060000000112092406000003e8")
_LINE = "PUSH, structure of 3: 1, 2340, 1000"


def _frame(part: bytes, control_information: int = 0x10, *, wrong: int = 0) -> bytes:
    body = bytes((0x53, 0xFF, control_information, 0x01, 0x67)) + part
    size = len(body)
    return bytes((0x68, size, size, 0x68)) + body + bytes(((sum(body) + wrong) & 0xFF, 0x16))


def test_an_apdu_in_one_frame() -> None:
    """Header, service access points, APDU and sum are fields; the line is that of the APDU."""
    octets = _frame(_PUSH)
    decoded = decode_octets(octets)
    check_tree(decoded, decoded.sources[0].data)
    assert recognise(octets) is Layer.MBUS
    assert summarise(decoded) == _LINE
    assert not decoded.problems


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_segments_are_joined(cut: int) -> None:
    """The CI field counts them and marks the last; the APDU is decoded below it."""
    octets = _frame(_PUSH[:cut], 0x00) + _frame(_PUSH[cut:], 0x11)
    assert mbus_apdu(octets) == _PUSH
    decoded = decode_octets(octets)
    check_tree(decoded, decoded.sources[0].data)
    assert summarise(decoded) == _LINE


def test_what_is_missing_or_wrong_is_said() -> None:
    """A first segment alone is read as far as it goes; wrong sums, lost segments, octets behind are told."""
    first = decode_mbus(_frame(_PUSH[:16], 0x00))
    assert "PUSH, structure of 3, incomplete: 1" in summarise(first)
    assert mbus_apdu(_frame(_PUSH[:7], 0x00) + _frame(_PUSH[7:], 0x12)) == b""
    wrong = decode_mbus(_frame(_PUSH, wrong=1))
    assert "expected 0x" in wrong.problems[0].message
    assert _LINE in summarise(wrong)
    behind = decode_mbus(_frame(_PUSH) + b"\0")
    assert "expected an M-Bus long frame" in behind.problems[-1].message
    for decoded in (first, wrong, behind):
        check_tree(decoded, decoded.sources[0].data)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x68",
        _frame(_PUSH)[:8],
        _frame(_PUSH, 0x72)[:-1],
        b"\x68\x01\x01\x68\x00\x00\x16",
        b"\x68\x05\x06\x68" + bytes(8),
    ],
)
def test_what_is_no_frame(octets: bytes) -> None:
    """Lengths that differ, too short ones and cut ones."""
    assert not is_mbus(octets)
    assert not mbus_frames(octets)


@pytest.mark.parametrize("missing", range(1, len(_PUSH)))
def test_a_frame_that_is_cut(missing: int) -> None:
    """Read as far as it goes, alone and behind a whole one; what is missing is said, nothing is joined."""
    for before in (b"", _frame(_PUSH)):
        octets = before + _frame(_PUSH)[:-missing]
        assert recognise(octets) is Layer.MBUS
        decoded = decode_octets(octets)
        check_tree(decoded, decoded.sources[0].data)
        said = [problem.message for problem in decoded.problems]
        assert (
            f"the M-Bus frame is cut: {missing} octet{'s' * (missing > 1)} of {len(_frame(_PUSH))} missing"
            in said
        )
        assert "joined segments" not in [source.name for source in decoded.sources]
        assert mbus_apdu(octets) == (_PUSH if before else b"")
    assert "PUSH, structure of 3" in summarise(decode_octets(_frame(_PUSH)[:-5]))


def test_a_frame_of_other_content() -> None:
    """A CI field of M-Bus itself: named, its data left alone."""
    decoded = decode_mbus(_frame(b"\x01\x02", 0x72))
    assert summarise(decoded) == "M-Bus frame address 255"
    check_tree(decoded, decoded.sources[0].data)
