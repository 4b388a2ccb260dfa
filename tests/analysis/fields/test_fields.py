"""Every field on real and made captures: right values, the same for any choice of rows, one entry a row."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosemscope.analysis.annotations import comments_of
from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.capture.files.reader import open_capture
from tests.helpers import apdu_encoder as encode
from tests.helpers.annotated import NAME, write_annotated
from tests.helpers.files import Pcapng
from tests.helpers.traffic_samples import SAMPLES
from tests.helpers.wire import CLIENT, SERVER, Tcp, Wire, analyse, get_request, get_response, wpdu

SAMPLE_KEYS = {"first-look": "first-look-keys.toml", "push": "push-keys.toml", "faults": ""}


@pytest.fixture(params=SAMPLE_KEYS)
def sample(request: pytest.FixtureRequest) -> Iterator[tuple[Analysis, KeyTable]]:
    keys = SAMPLE_KEYS[request.param]
    with open_capture(SAMPLES / f"{request.param}.pcapng") as reader:
        yield Analysis(reader).run(), KeyTable.load(SAMPLES / keys) if keys else NO_KEYS


def test_every_field_has_an_entry_for_each_row(sample: tuple[Analysis, KeyTable]) -> None:
    """Texts, JSON and order, and the same ones whatever rows are asked about together."""
    analysis, keys = sample
    count = len(analysis.wpdus)
    whole = AskedRows(analysis, slice(0, count), Insights(analysis, keys))
    chosen = np.arange(count)[1::3]
    some = AskedRows(analysis, chosen, Insights(analysis, keys))
    for field in FIELDS.values():
        texts, jsons = field.texts(whole), field.jsons(whole)
        assert len(texts) == len(jsons) == len(field.order(whole)) == count, field.name
        assert all(isinstance(text, str) for text in texts), field.name
        assert field.several == isinstance(jsons[0], list), field.name
        assert field.texts(some) == [texts[row] for row in chosen.tolist()], field.name
        assert field.jsons(some) == [jsons[row] for row in chosen.tolist()], field.name


def test_no_rows() -> None:
    """Nothing is asked for, nothing comes, and nothing goes wrong."""
    with open_capture(SAMPLES / "push.pcapng") as reader:
        analysis = Analysis(reader)
        asked = AskedRows(analysis, slice(0, 0), Insights(analysis))
        for field in FIELDS.values():
            assert (field.texts(asked), len(field.order(asked))) == ([], 0), field.name


def test_fields_that_cost_no_tree_need_nobody_who_looks(sample: tuple[Analysis, KeyTable]) -> None:
    """They can be sorted by, all rows at once; the others say that they need somebody."""
    asked = AskedRows(sample[0], slice(None))
    for field in FIELDS.values():
        if field.cost is not Cost.TREE:
            assert len(field.order(asked)) == len(field.texts(asked))
    with pytest.raises(ValueError, match="nobody looks"):
        FIELDS["info"].texts(asked)


@pytest.mark.parametrize("name", ["first-look", "push", "faults"])
def test_rows_are_sorted_by_what_their_cells_say(name: str) -> None:
    """Whoever looks at rows and whoever sorts all of them are told the same, once the walk has been there.

    So no value is sorted by that a blank cell hides: those come last.
    """
    keys = SAMPLES / f"{name}-keys.toml"
    with open_capture(SAMPLES / f"{name}.pcapng") as reader:
        analysis = Analysis(reader).run()
        associations = Associations(analysis, KeyTable.load(str(keys)) if keys.exists() else NO_KEYS)
        complete(associations)
        rows = np.arange(len(analysis.wpdus))
        looked, sorted_by = AskedRows(analysis, rows, PassedRows(associations)), AskedRows(analysis, rows)
        for field in FIELDS.values():
            if field.cost is Cost.TREE:
                continue
            texts, order = field.texts(looked), field.order(sorted_by)
            assert field.texts(sorted_by) == texts, field.name
            blank = np.array([not text for text in texts])
            assert not blank.any() or blank.all() or max(order[~blank]) < min(order[blank]), field.name
            down = field.order(sorted_by, descending=True)
            assert not blank.any() or blank.all() or min(down[~blank]) > max(down[blank]), field.name
            assert np.array_equal(
                np.argsort(down[~blank], kind="stable"), np.argsort(order[~blank], kind="stable")
            )


_OBJECT = ("class", "class.name", "obis", "obis.name", "attribute", "attribute.name", "method")


def test_objects_of_answers_are_known_also_where_nobody_looks(tmp_path: Path) -> None:
    """They are those of the exchanges: rows are sorted by what is shown."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1))
    connection.say(1, get_response(1), [9])
    connection.say(0, get_request(2))
    analysis = analyse(wire, tmp_path)
    alone, looked = AskedRows(analysis, slice(None)), AskedRows(analysis, slice(None), Insights(analysis))
    for name in _OBJECT:
        assert FIELDS[name].texts(alone) == FIELDS[name].texts(looked), name
    assert "" not in FIELDS["obis"].texts(alone)


