"""Insights: what `list` says of each row, checked on real captures and on made ones."""

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_records import json_lines
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.context import Context
from cosemscope.apdu.data.data_reader import skip_data
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.apdu.opening import Verdict
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.summary import summarise
from cosemscope.capture.files.reader import open_capture
from cosemscope.cli.commands.list_command import JSON_KEYS
from tests.apdu.strategies import VALUES
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_checks import check_tree
from tests.helpers.listed import Listed, all_listed, listed
from tests.helpers.shared import shared
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION
from tests.helpers.traffic_samples import SAMPLES
from tests.helpers.wire import Tcp, Wire, wpdu

KEYS = KeyTable([KeyEntry(KeySet("test", encryption=ENCRYPTION, authentication=AUTHENTICATION))])
ENERGY = (3, bytes((1, 0, 1, 8, 0, 255)), 2)
CLOCK = (8, bytes((0, 0, 1, 0, 0, 255)), 2)
#: Octets that begin as an APDU does, or any.
HOSTILE = st.builds(
    lambda tag, octets: bytes([tag]) + octets,
    st.one_of(st.sampled_from(sorted(APDU_TAGS)), st.integers(0, 255)),
    st.binary(max_size=60),
)


def insights(path: Path, keys: KeyTable = NO_KEYS) -> tuple[Analysis, list[Listed]]:
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        return analysis, all_listed(analysis, keys)


