"""Hex as people paste it."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.pasted.pasted_text import parse_octets, read_pasted
from cosemscope.apdu.pasted.pieces import HexError, Way

_OCTETS = bytes.fromhex("0001001000010009c401c1000600001391")


@pytest.mark.parametrize(
    "text",
    [
        "0001001000010009c401c1000600001391",
        "00 01 00 10 00 01 00 09 C4 01 C1 00 06 00 00 13 91",
        "00:01:00:10:00:01:00:09:c4:01:c1:00:06:00:00:13:91",
        "0x00, 0x01, 0x00, 0x10, 0x0, 0x1, 0x0, 0x9, 0xC4, 0x01, 0xC1, 0x00, 0x06, 0, 0x00, 0x13, 0x91",
        "\\x00\\x01\\x00\\x10\\x00\\x01\\x00\\x09\\xc4\\x01\\xc1\\x00\\x06\\x00\\x00\\x13\\x91",
        "0001 0010 0001 0009\nc401 c100 0600\r\n0013 91\n",
        "00-01-00-10 # header\n00 01 00 09 // the rest of it\nc4 01 c1 00 06 00 00 13 91",
        "0000   00 01 00 10 00 01 00 09 c4 01 c1 00 06 00 00 13   ................\n0010   91   .",
        "00000000  00 01 00 10 00 01 00 09  c4 01 c1 00 06 00 00 13  |................|\n"
        "00000010  91                                                |.|\n00000011\n",
        "00000000: 0001 0010 0001 0009 c401 c100 0600 0013  ................\n00000010: 91    .",
        "0000: 00 01 00 10 00 01 00 09\n0008: C4 01 C1 00 06 00 00 13\n0010: 91",
        "{0x0001001000010009c401c1000600001391}",
        "b'\\x00\\x01\\x00\\x10\\x00\\x01\\x00\\x09\\xc4\\x01\\xc1\\x00\\x06\\x00\\x00\\x13\\x91'",
        "\ufeff0001001000010009c401c1000600001391",
        "0h 1h 0h 10h 00h 01h 00h 09h C4h 01h C1h 00h 06h 00h 00h 13h 91h",
        "RX: 00 01 00 10 00 01 00 09\nRX: c4 01 c1 00 06 00 00 13 91",
    ],
)
def test_forms(text: str) -> None:
    """All of these are the same WPDU."""
    assert parse_octets(text) == _OCTETS


def test_characters_that_look_like_hex() -> None:
    """The characters' column of a dump is not taken for octets."""
    dump = "0000  61 62 63 64 65 66 61 62 63 64 65 66 61 62 63 64  abcdefabcdefabcd\n0010  61 62  ab"
    assert parse_octets(dump) == b"abcdefabcdefabcdab"


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=100), st.sampled_from([8, 16]))
def test_dumps_of_anything(octets: bytes, width: int) -> None:
    """Dumps in the two usual layouts are read back."""
    lines = []
    for at in range(0, len(octets), width):
        row = octets[at : at + width]
        shown = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        lines.append(f"{at:08x}  {row.hex(' '):{width * 3}} |{shown}|")
    assert parse_octets("\n".join(lines)) == octets


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=17, max_size=100), st.sampled_from(["07o", "07d", "08o", "07x"]))
def test_offsets_may_be_octal_or_decimal(octets: bytes, form: str) -> None:
    """od writes octal offsets, the last alone; no line of octets is taken for a heading."""
    rows = [f"{at:{form}} {octets[at : at + 16].hex(' ')}" for at in range(0, len(octets), 16)]
    assert parse_octets("\n".join([*rows, f"{len(octets):{form}}"])) == octets


def test_a_first_word_that_is_wrong_makes_no_heading_of_octets() -> None:
    """Octets are never left out in silence: the line is refused."""
    with pytest.raises(HexError, match="'000' has one hex digit"):
        parse_octets("000 00 01 00 01\n00 10 00 01 08")


