"""What people with meters paste and mail, reduced from public cases: each with its truth.

The cases are `cases/field.jsonl` of the shared material; here stands, by name, what each message of a case
must say, or each row of a capture. A case without an entry fails.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.pasted.pasted_trees import decode_pasted
from cosemscope.apdu.opening import Verdict
from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.summary import summarise
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.framing import Framing
from tests.helpers.shared import shared

_EK, _AK = "101112131415161718191A1B1C1D1E1F", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
_SNRM, _ANSWER = "HDLC frame 16 to 1, SNRM, P", "GET response, data = 5009"
_PUSH = "PUSH, structure of 3: 1, 2340, 1000"
_BLOCKS = ["block 1", "block 2", ("block 3 (last)", _PUSH)]
_TITLE = "TST 5453540000000007, suite 0, encrypted and authenticated, invocation counter 16"

_Truth = list[str | tuple[str, ...]]
#: By name of the case: words of each message (of its info line, its problems, the remark on the text).
_TRUTHS: dict[str, _Truth] = {
    "paste-iso-stamp": [(_SNRM, "1 time stamp ignored")],
    "paste-ms-stamp-nibble-shift": [(_SNRM, "2 time stamps ignored")],
    "paste-arrow-stamp-two-lines": [_SNRM, _SNRM],
    "paste-level-letter-D": [(_SNRM, "2 levels ignored")],
    "paste-decimal-brackets": [("SNRM", "1 octet belongs to no frame", "Read as decimal numbers.")],
    "dump-from-the-middle": [(_SNRM, "1 offset ignored")],
    "dump-from-the-middle-2": [(_SNRM, "1 offset ignored")],
    "netty-prettyHexDump": [(_ANSWER, "1 offset ignored")],
    "wrap-esphome-uart-debug": [_ANSWER],
    "wrap-python-bytes-printable": [_ANSWER],
    "wrap-bytearray": [_ANSWER],
    "wrap-node-buffer": [_ANSWER],
    "wrap-xml-value": [_ANSWER],
    "wrap-middle-dots": [_ANSWER],
    "wrap-heading-line": [(_ANSWER, "1 heading, 1 label ignored")],
    "wrap-zero-width-space": [_ANSWER],
    "wrap-json-tasmota": [_ANSWER],
    "two-hex-dumps": [_ANSWER, _ANSWER],
    "wireshark-whole-packet": [_ANSWER],
    "tcpdump-X": [_ANSWER],
    "gbt-in-hdlc-with-llc": _BLOCKS,
    "gbt-in-wpdus": _BLOCKS,
    "gbt-bare-apdus-one-a-line": _BLOCKS,
    "gbt-e450-in-tcp": _BLOCKS,
    "fcs-wrong-general-glo-keyed": [("BROKEN", _PUSH, "expected 0x974D, found 0xA64D")],
    "fcs-wrong-general-glo-unkeyed": [(_TITLE, "expected 0x974D, found 0xA64D")],
    "hdlc-octet-lost-next-frame-begins": [
        ("says 25 octets, 24 stand between the flags", "end inside the HDLC frame that begins at offset 26")
    ],
    "hdlc-flag-then-garbage": [("behind the flag at offset 0, found 13: noise, or another parity or speed",)],
    "junk-before-flag": [("PUSH, structure of 1: 1", "2 octets belong to no frame")],
    "mbus-short-frame-before-flag": [("PUSH, structure of 1: 1", "a short frame of M-Bus; 5 octets")],
    "start-flag-lost": [("PUSH, structure of 1: 1", "without its first flag")],
    "hdlc-frame-cut": [("PUSH, structure of 1, incomplete", "6 octets or more are missing")],
    "general-glo-cut": [("suite 1, encrypted, invocation counter 17539", "334 octets are missing")],
    "first-hdlc-segment-alone": [("PUSH, structure of 3, incomplete: 1, 2340", "its rest is missing")],
    "plain-text-in-general-glo-unkeyed": [(_PUSH, "whatever the key")],
    "plain-text-in-general-glo-keyed": [(_PUSH, "whatever the key")],
    "plain-text-in-general-glo-in-hdlc": [(_PUSH, "no check sequence can fit")],
    "push-flat-triplets": [
        (
            "1.0.1.8.0.255 Active energy import (+A) = 4752.074 kWh",
            "1.0.32.7.0.255 Voltage L1, instantaneous = 233.4 V",
        )
    ],
    "push-flat-pairs": [
        ("1.1.1.7.0.255 Active power import (+P), instantaneous, channel 1 = 2342", "channel 1 = 230")
    ],
    "data-scaler-unit": ["no APDU: Data, scaler 10^-2, unit V"],
    "data-clock": ["no APDU: Data, 2021-01-24 14:48:57.80, deviation -60 min"],
    "data-activity": ["no APDU: Data, structure of 7: 0, 0, 0, 4 more"],
    "data-double-long-unsigned": [("no APDU: Data, 5009", "as writeRequest these octets break")],
    "mbus-long-frame": [(_PUSH, "opened")],
    "p1-in-general-glo-tag-right": [('IEC 62056-21 text "/EST5', "authentication tag is right")],
    "p1-in-general-glo-untagged": [('IEC 62056-21 text "/EST5', "no authentication tag to check")],
    "ek-and-ak-exchanged": [(_PUSH, "in each other's place")],
    "unit-255": [("= 0.094", "scaler 10^-3, no unit (255)")],
    "three-frames-with-wrong-fcs": [("BROKEN", "expected 0x974D, found 0xA64D")] * 3,
    "bare-general-glo-push-tcp": [f"{_PUSH} [general-glo-ciphering]"] * 3,
    "hex-text-on-the-wire": [],
    "titles-of-pasted-aarq-aare": [
        "AARQ LN referencing, with ciphering",
        "AARE accepted",
        "GET 0.0.1.0.0.255 Clock",
        "GET response 0.0.1.0.0.255 Clock, value = 2021-01-24 14:48:57.80",
    ],
    "summary-of-several-messages": [
        "GET 1.0.1.8.0.255 Active energy import (+A)",
        "GET response 1.0.1.8.0.255 Active energy import (+A), block 1",
        "GET next block 1",
        ("block 2 (last)", "array of 2: 1000, 2000"),
    ],
    "gbt-in-wpdus-list": _BLOCKS,
    "get-blocks-list": [
        "GET 1.0.1.8.0.255",
        "GET response 1.0.1.8.0.255 Active energy import (+A), block 1",
        "GET next block 1",
        ("block 2 (last)", "array of 2: 1000, 2000"),
    ],
}


def _cases() -> dict[str, dict[str, Any]]:
    lines = shared("cases/field.jsonl").read_text(encoding="utf-8").splitlines()
    return {case["name"]: case for case in map(json.loads, lines)}


def _keys(case: dict[str, Any]) -> KeyTable:
    """The keys of a case's command, exchanged where the command says so."""
    if "KEYS" not in case["command"]:
        return NO_KEYS
    pair = (_AK, _EK) if "exchanged" in case["command"] else (_EK, _AK)
    encryption, authentication = map(bytes.fromhex, pair)
    return KeyTable((KeyEntry(KeySet("test", encryption=encryption, authentication=authentication)),))


