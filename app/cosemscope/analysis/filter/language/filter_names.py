"""Names in filters: fields of the registry, and other spellings of them, Wireshark's above all."""

from difflib import get_close_matches

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.filter.language.tree_names import TREE_FIELD, TREE_TEXT

#: Other spellings, and the fields that they are. The only table of them.
ALIASES = {
    "frame.time_epoch": "frame.time",
    "frame.time_delta_displayed": "frame.time_delta",
    "frame.comments": "frame.comment",
    "pkt_comment": "frame.comment",
    "eth.len": "frame.len",
    "ipv6.src": "ip.src",
    "ipv6.dst": "ip.dst",
    "ipv6.addr": "ip.addr",
    "ip.host": "ip.src_host",
    "tcp.seq": "tcp.seq_raw",
    "tcp.ack": "tcp.ack_raw",
    "tcp.window_size": "tcp.window_size_value",
    "tcp.analysis.fast_retransmission": "tcp.analysis.retransmission",
    "_ws.expert.severity": "expert.severity",
    "_ws.expert.group": "expert.group",
    "_ws.expert.message": "expert.message",
    "_ws.expert": "expert.item",
    "expert": "expert.item",
    "_ws.col.info": "info",
    "_ws.col.protocol": "apdu",
    "dlms.wport": "wport",
    "dlms.src_wport": "wport.src",
    "dlms.dst_wport": "wport.dst",
    "dlms.class": "class",
    "dlms.obis": "obis",
    "dlms.attribute": "attribute",
    "dlms.method": "method",
    "dlms.invoke_id": "invoke_id",
    "dlms.length": "wpdu.length",
    "dlms.version": "wpdu.version",
    "number": "wpdu.number",
    "time": "wpdu.time",
    "length": "wpdu.length",
    "octets": "wpdu.octets",
    "framing": "wpdu.framing",
    "truncated": "wpdu.truncated",
    "status": "exchange.status",
    "association.outcome": "association.state",
    "invocation_counter": "ic",
    "class_id": "class",
    "logical_name": "obis",
    "severity": "expert.severity",
}


def field_named(name: str) -> RowField | None:
    """The field of the registry with this name or spelling, in any case; None for none."""
    wanted = name.lower()
    return FIELDS.get(ALIASES.get(wanted, wanted))


def near_names(name: str) -> list[str]:
    """The names of fields that are nearest to one that there is not."""
    wanted = name.lower()
    names = [*FIELDS, *ALIASES, TREE_FIELD, TREE_TEXT]
    near = get_close_matches(wanted, names, 3, 0.6)
    return near or [one for one in FIELDS if wanted in one.split(".")][:3]