_SNRM = bytes.fromhex("7ea0070321930f017e")


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("2024-01-07 16:15:49 7E A0 07 03 21 93 0F 01 7E", {"time stamp": 1}),
        ("19:13:23.339 : 7e a0 07 03 21\n19:13:23.376 : 93 0f 01 7e", {"time stamp": 2}),
        ("[08:54:20][D][uart_debug:109]: <<< 7E:A0:07:03:21:93:0F:01:7E", None),
        ("(D) 7E A0 07 03\n(D) 21 93 0F 01 7E", {"level": 2}),
        ("Jan  7 16:15:49 7EA0070321930F017E", {"time stamp": 1}),
        ("07.01.2024 16:15:49,123 7EA0070321930F017E", {"time stamp": 1}),
        ("1704644149.123 7EA0070321930F017E", {"time stamp": 1}),
        ("INFO read 9 bytes: 7EA0070321930F017E", None),
        ("7E A0 07 03 21 93 0F 01 7E (9 bytes)", None),
        ("Frame from the optical head\n7E A0 07 03 21 93 0F 01 7E", {"heading": 1}),
        ("7EA0070321930F017E // SNRM", {"comment": 1}),
        ("00000010: 7ea0 0703 2193 0f01 7e", {"offset": 1}),
        ("0010   7E A0 07 03 21 93 0F 01 7E", {"offset": 1}),
        ("|00000000| 7e a0 07 03 21 93 0f 01 7e                      |~...!...~       |", {"offset": 1}),
        ("[126, 160, 7, 3, 33, 147, 15, 1, 126]", {}),
        ("126 160 7 3 33 147 15 1 126", {}),
        ("{126, -96, 7, 3, 33, -109, 15, 1, 126}", {}),
        ("fqAHAyGTDwF+", {}),
        ("bytearray(b'~\\xa0\\x07\\x03!\\x93\\x0f\\x01~')", {}),
        ("data=b'~\\xa0\\x07\\x03!\\x93\\x0f\\x01~'", {}),
        ('"\\x7e\\xa0\\x07\\x03\\x21"\n"\\x93\\x0f\\x01\\x7e"', {}),
        ("b'7ea0070321930f017e'", {}),
        ("bytes.fromhex('7EA0070321930F017E')", None),
        (
            "uint8_t frame[9] = {\n  0x7E, 0xA0, 0x07, 0x03, 0x21,\n  0x93, 0x0F, 0x01, 0x7E };",
            None,
        ),
        ('{"SerialReceived":"7EA0070321930F017E"}', None),
        ('<Data Value="7EA0070321930F017E"/>', None),
        ("<Buffer 7e a0 07 03 21 93 0f 01 7e>", {}),
        ("0x7E·0xA0·0x07·0x03·0x21·0x93·0x0F·0x01·0x7E", {}),
        ("7EA0\u200b070321930F017E", {}),
        ("TX: 7EA0070321930F017E", {"label": 1}),
        ("7EA007032193\n0F017E", {}),
    ],
)
def test_octets_among_what_logs_write(text: str, left_out: dict[str, int] | None) -> None:
    """Nothing but the octets is taken for octets, and what was left out is counted by its kind."""
    pasted = read_pasted(text)
    assert pasted.octets == _SNRM
    if left_out is not None:
        assert pasted.left_out == left_out


def test_a_long_word_may_go_on_in_the_next_line() -> None:
    """Text of hex digits may be wrapped anywhere, also within an octet."""
    text = _OCTETS.hex() * 4
    for width in (17, 33, 75):
        assert (
            parse_octets("\n".join(text[at : at + width] for at in range(0, len(text), width))) == _OCTETS * 4
        )


def test_decimal_numbers_are_said_to_be() -> None:
    """Numbers that can only be decimal are decimal; pairs of digits stay hex."""
    assert "decimal" in read_pasted("[196, 1, 193, 0]").remark
    doubtful = read_pasted("[10, 20, 30, 40]")
    assert doubtful.octets == b"\x10\x20\x30\x40"
    assert "could be decimal" in doubtful.remark