def _said(case: dict[str, Any], folder: Path) -> list[str]:
    """All that is said of each message, or of each row."""
    if "input_is" not in case:
        pasted = read_pasted(case["input"])
        return [
            " ".join(
                (
                    summarise(tree.decoded, tree.look.context),
                    *(problem.message for problem in tree.decoded.problems),
                    tree.look.opening.text if tree.look.opening else "",
                    pasted.remark,
                )
            )
            for tree in decode_pasted(pasted, _keys(case))
        ]
    path = folder / "case.pcap"
    path.write_bytes(base64.b64decode(case["input"]))
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        insights = Insights(analysis, _keys(case))
        rows = np.arange(len(analysis.wpdus["stream"]))
        return insights.infos(rows, insights.looks(rows))


@pytest.mark.parametrize("name", sorted(_TRUTHS))
def test_what_people_paste_and_mail_is_read_as_it_is(name: str, tmp_path: Path) -> None:
    """Stamps, dumps, wrappings, damage, blocks, keys of public cases: all that is there is shown and said."""
    said = _said(_cases()[name], tmp_path)
    truth = _TRUTHS[name]
    assert len(said) == len(truth), said
    for words, wanted in zip(said, truth, strict=True):
        for part in (wanted,) if isinstance(wanted, str) else wanted:
            assert part in words


def test_every_case_has_its_truth() -> None:
    """A case that is added does not go untested."""
    assert sorted(_cases()) == sorted(_TRUTHS)


def test_damaged_frames_say_whether_their_apdus_open(tmp_path: Path) -> None:
    """The verdict of the row is that of its tree, not "clear"."""
    case = _cases()["three-frames-with-wrong-fcs"]
    path = tmp_path / "case.pcap"
    path.write_bytes(base64.b64decode(case["input"]))
    for keys, verdict in ((_keys({"command": "KEYS"}), Verdict.OPENED), (NO_KEYS, Verdict.NO_KEY)):
        with open_capture(path) as reader:
            looks = Insights(Analysis(reader).run(), keys).looks(np.arange(3))
        assert [look.verdict for look in looks] == [verdict] * 3


def test_hex_text_on_the_wire_is_named(tmp_path: Path) -> None:
    """No row, but the stream says what it is."""
    path = tmp_path / "case.pcap"
    path.write_bytes(base64.b64decode(_cases()["hex-text-on-the-wire"]["input"]))
    with open_capture(path) as reader:
        assert Analysis(reader).run().streams["framing"].tolist() == [Framing.HEX_TEXT]
