"""Selections of profiles as the decoder names them, and rows with null-data put in."""

from datetime import UTC, datetime

from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.dates import moment
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.data_values import (
    NULL_DATA,
    TypeDescription,
    array,
    compact_array,
    date_time_octets,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from cosemscope.application.encoding.get_set_action import GetRequestNormal
from cosemscope.application.encoding.service_parts import SelectiveAccess
from cosemscope.application.object_model.profile_rows import capture_objects, profile_rows
from cosemscope.application.object_model.profile_selections import (
    CLOCK_TIME,
    CapturedAttribute,
    by_entries,
    by_range,
    last_entries,
)
from tests.helpers.apdu_checks import at

_BUFFER = Reference(7, bytes.fromhex("0100630100ff"), 2)
_ENERGY = CapturedAttribute(Reference(3, bytes.fromhex("0100010800ff"), 2))
_COLUMNS = (CapturedAttribute(CLOCK_TIME), _ENERGY)
_BEGIN = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)


def _told(selection: SelectiveAccess) -> str:
    decoded = decode_apdu(encode(GetRequestNormal(0xC1, _BUFFER, selection)))
    assert decoded.problems == ()
    return at(decoded.root, "access-selection").text


def test_selections_as_the_decoder_reads_them() -> None:
    """By range and by entries, without a problem."""
    by_time = by_range(_BEGIN, datetime(2026, 3, 2), [_ENERGY])
    assert _told(by_time) == "from 2026-03-01 Sun 00:00:00 to 2026-03-02 Mon 00:00:00"
    assert by_time.parameters.plain[3] == ((3, _ENERGY.reference.instance, 2, 0),)
    assert _told(by_range(unsigned(1), unsigned(2), restricting=_ENERGY)) == "from 1 to 2"
    assert _told(by_entries(3, 5)) == "entries 3 to 5"
    assert by_entries(1, 0, 2, 3).parameters.plain == (1, 0, 2, 3)


def test_the_last_entries() -> None:
    """Never more than there are, never row 0."""
    assert last_entries(5, 100).parameters.plain[:2] == (96, 100)
    assert last_entries(500, 100).parameters.plain[:2] == (1, 100)
    assert last_entries(0, 0).parameters.plain[:2] == (1, 1)


def test_capture_objects() -> None:
    """Out and back; an odd one keeps its place."""
    listed = array([*(column.data for column in _COLUMNS), unsigned(1)])
    assert capture_objects(listed) == (*_COLUMNS, CapturedAttribute(Reference(0, b"", 0)))
    assert capture_objects(NULL_DATA) == ()


def test_null_data_stands_for_the_row_before() -> None:
    """And, of the clock, for one period later; its status stays."""
    first = octet_string(date_time_octets(_BEGIN, status=0x08))
    buffer = array(
        [
            structure(first, long_unsigned(10)),
            structure(NULL_DATA, NULL_DATA),
            structure(NULL_DATA, long_unsigned(12)),
        ]
    )
    read = profile_rows(buffer, _COLUMNS, 900)
    assert [row[1].value for row in read.rows] == [10, 10, 12]
    assert [moment(row[0].value) for row in read.rows] == [
        _BEGIN,
        _BEGIN.replace(minute=15),
        _BEGIN.replace(minute=30),
    ]
    assert {row[0].value[11] for row in read.rows} == {0x08}
    assert profile_rows(buffer, _COLUMNS).rows[1][0] == first
    wild = array([structure(octet_string(b"\xff" * 12), unsigned(1)), structure(NULL_DATA, NULL_DATA)])
    assert profile_rows(wild, _COLUMNS, 900).rows[1][0].value == b"\xff" * 12


def test_a_null_in_the_first_row_stays() -> None:
    """There is nothing before it."""
    read = profile_rows(array([structure(NULL_DATA, unsigned(1))]), _COLUMNS, 900)
    assert read.rows == ((NULL_DATA, unsigned(1)),)


def test_compact_buffers_and_odd_rows() -> None:
    """A compact array is a buffer as well; a row that does not fit is named."""
    kind = TypeDescription(2, 0, (TypeDescription(17), TypeDescription(18)))
    compact = compact_array(kind, [structure(unsigned(1), long_unsigned(2))])
    assert profile_rows(compact, _COLUMNS).rows == ((unsigned(1), long_unsigned(2)),)
    odd = profile_rows(array([structure(unsigned(1)), unsigned(1)]), _COLUMNS)
    assert odd.problems == (
        "row 1 is left out: expected 2 values, found 1 values",
        "row 2 is left out: expected 2 values, found unsigned",
    )
    assert "no array" in profile_rows(unsigned(1), _COLUMNS).problems[0]