def test_the_way_is_told_by_labels_arrows_and_indents() -> None:
    """Logs say who sent what in words or arrows, Wireshark's stream dumps by their indent."""
    for text in (
        "TX: c001\nRX: c401",
        "-> c001\n<- c401",
        "Sent:\nc001\nReceived:\nc401",
        "2024-01-07 16:15:49 >>> c001\n2024-01-07 16:15:50 <<< c401",
        "00000000  c0 01  ..\n    00000000  c4 01  ..",
        "char peer0_0[] = { /* Packet 4 */\n0xc0, 0x01 };\nchar peer1_0[] = { /* Packet 6 */\n0xc4, 0x01 };",
    ):
        ways = [(piece.octets.hex(), piece.way) for piece in read_pasted(text).pieces]
        assert ways == [("c001", Way.SENT), ("c401", Way.RECEIVED)], text


def test_dumps_in_a_row_are_pieces_of_their_own() -> None:
    """Each dump begins with its first offset; a last offset alone ends one."""
    dump = (
        "00000000  00 01 00 10 00 01 00 09  c4 01 c1 00 06 00 00 13  |................|\n00000010  91  |.|\n"
    )
    text = f"{dump}00000011\n{dump}00000011\n"
    assert [piece.octets for piece in read_pasted(text).pieces] == [_OCTETS, _OCTETS]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(min_size=4, max_size=24), min_size=1, max_size=4),
    st.sampled_from(
        [
            "{1}",
            "{0:02d}:15:49.339 {1}",
            "2024-01-07T16:15:{0:02d}Z RX {1}",
            "[D] uart: {1}",
            "({0}) in: {1}",
        ]
    ),
    st.sampled_from([" ", ":", "-", ", 0x"]),
)
def test_any_octets_in_any_dress(rows: list[bytes], dress: str, separator: str) -> None:
    """Whatever stands before the octets of each line, the octets are these and no others."""
    prefix = "0x" if "x" in separator else ""
    spelled = [prefix + row.hex(" ").replace(" ", separator) for row in rows]
    lines = [dress.format(number, line) for number, line in enumerate(spelled)]
    assert parse_octets("\n".join(lines)) == b"".join(rows)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    """No text raises anything but a sentence."""
    with contextlib.suppress(HexError):
        assert read_pasted(text).octets


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no hex digits"),
        ("c4 01 zz", "'z' in 'zz' is no hex digit"),
        ("c4 01 c", "line 1: 'c' has one hex digit too many or too few"),
        ("c4 01\nc4 012", "line 2: '012' has one hex digit too many or too few"),
        ("# nothing", "no hex digits"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    """Errors are sentences."""
    with pytest.raises(HexError, match=message):
        parse_octets(text)


@pytest.mark.parametrize(
    ("between", "way"),
    [
        ("10:11:12.000 a note", Way.SENT),
        ("10:11:12.000 Rx", Way.RECEIVED),
        ("a note of somebody", None),
        ("// a comment", Way.SENT),
        ("192.0.2.1:4059 -> 192.0.2.2:4059 something", Way.SENT),
    ],
)
def test_how_long_a_heading_tells_the_way(between: str, way: Way | None) -> None:
    """A stamped line goes on in the same log; words by themselves begin something else."""
    (piece,) = read_pasted(f"Tx:\n{between}\nc0 01 c1 00").pieces
    assert piece.way is way


@pytest.mark.parametrize("between", ["", "   ", "-----", "a heading"])
def test_what_parts_messages(between: str) -> None:
    """An empty line, a border or a heading between two lines of octets; lines alone are one message."""
    begins = [piece.begins for piece in read_pasted(f"c0 01\n{between}\nc4 01").pieces]
    assert begins == [True, True]
    assert [piece.begins for piece in read_pasted("c0 01\nc4 01").pieces] == [True, False]