def _said(analysis: Analysis, *names: str, keys: KeyTable = NO_KEYS) -> list[list[Any]]:
    """What these fields say in JSON of all rows of an analysis."""
    asked = AskedRows(analysis, slice(None), Insights(analysis, keys))
    return [FIELDS[name].jsons(asked) for name in names]


def test_packets_are_those_of_the_table() -> None:
    """Row by row what the WPDU table says one row at a time."""
    with open_capture(SAMPLES / "faults.pcapng") as reader:
        analysis = Analysis(reader).run()
        (packets,) = _said(analysis, "wpdu.packets")
        assert packets == [(analysis.packets_of(row) + 1).tolist() for row in range(len(analysis.wpdus))]
        assert max(map(len, packets)) > 1


def test_a_packet_that_brought_both_ends_of_a_wpdu_counts_once(tmp_path: Path) -> None:
    """It overlaps one that came before it, which stands."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    octets = get_request(1)
    connection.packet(0, 8, octets[8:12])
    connection.packet(0, 0, octets)
    (packets,), (count,), (segments,) = _said(
        analyse(wire, tmp_path), "wpdu.packets", "wpdu.packet_count", "wpdu.segments"
    )
    assert (packets, count, segments) == ([5, 4], 2, 3)


def test_what_wireshark_names(tmp_path: Path) -> None:
    """Numbers, times, addresses and ports of the packets of two streams; of other protocols nothing."""
    wire = Wire()
    wire.udp(("10.0.0.5", 4059), ("10.0.0.6", 4060), get_request(3))
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1))
    connection.say(1, get_response(1), [9])
    told = {
        "frame.number": [1, 5, 6],
        "frame.time_relative": ["0.000000000", "0.004000000", "0.005000000"],
        "frame.time_delta": ["0.000000000", "0.001000000", "0.001000000"],
        "frame.len": [49, 61, 49],
        "ip.addr": [["10.0.0.5", "10.0.0.6"], [CLIENT[0], SERVER[0]], [SERVER[0], CLIENT[0]]],
        "tcp.srcport": [None, CLIENT[1], SERVER[1]],
        "tcp.port": [[], [CLIENT[1], SERVER[1]], [SERVER[1], CLIENT[1]]],
        "tcp.stream": [None, 0, 0],
        "tcp.seq_raw": [None, 1001, 9001],
        "tcp.flags": [None, 0x18, 0x18],
        "udp.dstport": [4060, None, None],
        "udp.stream": [0, None, None],
        "stream": [0, 1, 1],
        "wpdu.transfer_time": ["0.000000000", "0.000000000", "0.001000000"],
        "wpdu.time_delta": ["0.000000000", "0.004000000", "0.002000000"],
    }
    said = _said(analyse(wire, tmp_path), *told)
    assert dict(zip(told, said, strict=True)) == told


def test_a_segment_that_was_sent_again(tmp_path: Path) -> None:
    """The WPDU is flagged, whose octets it brought a second time; the one beside it is not."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1))
    connection.packet(0, 0, get_request(1))
    connection.say(1, get_response(1))
    assert _said(analyse(wire, tmp_path), "tcp.analysis.retransmission") == [[True, False]]