def exchange(tmp_path: Path, *apdus: tuple[int, bytes]) -> list[Listed]:
    """What is said of these APDUs, each sent by side 0 or 1."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    for side, apdu in apdus:
        connection.say(side, wpdu(apdu, *((16, 1) if side == 0 else (1, 16))))
    return insights(wire.capture(tmp_path / "made.pcap"))[1]


# Captures.


def test_a_real_ciphered_capture() -> None:
    """Every glo- APDU is opened, what went out under tag 00 is named, responses know their requests."""
    analysis, found = insights(shared("captures/Output-Ciphered-HLS.pcap"), KEYS)
    tags = analysis.wpdus["apdu_tag"].tolist()
    assert Counter(one.security for one in found) == {"opened": 265, "clear": 1}
    assert [one.inner for one, tag in zip(found, tags, strict=True) if tag == 0] == [
        "access-request",
        "access-response",
    ]
    responses = [one for one in found if one.inner == "get-response"]
    assert len(responses) == 129
    assert all(one.obis and one.class_id and one.attribute and one.invoke_id is not None for one in responses)
    assert Counter(one.result for one in responses)["success"] > 50
    assert found[1].result == "accepted"


@pytest.mark.parametrize(
    ("keys", "security"),
    [
        ({"encryption": bytes(16)}, "tag-wrong"),
        ({"authentication": bytes(16)}, "tag-wrong"),
        ({"authentication": None}, "opened-unauthenticated"),
        ({"encryption": None}, "no-key"),
    ],
)
def test_other_keys(keys: dict[str, Any], security: str) -> None:
    """A wrong key is a wrong tag, none is no key, without the authentication key the tag is not checked."""
    table = KeyTable([KeyEntry(dataclasses.replace(KEYS.entries[0].keys, **keys))])
    _, found = insights(shared("captures/Output-Ciphered-HLS.pcap"), table)
    assert Counter(one.security for one in found) == {security: 265, "clear": 1}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("captures/DLMS_list.pcap", NO_KEYS),
        ("captures/XmlDemo.pcap", NO_KEYS),
        ("captures/original_data.pcapng", NO_KEYS),
        ("captures/data7.pcapng", NO_KEYS),
        ("captures/udp-hdlc.pcap", NO_KEYS),
        ("captures/Output-Ciphered-HLS.pcap", KEYS),
    ],
)
def test_the_list_says_what_the_tree_says(name: str, keys: KeyTable) -> None:
    """Info lines made in bulk from brief trees are those that one row by itself gives."""
    with open_capture(shared(name)) as reader:
        analysis = Analysis(reader).run()
        bulk = [one.info for one in all_listed(analysis, keys)]
        associations = Associations(analysis, keys)
        single = [associations.info(row) for row in range(len(analysis.wpdus))]
    assert bulk == single


def test_rows_may_be_asked_for_in_parts() -> None:
    """As they come, a few at a time: the same insights."""
    path = SAMPLES / "first-look.pcapng"
    keys = KeyTable.load(SAMPLES / "first-look-keys.toml")
    _, whole = insights(path, keys)
    with open_capture(path) as reader:
        analysis = Analysis(reader)
        found = Insights(analysis, keys)
        parts: list[Listed] = []
        while analysis.step(7):
            parts += listed(analysis, found, len(parts), len(analysis.wpdus))
        analysis.finish()
        parts += listed(analysis, found, len(parts), len(analysis.wpdus))
    assert parts == whole
    assert Counter(one.security for one in whole)["opened"] >= 12


# Made traffic.


def test_a_response_has_what_its_request_asked_for(tmp_path: Path) -> None:
    """Object, attribute, invoke-id and result; what does not apply is None."""
    asked, answered, failed, retried = exchange(
        tmp_path,
        (0, encode.get_request(CLOCK, invoke=0xC5)),
        (1, encode.get_response(4, invoke=0xC5)),
        (1, encode.get_response(4, invoke=0xC6)),
        (0, encode.action_request((15, bytes((0, 0, 40, 0, 0, 255)), 1))),
    )
    assert asked[1:] == (5, 8, "0.0.1.0.0.255", 2, None, "clear", None)
    assert answered[1:] == (5, 8, "0.0.1.0.0.255", 2, "object-undefined", "clear", None)
    assert answered.info.startswith("OBJECT-UNDEFINED")
    assert failed[1:] == (6, None, None, None, "object-undefined", "clear", None)
    assert retried[1:5] == (1, 15, "0.0.40.0.0.255", 1)


def test_values_have_the_units_learned_before(tmp_path: Path) -> None:
    """A scaler_unit read earlier applies to the values after it, not to those before."""
    scaler = (3, ENERGY[1], 3)
    unit = ("structure", [("integer", 1), ("enum", 30)])
    value = encode.get_response(("double-long-unsigned", 123456))
    *_, before, _, _, _, after = exchange(
        tmp_path,
        (0, encode.get_request(ENERGY)),
        (1, value),
        (0, encode.get_request(scaler)),
        (1, encode.get_response(unit)),
        (0, encode.get_request(ENERGY)),
        (1, value),
    )
    assert before.info.endswith("value = 123456")
    assert after.info.endswith("Active energy import (+A), value = 1234.56 kWh")


def test_results_of_every_service(tmp_path: Path) -> None:
    """The standard's words, from the first octets or further in."""
    found = exchange(
        tmp_path,
        (0, encode.set_request(CLOCK, ("octet-string", bytes(12)))),
        (1, bytes.fromhex("c501c10d")),
        (1, bytes.fromhex("c501c14d")),
        (0, encode.action_request(CLOCK)),
        (1, encode.action_response(250)),
        (1, bytes.fromhex("d80203")),
        (1, bytes.fromhex("0e010601")),
        (0, encode.access_request([(1, CLOCK, b""), (1, ENERGY, b"")], [("null-data", None)] * 2)),
        (1, encode.access_response([("unsigned", 1), ("null-data", None)], [(1, 0), (1, 11)])),
    )
    assert [one.result for one in found] == [
        None,
        "scope-of-access-violated",
        "code 77",
        None,
        "other-reason",
        "other-reason",
        "dlms-version-too-low",
        None,
        "object-unavailable",
    ]


def test_broken_and_empty_ones(tmp_path: Path) -> None:
    """What cannot be read is said, and nothing is made up."""
    cut, empty, unknown = exchange(tmp_path, (0, b"\xc0\x01"), (1, b""), (0, b"\x54\x55"))
    assert cut.info.startswith("BROKEN")
    assert empty == Listed("WPDU without data", None, None, None, None, None, "clear", None)
    assert "unknown (0x54)" in unknown.info


def test_a_get_that_promises_a_selection_and_has_none_is_broken(tmp_path: Path) -> None:
    """Also where the same attribute was asked for before, in as many octets."""
    whole = encode.get_request(CLOCK)
    first, second, third = exchange(tmp_path, (0, whole), (0, whole[:-1] + b"\x01"), (0, whole))
    assert first.info == third.info == "GET 0.0.1.0.0.255 Clock"
    assert second.info.startswith("BROKEN GET 0.0.1.0.0.255 Clock")


