"""The fleet's tables of exchanges and of associations: fields of the registry, a row each."""

import numpy as np

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.value_arrays import Array
from cosemscope.analysis.fleet.rows.arrow_columns import ColumnForm
from cosemscope.analysis.fleet.rows.fleet_columns import FleetTable, of_field
from cosemscope.analysis.fleet.rows.taken_capture import KEY, FleetWpdus, TakenCapture

EXCHANGES: FleetTable[FleetWpdus] = FleetTable(
    "exchanges",
    "an exchange: request and answers",
    (
        KEY,
        of_field("stream", ColumnForm.COUNT, "stream"),
        of_field("number", ColumnForm.COUNT, "exchange"),
        of_field("association", ColumnForm.COUNT, "association"),
        of_field("time", ColumnForm.INSTANT, "exchange.time"),
        of_field("meter", ColumnForm.TEXT, "meter"),
        of_field("client_wport", ColumnForm.CODE, "wport.client"),
        of_field("server_wport", ColumnForm.CODE, "wport.server"),
        of_field("service", ColumnForm.TEXT, "exchange.service"),
        of_field("class_id", ColumnForm.CODE, "exchange.class"),
        of_field("obis", ColumnForm.TEXT, "exchange.obis"),
        of_field("attribute", ColumnForm.CODE, "exchange.attribute"),
        of_field("invoke_id", ColumnForm.CODE, "exchange.invoke_id"),
        of_field("status", ColumnForm.TEXT, "exchange.status"),
        of_field("result", ColumnForm.TEXT, "exchange.result"),
        of_field("blocks", ColumnForm.CODE, "exchange.blocks"),
        of_field("request_octets", ColumnForm.CODE, "exchange.request_octets"),
        of_field("response_octets", ColumnForm.CODE, "exchange.response_octets"),
        of_field("request_transfer", ColumnForm.MICROSECONDS, "exchange.request_transfer"),
        of_field("response_time", ColumnForm.MICROSECONDS, "exchange.response_time"),
        of_field("response_transfer", ColumnForm.MICROSECONDS, "exchange.response_transfer"),
        of_field("own_time", ColumnForm.MICROSECONDS, "exchange.own_time"),
        of_field("retransmissions", ColumnForm.CODE, "exchange.retransmissions"),
        of_field("wpdu", ColumnForm.COUNT, "wpdu.number"),
        of_field("packet", ColumnForm.COUNT, "frame.number"),
        of_field("file_offset", ColumnForm.NUMBER, "wpdu.offset"),
    ),
    lambda rows: _numbers(rows, "exchange.time"),
)

ASSOCIATIONS: FleetTable[FleetWpdus] = FleetTable(
    "associations",
    "an association, from AARQ to its end",
    (
        KEY,
        of_field("stream", ColumnForm.COUNT, "stream"),
        of_field("number", ColumnForm.COUNT, "association"),
        of_field("time", ColumnForm.INSTANT, "association.time"),
        of_field("duration", ColumnForm.MICROSECONDS, "association.duration"),
        of_field("meter", ColumnForm.TEXT, "meter"),
        of_field("client", ColumnForm.TEXT, "client"),
        of_field("server", ColumnForm.TEXT, "server"),
        of_field("client_wport", ColumnForm.CODE, "wport.client"),
        of_field("server_wport", ColumnForm.CODE, "wport.server"),
        *(
            of_field(name, form, f"association.{name}")
            for name, form in {
                "client_title": ColumnForm.TEXT,
                "server_title": ColumnForm.TEXT,
                "context": ColumnForm.TEXT,
                "mechanism": ColumnForm.TEXT,
                "state": ColumnForm.TEXT,
                "result": ColumnForm.TEXT,
                "diagnostic": ColumnForm.TEXT,
                "security": ColumnForm.TEXTS,
                "suite": ColumnForm.CODE,
                "hls": ColumnForm.TEXT,
                "conformance": ColumnForm.TEXTS,
                "client_pdu_size": ColumnForm.CODE,
                "server_pdu_size": ColumnForm.CODE,
                "client_ic_from": ColumnForm.NUMBER,
                "client_ic_to": ColumnForm.NUMBER,
                "server_ic_from": ColumnForm.NUMBER,
                "server_ic_to": ColumnForm.NUMBER,
                "exchanges": ColumnForm.COUNT,
                "errors": ColumnForm.COUNT,
                "unanswered": ColumnForm.COUNT,
                "notifications": ColumnForm.COUNT,
                "ended": ColumnForm.TEXT,
                "ended_by": ColumnForm.TEXT,
                "ended_packet": ColumnForm.COUNT,
            }.items()
        ),
        of_field("wpdu", ColumnForm.COUNT, "wpdu.number"),
        of_field("packet", ColumnForm.COUNT, "frame.number"),
        of_field("file_offset", ColumnForm.NUMBER, "wpdu.offset"),
    ),
    lambda rows: _numbers(rows, "association.time"),
)


def exchange_rows(taken: TakenCapture) -> FleetWpdus:
    """The exchanges of a capture, by the WPDUs with which they began."""
    return FleetWpdus(taken, taken.facts.table.first_rows())


def association_rows(taken: TakenCapture) -> FleetWpdus:
    """The associations of a capture, by the WPDUs with which they began."""
    facts = taken.facts
    return FleetWpdus(taken, facts.table.first_rows()[facts.associations.first])


def _numbers(rows: AskedRows, field: str) -> Array:
    values = FIELDS[field].values(rows)
    assert isinstance(values, np.ndarray)
    return values
