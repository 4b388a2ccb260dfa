"""Texts of P1 and IEC 62056-21 are lines with meanings, wherever they stand in the place of an APDU."""

import pytest

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names.text_marks import is_telegram, is_text
from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.summary import summarise
from tests.helpers.apdu_checks import check_tree

_TEXT = "/TST5\\2M001\r\n\r\n1-0:1.8.1(000123.456*kWh)\r\n1-0:32.7.0(230.1*V)\r\nother\r\n!"
_RIGHT = f"{_TEXT}9720\r\n"


def test_the_lines_of_a_telegram() -> None:
    """Identification, lines with the names of their codes, the check sequence recomputed; nothing is cut."""
    decoded = decode_apdu(_RIGHT.encode())
    check_tree(decoded, decoded.sources[0].data)
    assert summarise(decoded) == 'IEC 62056-21 text "/TST5\\2M001", 5 lines'
    texts = [child.text for child in decoded.root.children]
    assert "1-0:1.8.1(000123.456*kWh): Active energy import (+A), tariff 1" in texts
    assert "1-0:32.7.0(230.1*V): Voltage L1, instantaneous" in texts
    assert texts[-1] == "!9720 (right)"
    assert not decoded.problems


def test_a_wrong_check_sequence_is_said() -> None:
    """The text is shown all the same."""
    [problem] = decode_apdu(f"{_TEXT}9721\r\n".encode()).problems
    assert (problem.severity, "expected check sequence 9720" in problem.message) == ("warning", True)


def test_a_telegram_that_is_pasted_is_no_hex() -> None:
    """It is taken as it is, its lines ended as the meter ends them, and that is said."""
    pasted = read_pasted(_RIGHT.replace("\r\n", "\n"))
    assert pasted.octets == _RIGHT.encode()
    assert "not as hex" in pasted.remark


@pytest.mark.parametrize(
    ("octets", "telegram", "text"),
    [
        (b"/TST5\r\n", True, False),
        (b"/TS5\r\n", False, False),
        (b"/TST5", False, False),
        (b"sixteen letters!", False, True),
        (b"sixteen letters\0", False, False),
    ],
)
def test_what_is_text(octets: bytes, telegram: bool, text: bool) -> None:
    """A telegram by its first line, any other text by its length."""
    assert (is_telegram(octets), is_text(octets)) == (telegram, text)