def test_nothing_of_a_key_is_shown() -> None:
    """Neither in what insights say nor in what represents them."""
    table = KeyTable.load(SAMPLES / "first-look-keys.toml")
    analysis, found = insights(SAMPLES / "first-look.pcapng", table)
    text = repr((found, table, Insights(analysis, table))).lower()
    for entry in table.entries:
        for name in entry.keys.holds():
            octets = getattr(entry.keys, name)
            assert not isinstance(octets, bytes) or octets.hex() not in text


# Brief trees.


@given(VALUES, st.binary(max_size=3))
def test_values_are_passed_over_as_they_are_read(value: encode.Typed, behind: bytes) -> None:
    """To the octet where reading them ends; never beyond the end; compact arrays are left to the reader."""
    octets = encode.data(value)
    assert skip_data(octets + behind, 0, len(octets + behind), 1) == len(octets)
    assert skip_data(octets, 0, len(octets) - 1, 1) == -1


@given(st.lists(VALUES, min_size=1, max_size=9), st.sampled_from(["array", "structure"]))
def test_brief_trees_tile_and_say_the_same(values: list[encode.Typed], kind: str) -> None:
    """A brief tree has every octet in one leaf, and its info line is the whole tree's."""
    for apdu in (encode.get_response((kind, values)), encode.data_notification((kind, values))):
        brief = Context(brief=True)
        decoded = decode_apdu(apdu, brief)
        check_tree(decoded, apdu)
        assert summarise(decoded, brief) == summarise(decode_apdu(apdu))


@given(st.binary(max_size=60))
def test_brief_trees_of_anything(octets: bytes) -> None:
    """Never an exception; what is broken in the elements passed over is said all the same."""
    apdu = encode.get_response(("array", [("unsigned", 1)] * 4))[:-8] + b"\x01\x08" + octets
    brief = decode_apdu(apdu, Context(brief=True))
    check_tree(brief, apdu)
    assert [problem.message for problem in brief.problems] == [
        problem.message for problem in decode_apdu(apdu).problems
    ]


def _readings(wire: Wire, *clients: tuple[str, int]) -> None:
    """One connection each: the first reads the scaler, all read the value."""
    unit = ("structure", [("integer", -1), ("enum", 30)])
    for number, client in enumerate(clients):
        connection = Tcp(wire, client, isn=(1000 + number, 9000 + number)).handshake()
        asked = [(3, ENERGY[1], 3)] if not number else []
        for reference in [*asked, ENERGY]:
            answer = unit if reference[2] == 3 else ("double-long-unsigned", 5009)
            connection.say(0, wpdu(encode.get_request(reference), 16, 1))
            connection.say(1, wpdu(encode.get_response(answer), 1, 16))


def test_scalers_hold_for_later_connections(tmp_path: Path) -> None:
    """To the same meter, whoever the client is; and for one row by itself as for all in order."""
    wire = Wire()
    _readings(wire, ("10.0.0.1", 50000), ("10.0.0.1", 50001), ("10.0.0.3", 50002))
    path = wire.capture(tmp_path / "made.pcap")
    analysis, found = insights(path)
    values = [one.info.rpartition("value = ")[2] for one in found if one.info.startswith("GET response")]
    assert values == ["scaler 10^-1, unit Wh", "500.9 Wh", "500.9 Wh", "500.9 Wh"]
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        associations = Associations(analysis)
        complete(associations)
        lines = [associations.info(row) for row in range(len(analysis.wpdus))]
    assert lines == [one.info for one in found]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1), HOSTILE), min_size=1, max_size=12))
def test_whatever_stands_in_wpdus(tmp_path: Path, apdus: list[tuple[int, bytes]]) -> None:
    """Never an exception, a row and an info line for each, and JSON that can be read."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, wpdu(encode.get_request(CLOCK)))
    for side, apdu in apdus:
        connection.say(side, wpdu(apdu))
    with open_capture(wire.capture(tmp_path / "made.pcap")) as reader:
        analysis = Analysis(reader).run()
        keys = {key: FIELDS[name] for key, name in JSON_KEYS.items()}
        asked = AskedRows(analysis, slice(None), Insights(analysis, KEYS))
        rows = [json.loads(line) for line in json_lines(keys, asked).splitlines()]
    assert len(rows) == 1 + len(apdus)
    assert all(row["info"] for row in rows)
    assert {row["security"] for row in rows} <= {verdict.value for verdict in Verdict}
