"""Forms in which logs, terminals, tables and mails hold octets: read as what they are, or refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.pasted.pieces import HexError, Way

#: What programs write around octets: `{spaced}` and `{joined}` stand for these.
_FORMS = (
    "Sent 17 bytes: {spaced}",
    "Sent 17 bytes: {joined}",
    "Received (size=17, timeout=5000): {spaced}",
    "(size=17, timeout=5000): {spaced}",
    "read(size=17, timeout=5000): {joined}",
    "192.0.2.1:50000 -> 192.0.2.2:4059 HEX {joined}",
    "192.0.2.1:50000 -> 192.0.2.2:4059 {spaced}",
    "192.0.2.1:50000 -> 192.0.2.2:4059 (17 bytes): {spaced}",
    "192.0.2.1 -> 192.0.2.2: {spaced}",
    "192.0.2.1.50000 > 192.0.2.2.4059: {joined}",
    "meter-1:4059 -> head-end:5000 {joined}",
    "[2001:db8::1]:4059 -> [2001:db8::2]:5000 {joined}",
    "Jan  7 16:15:49 meterhost dlmsd[1234]: RX {spaced}",
    "Jan  7 16:15:49 gateway python3[812]: {joined}",
    "<165>1 2024-01-07T16:15:49.003Z host app 1234 ID47 - RX {spaced}",
    "<13>Jan  7 16:15:49 host app: {spaced}",
    "01-07 16:15:49.123  1234  5678 D MeterLink: {spaced}",
    "01-07 16:15:49.123 D/MeterLink( 1234): {spaced}",
    "1704644149123 {spaced}",
    "1704644149123: {joined}",
    "[1704644149123] {spaced}",
    "1704644149123456 {spaced}",
    "2024-01-07T16:15:49+0100 host prog[12]: {spaced}",
    "2024-01-07 16:15:49,123 DEBUG [main] c.e.Foo - TX {spaced}",
    "2024-01-07 16:15:49.123 [main] DEBUG com.example.Foo - Received: {spaced}",
    "2024-01-07 16:15:49.123  INFO 4711 --- [nio-8080-exec-1] c.e.dlms.Client : {spaced}",
    "DEBUG:root:RX {spaced}",
    "2024-01-07 16:15:49,123 - root - DEBUG - {spaced}",
    "16:15:49.123 -> {spaced}",
    "[16:15:49] RX <- {spaced}",
    "TX:\t16:15:49\t{spaced}",
    "[  12.345678] usb: {spaced}",
    "+0.123 {spaced}",
    "   0.123456 {spaced}",
    "07/01/2024 16:15:49.123 [TX] - {spaced}",
    "000123 16:15:49.123 IRP_MJ_WRITE COM3 Length: 17, Data: {spaced}",
    "> 2024/01/07 16:15:49.123456  length=17 from=0 to=16\n {spaced}",
    "2024-01-07 16:15:49.123456: /dev/ttyUSB0\n{spaced}",
    "\x1b[0;36m[D][uart_debug:158]: <<< {spaced}\x1b[0m",
    "```\n{spaced}\n```",
    "`{joined}`",
    "> {spaced}",
    "| 16:15:49 | TX | {spaced} |",
    "time,direction,data\n2024-01-07 16:15:49,TX,{joined}",
    "time;direction;data\n2024-01-07 16:15:49;TX;{spaced}",
    '"No.","Time","Source","Data"\n"1","0.000000","192.0.2.1","{joined}"',
    "Time\tDir\tData\n16:15:49\tRX\t{spaced}",
    "| time | way | octets |\n| --- | --- | --- |\n| 16:15:49 | RX | {spaced} |",
    "17 bytes: {spaced}",
    "Length 17: {spaced}",
    "Data ({joined})",
    "Frame 1: {spaced}",
    "1. {spaced}",
    "#1 {spaced}",
    "Jan 7, 2024 4:15:49 PM {spaced}",
    "2024-01-07T16:15:49.123Z INFO dlms::client > {spaced}",
    "Sun Jan  7 16:15:49 2024 {spaced}",
    "2024-01-07 16:15:49 UTC {spaced}",
    "2024-01-07 16:15:49 +01:00 [DBG] {spaced}",
    "{spaced} (from the meter)",
    "{spaced} <- answer",
    "==> {spaced}",
    "RECV[17]: {spaced}",
    "rx[17] = {spaced}",
    "Writing {joined}",
    "data length 17, payload {joined}",
    "src=192.0.2.1 dst=192.0.2.2 payload={joined}",
    "<span>{spaced}</span>",
    'msg="sending" frame="{joined}" size=17',
    'level=debug ts=2024-01-07T16:15:49Z msg="rx {joined}"',
    '{{"ts": 1704644149123, "dir": "rx", "data": "{joined}"}}',
    '{{"ts": "2024-01-07T16:15:49Z", "payload": "{spaced}"}}\n',
)


@pytest.mark.parametrize("form", _FORMS)
@settings(max_examples=12, deadline=None)
@given(octets=st.binary(min_size=7, max_size=40))
def test_any_octets_in_the_forms_of_logs(form: str, octets: bytes) -> None:
    """Stamps, hosts, processes, counts, levels, colours, tables: only the octets are taken."""
    assert read_pasted(form.format(spaced=octets.hex(" "), joined=octets.hex())).octets == octets


@pytest.mark.parametrize(
    "text",
    [
        '{"data": [0, 1, 0, 16, 196, 255]}',
        "RX [6]: 0, 1, 0, 16, 196, 255",
        "[TRACE] 16:15:49 0, 1, 0, 16, 196, -1",
        "RX: 10, 16, 20\nRX: 0, 1, 255",
    ],
)
def test_lists_of_decimals_behind_labels_are_decimal(text: str) -> None:
    """Numbers are decimal where one list of the text can be nothing else, and that is said."""
    pasted = read_pasted(text)
    assert pasted.octets in (bytes((0, 1, 0, 16, 196, 255)), bytes((10, 16, 20, 0, 1, 255)))
    assert "decimal" in pasted.remark


@pytest.mark.parametrize(
    "text",
    [
        "c4 O1 c1 00 06 00 00 13 91",
        "c4 01 c1 0 06 00 00 13 91",
        "c4 01 zz 00 06 00 00 13 91",
        "TX 00 01 00 10 RX 00 01 00 09",
        "00 01 00 10 00 01 00 0g",
        "0001001000010009c401c1O00600001391",
        "zz 00 01 00 10",
    ],
)
def test_octets_with_something_wrong_in_them_are_refused(text: str) -> None:
    """A letter or a digit too many never makes a label of octets: the line is refused with a sentence."""
    with pytest.raises(HexError, match="line 1"):
        read_pasted(text)


def test_addresses_tell_the_way() -> None:
    """Of two ends with an arrow between them, the first pair that is met sends; the other way answers."""
    text = "192.0.2.9:5000 -> 192.0.2.2:4059 c001\n192.0.2.2:4059 -> 192.0.2.9:5000 c401"
    pasted = read_pasted(text)
    assert [piece.way for piece in pasted.pieces] == [Way.SENT, Way.RECEIVED]
    assert pasted.remark == "4 addresses, 2 labels ignored."


def test_rows_of_tables_and_objects_are_messages_with_way_and_time() -> None:
    """A row of a table, and an object of JSON, is a message: its other cells tell the way and the time."""
    texts = (
        "time,dir,data\n2024-01-07T16:15:49Z,TX,c001c1\n2024-01-07T16:15:50Z,RX,c401c1",
        '{"t": 1704644149, "dir": "tx", "data": "c001c1"}\n{"t": 1704644150, "dir": "rx", "data": "c401c1"}',
    )
    for text in texts:
        pieces = read_pasted(text).pieces
        assert [piece.way for piece in pieces] == [Way.SENT, Way.RECEIVED]
        assert [piece.stamp and piece.stamp.time for piece in pieces] == [
            1_704_644_149_000_000_000,
            1_704_644_150_000_000_000,
        ]


_OCTETS = bytes.fromhex("0001001000010009c401c1000600001391")


def _listed(form: str, separator: str = ", ") -> str:
    return separator.join(form.format(octet) for octet in _OCTETS)


@pytest.mark.parametrize(
    "text",
    [
        f"data := []byte{{{_listed('0x{:02x}')}}}",
        "byte[] data = {" + ", ".join(f"{'(byte)' * (one > 127)}0x{one:02X}" for one in _OCTETS) + "};",
        f"let data: [u8; 17] = [{_listed('0x{:02x}')}];",
        f"byteArrayOf({_listed('0x{:02x}')})",
        f"new Uint8Array([{_listed('{}')}])",
        "java.util.Arrays: [" + ", ".join(str(one - 256 * (one > 127)) for one in _OCTETS) + "]",
        f"static const uint8_t frame[17] PROGMEM = {{\n{_listed('0x{:02x}')} }};",
        "# Packet 1\npeer0_0: !!binary |\n  AAEAEAABAAnEAcEABgAAE5E=",
        _listed("%{:02x}", ""),
        _listed("${:02X}", " "),
        _listed("&{:02x}", " "),
        f"<HDLC>\n<FrameType Value='10' />\n<PDU>\n<!--GetResponse-->\n{_OCTETS.hex()}\n</PDU></HDLC>",
    ],
)
def test_literals_of_languages_and_translators(text: str) -> None:
    """What people copy out of sources and tools: casts, declarations, signed octets, XML around a PDU."""
    assert read_pasted(text).octets == _OCTETS


def test_fields_in_xml_are_no_octets() -> None:
    """A tree of fields has values that are hex, and they are not the octets of a message."""
    with pytest.raises(HexError, match="XML of the fields"):
        read_pasted(
            '<GetRequest>\n<InvokeIdAndPriority Value="C1" />\n<ClassId Value="0008" />\n</GetRequest>'
        )


def test_both_readings_of_numbers_are_said() -> None:
    """Pairs of digits may be hex or decimal: which was taken, and what the other would be."""
    assert read_pasted("[10, 20, 30, 40]").remark.endswith("the octets then 0a141e28.")


@pytest.mark.parametrize(
    "heading",
    [
        "10:11:12.000000 IP 192.0.2.1.50000 > 192.0.2.2.4059: Flags [P.], seq 1:22, ack 1, win 8192",
        "Frame 12: 75 bytes on wire (600 bits), 75 bytes captured (600 bits)",
        "Connected to 192.0.2.2:4059 after 12 ms",
        "[D][sensor:094]: 'power': Sending state 1234.00000 W with 2 decimals of accuracy",
        "Invoke 10 of 20",
        "RSSI: 60",
        "battery = 98",
        "--- 2 packets, 40 octets ---",
    ],
)
def test_numbers_in_headings_are_no_octets(heading: str) -> None:
    """Ports, windows, counts, measured values: what stands among words is none of the message below."""
    assert read_pasted(f"{heading}\n{_OCTETS.hex(' ')}").octets == _OCTETS


@pytest.mark.parametrize(
    "text",
    [
        '[{"_source": {"layers": {"frame": {"frame.len": "0075"}, "eth": {"eth.src": "02:00:00:00:00:01"},'
        ' "tcp": {"tcp.payload": "{colons}"}, "data": {"data.data": "{colons}", "data.len": "17"}}}}]',
        '{"name": "WPDU", "value": null, "children": [{"name": "instance-id", "value": "0100010800ff"}],'
        ' "sources": [{"name": "WPDU", "octets": "{joined}"}]}',
    ],
)
def test_octets_stand_once_in_json_that_has_them_twice(text: str) -> None:
    """Wireshark's JSON names them by layer, ours beside the values of their fields: they are one message."""
    text = text.replace("{colons}", _OCTETS.hex(":")).replace("{joined}", _OCTETS.hex())
    assert [piece.octets for piece in read_pasted(text).pieces] == [_OCTETS]
