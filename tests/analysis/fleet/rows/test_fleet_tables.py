"""The tables of captures: what their rows say, where they lead back to, and what stands in the files."""

import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fleet.capture_files import read_file
from cosemscope.analysis.fleet.capture_intake import IntakeOrder, take_capture
from cosemscope.analysis.fleet.fleet_folder import FleetFolder
from cosemscope.analysis.fleet.ready_questions import ready_questions
from cosemscope.analysis.fleet.rows.arrow_columns import ColumnForm
from cosemscope.analysis.fleet.rows.fleet_tables import TABLES
from cosemscope.analysis.objects.object_table import ObjectView
from tests.helpers.exported import sample, subject_of
from tests.helpers.fleet_folders import rows_of
from tests.helpers.traffic import Said, Traffic
from tests.helpers.traffic_apdus import (
    aare,
    aarq,
    get_request,
    get_response,
    octet_string,
    set_request,
    set_response,
)

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the sample."""
    folder = tmp_path_factory.mktemp("tables")
    path, _ = sample()
    keys = path.with_name("first-look-keys.toml")
    found = take_capture(IntakeOrder((read_file(path),), folder, keys=str(keys)))
    assert not found.failure
    return folder


def test_every_column_is_documented(folder: Path) -> None:
    """With its meaning, with its name in the registry where it has one, and the version of the schema."""
    import pyarrow.parquet

    for name, table in TABLES.items():
        (file,) = FleetFolder(folder).whole_files(name)
        schema = pyarrow.parquet.read_schema(file)
        assert schema.metadata[b"cosemscope.schema"] == b"1"
        assert schema.metadata[b"cosemscope.table"].decode() == name
        assert schema.names == [column.name for column in table.columns]
        for column in table.columns:
            told = schema.field(column.name).metadata
            assert told[b"meaning"]
            assert column.name == column.name.lower()
            assert "." not in column.name
            if column.field:
                assert told[b"field"].decode() == column.field
                assert told[b"meaning"].decode() == FIELDS[column.field].meaning


def test_the_readme_has_the_columns_and_the_questions() -> None:
    """Every column of every table with its meaning, and every ready question with what it answers."""
    readme = (Path(__file__).resolve().parents[4] / "README.md").read_text(encoding="utf-8")
    expected = [
        f"| `{table.name}` | `{column.name}` | {told_type(column.form)} | {column.meaning} |"
        for table in TABLES.values()
        for column in table.columns
    ]
    listed = readme.partition("<summary>All columns</summary>")[2].partition("</details>")[0].strip()
    assert listed.splitlines() == [
        "| Table | Column | Type | Meaning |",
        "| --- | --- | --- | --- |",
        *expected,
    ]
    for question in ready_questions().values():
        line = f"| [`{question.name}`](resources/questions/{question.name}.sql) | {question.meaning} |"
        assert line in readme


def told_type(form: ColumnForm) -> str:
    """The type of a column in words."""
    words = {"texts": "texts", "instant": "timestamp, UTC", "bool_": "boolean", "float64": "double"}
    return words.get(form.value[0], form.value[0])


def test_exchanges_say_what_fields_say(folder: Path) -> None:
    """Row for row: words, numbers, and times in microseconds."""
    path, keys = sample()
    from cosemscope.analysis.fields.asked_rows import AskedRows

    rows = rows_of(folder, "exchanges")
    with subject_of(path, keys=keys) as subject:
        facts = subject.analysis.pair()
        asked = AskedRows(subject.analysis, facts.first_rows())
        assert len(rows) == len(facts) > 50
        for column in TABLES["exchanges"].columns:
            if not column.field or column.name == "time":
                continue
            told = FIELDS[column.field].jsons(asked)
            mine = [row[column.name] for row in rows]
            if FIELDS[column.field].type.word == "duration":
                told = [None if one is None else int(one.replace(".", "")) // 1000 for one in told]
            assert mine == told, column.name
        starts = FIELDS["exchange.time"].values(asked).tolist()
    assert [round(row["time"].timestamp() * 1_000_000) for row in rows] == [one // 1000 for one in starts]


def test_rows_lead_back_to_the_octets(folder: Path) -> None:
    """At the offset of each exchange a WPDU begins, within the packet that it names."""
    path, _ = sample()
    octets = path.read_bytes()
    checked = 0
    with subject_of(path) as subject:
        packets = subject.analysis.packets
        for row in rows_of(folder, "exchanges"):
            if row["file_offset"] is None or row["server_wport"] is None:
                continue
            begin = int(packets["offset"][row["packet"] - 1])
            assert begin <= row["file_offset"] < begin + int(packets["captured"][row["packet"] - 1])
            framing = subject.analysis.wpdus["framing"][row["wpdu"] - 1]
            if framing == 1:
                version, *wports, _ = struct.unpack_from(">HHHH", octets, row["file_offset"])
                assert {row["client_wport"], row["server_wport"]} == set(wports)
                assert version == 1
                checked += 1
    assert checked > 20


def test_all_rows_have_the_key_of_the_capture(folder: Path) -> None:
    """And within it numbers of their own."""
    path, _ = sample()
    key = read_file(path).digest[:32]
    for name in TABLES:
        rows = rows_of(folder, name)
        assert rows, name
        assert {row["capture"] for row in rows} == {key}
        assert all(file.stem == key for file in FleetFolder(folder).files(name))
    for name in ("exchanges", "associations", "expert_items"):
        numbers = [row["number"] for row in rows_of(folder, name)]
        assert len(set(numbers)) == len(numbers)
    (capture,) = rows_of(folder, "captures")
    assert {name: capture[name] for name in TABLES if name != "captures"} == {
        name: len(rows_of(folder, name)) for name in TABLES if name != "captures"
    }


def test_values_are_those_of_the_object_view(folder: Path) -> None:
    """Numbers with their scalers and units, texts, refusals; what has elements has none."""
    path, keys = sample()
    rows = rows_of(folder, "values")
    with subject_of(path, keys=keys) as subject:
        view = ObjectView(subject.analysis, keys)
        view.complete()
        assert len(view.readings) == len(rows) > 40
        compared = 0
        for reading, row in enumerate(rows):
            attribute = view.attributes[int(view.readings["attribute"][reading])]
            assert (row["meter"], row["server_wport"]) == attribute.device
            assert row["class_id"] == (attribute.class_id if attribute.class_id >= 0 else None)
            kept = view.value(reading)
            if kept is None or (row["value"] is None and row["text"] is None):
                continue
            told = kept.scaled(view.scaler_unit(attribute))
            assert row["unit"] == told.unit
            assert (str(told.value) if isinstance(told.value, str | bool) else float(told.value)) == (
                row["text"] if row["value"] is None else row["value"]
            )
            compared += 1
    assert compared > 20


def test_trees_add_items(tmp_path: Path) -> None:
    """All items of the expert pass are there with them; without, those are missing that only trees tell."""
    traffic, path = Traffic(), tmp_path / "a.pcapng"
    talk = traffic.udp(("10.0.0.1", 50_000), ("10.0.0.2", 4059))
    talk.say(True, Said(16, 1, get_request(1, 1, "1.0.0.2.0.255")))
    talk.say(False, Said(1, 16, get_response(1, b"\x09\x40too short")))
    traffic.write(path)
    found = {}
    for trees in (False, True):
        folder = tmp_path / str(trees)
        assert not take_capture(IntakeOrder((read_file(path),), folder, trees=trees)).failure
        found[trees] = Counter(row["item"] for row in rows_of(folder, "expert_items"))
    with subject_of(path) as subject:
        items = subject.analysis.expert_items
        assert found[True] == Counter(items.kind(row).word for row in range(len(items)))
    assert found[True].total() > found[False].total()


def test_secrets_stay_out(tmp_path: Path) -> None:
    """Passwords of associations, those that are written, and keys of a key file are in no table."""
    password, written = b"s3cretWord", b"n3wS3cret"
    traffic = Traffic()
    talk = traffic.udp(("10.0.0.1", 50_000), ("10.0.0.2", 4059))
    for from_client, apdu in (
        (True, aarq(mechanism=1, authentication=password)),
        (False, aare(mechanism=1)),
        (True, set_request(1, 15, "0.0.40.0.0.255", 7, octet_string(written))),
        (False, set_response(1)),
        (True, get_request(2, 15, "0.0.40.0.0.255", 7)),
        (False, get_response(2, octet_string(written))),
    ):
        talk.say(from_client, Said(16, 1, apdu) if from_client else Said(1, 16, apdu))
    capture, keys, folder = (tmp_path / name for name in ("a.pcapng", "keys.toml", "tables"))
    traffic.write(capture)
    key = "00112233445566778899AABBCCDDEEFF"
    keys.write_text(f'[[key]]\nencryption = "{key}"\nauthentication = "{key}"\n')
    assert not take_capture(IntakeOrder((read_file(capture),), folder, keys=str(keys), trees=True)).failure
    told = str({name: rows_of(folder, name) for name in TABLES})
    for secret in (password, written, bytes.fromhex(key)):
        assert secret.decode("latin-1") not in told
        assert secret.hex() not in told.lower()
    assert {row["text"] for row in rows_of(folder, "values")} == {"secret, 9 octets, not shown here"}


def test_numbers_are_told_to_the_last_place() -> None:
    """A value with a scaler is the number nearest to the decimal one, as the object view has it."""
    from decimal import Decimal

    from cosemscope.analysis.fleet.rows.fleet_values import told_readings
    from cosemscope.analysis.objects.object_table import Attribute, LogicalDevice
    from cosemscope.analysis.objects.object_values import KeptValue

    class View:
        """A view whose readings are all kinds of numbers, under all kinds of scalers."""

        attributes = tuple(Attribute(LogicalDevice("m", 1), 3, bytes(6), member) for member in range(5))
        values = tuple(KeptValue(number) for number in (0, 1, -7, 123456789, 3, 29, 1 << 60, 1.1))

        def scaler_unit(self, attribute: Attribute) -> tuple[int, int] | None:
            return {0: None, 1: (-3, 30), 2: (2, 30), 3: (-30, 27), 4: (60, 27)}[attribute.member]

    view = View()
    attribute, place = (one.reshape(-1) for one in np.meshgrid(np.arange(5), np.arange(-1, 8), indexing="ij"))
    found = told_readings(view, attribute, place)  # type: ignore[arg-type]
    units = found.unit.values[found.unit.codes].tolist()
    for one, value, number, unit in zip(
        attribute.tolist(), place.tolist(), found.number.tolist(), units, strict=True
    ):
        if value < 0:
            assert np.isnan(number)
            assert unit is None
            continue
        told = view.values[value].scaled(view.scaler_unit(view.attributes[one]))
        assert number == float(Decimal(str(told.value)))
        assert unit == told.unit