def test_marks_and_what_is_missing(tmp_path: Path) -> None:
    """A WPDU that the capture's end cut off, in words, as a flag and as a number."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1) + get_request(2)[:12])
    marks, truncated, shared_, missing = _said(
        analyse(wire, tmp_path), "wpdu.marks", "wpdu.truncated", "wpdu.shared", "wpdu.missing"
    )
    assert marks == [["shared"], ["truncated", "shared"]]
    assert (truncated, shared_, missing) == ([False, True], [True, True], [0, 9])


def test_comments_and_names(tmp_path: Path) -> None:
    """What stands in the capture about packets and addresses."""
    with open_capture(write_annotated(tmp_path / "a.pcapng", b"one", b"two")) as reader:
        comments, name = _said(Analysis(reader).run(), "frame.comment", "ip.dst_host")
    assert comments == [[], ["one"], ["two"]]
    assert name == [NAME] * 3


def test_comments_on_one_packet_are_told_apart_from_lines_of_one(tmp_path: Path) -> None:
    """They are a list, in the order of the file; a line break is part of a comment."""
    section = Pcapng()
    wire = Wire()
    Tcp(wire).handshake().say(0, get_request(1))
    octets = section.section() + section.interface(101)
    for _, packet in wire.packets:
        octets += section.enhanced(1, packet, (1, b"one\nmore"), (1, b"two"))
    (tmp_path / "made.pcapng").write_bytes(octets)
    with open_capture(tmp_path / "made.pcapng") as reader:
        analysis = Analysis(reader).run()
        assert _said(analysis, "frame.comment", "frame.interface_id") == [[["one\nmore", "two"]], [0]]
        assert [text for _, text in comments_of(analysis, 0)] == ["one\nmore", "two"]


def test_a_file_without_interfaces_numbers_none(tmp_path: Path) -> None:
    """A pcap has none: the field does not apply."""
    wire = Wire()
    Tcp(wire).handshake().say(0, get_request(1))
    assert _said(analyse(wire, tmp_path), "frame.interface_id") == [[None]]


def test_wports_are_named_by_the_roles() -> None:
    """A meter that opens the connection and pushes is the server all the same."""
    with open_capture(SAMPLES / "push.pcapng") as reader:
        analysis = Analysis(reader).run()
        role, direction, source, server, wports, name = _said(
            analysis, "role", "direction", "wport.src", "wport.server", "wport", "wport.src.name"
        )
    pushed = [row for row, one in enumerate(role) if one == "server" and direction[row] == "to responder"]
    assert pushed
    assert all(server[row] == source[row] == wports[row][0] for row in pushed)
    assert {name[row] for row in pushed} == {"Management Logical Device"}


def test_methods_are_told_from_attributes() -> None:
    """Request and response of ACTION have a method; those of GET have none."""
    keys = KeyTable.load(SAMPLES / "first-look-keys.toml")
    with open_capture(SAMPLES / "first-look.pcapng") as reader:
        names = "service", "method", "attribute", "attribute.name"
        service, method, attribute, name = _said(Analysis(reader).run(), *names, keys=keys)
    called = [row for row, one in enumerate(service) if one == "action-request"]
    assert called
    assert all(method[row] == attribute[row] is not None for row in called)
    assert all(one is None for row, one in enumerate(method) if service[row] == "get-request")
    assert "scaler_unit" in name


def test_addresses_sort_as_numbers(sample: tuple[Analysis, KeyTable]) -> None:
    """By family, address and port."""
    asked = AskedRows(sample[0], slice(None))
    texts = FIELDS["ip.src"].texts(asked)
    order = np.argsort(FIELDS["ip.src"].order(asked), kind="stable").tolist()
    assert [texts[row] for row in order] == sorted(
        texts, key=lambda text: (":" in text, int(ipaddress.ip_address(text)))
    )


def test_blocks_and_values_of_transfers(tmp_path: Path) -> None:
    """A SET in blocks has a value once it is whole; what came in a block transfer has the block's number."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    first = encode.set_request((3, bytes.fromhex("0100010800ff"), 2), ("null-data", None))[3:12]
    set_first = b"\xc1\x02\xc1" + first + b"\0" + encode.block(False, 1, bytes.fromhex("0600"))
    connection.say(0, wpdu(set_first))
    connection.say(1, wpdu(bytes.fromhex("c502c100000001")))
    connection.say(0, wpdu(b"\xc1\x03\xc1" + encode.block(True, 2, bytes.fromhex("000009"))))
    connection.say(1, wpdu(bytes.fromhex("c503c10000000002")))
    asked = encode.get_request((3, bytes.fromhex("0100010800ff"), 2))
    connection.say(0, wpdu(bytes.fromhex("e081000100000d") + asked))
    told = {
        "service": ["set-request", "set-response"] * 2 + ["get-request"],
        "value": [None, None, 9, None, None],
        "block": [1, 1, 2, 2, 1],
        "last_block": [False, None, True, None, True],
    }
    assert dict(zip(told, _said(analyse(wire, tmp_path), *told), strict=True)) == told
