"""The checks, as one table: clause, rule, our reading, what is sent and expected, the function to run.

`rule` is what the standard says, as far as a quotation was seen; `reading` is what we take from it.
Where neither gives a rule, a check is inconclusive and says why, rather than inventing one.
"""

from cosemscope.live.check.addressing_checks import all_station, second_device, swapped, unknown_wport
from cosemscope.live.check.bench import Check
from cosemscope.live.check.closing_checks import (
    abort,
    closes_in_order,
    first_alone,
    half_close,
    idle,
    second_connection,
)
from cosemscope.live.check.stream_checks import (
    CUT_IN_HEADER,
    MISSING_OCTETS,
    answer_count,
    connects,
    length_zero,
    longer_than_follows,
    octet_by_octet,
    one_segment,
    reply_length,
    second_wpdu,
    split_data,
    split_header,
    two_in_one,
    wrong_version,
)
from cosemscope.live.check.udp_check import check_group, check_reply_port, check_udp, check_udp_count

_TCP = ("tcp-connect",)
_BASIC = (*_TCP, "one-segment")
_ANSWERS = (*_BASIC, "reply-length")
_PAIR = (*_ANSWERS, "second-wpdu")
_UDP = ("udp",)

CHECKS: tuple[Check, ...] = (
    Check(
        key="tcp-connect",
        title="Connects on TCP",
        clause="6.3.5.2, Figure 8",
        rule="The passive OPEN accepts a connection and waits.",
        reading="",
        sends="nothing: a TCP connection is opened",
        expects="It is accepted, stays open, and nothing but WPDUs comes.",
        run=connects,
    ),
    Check(
        key="one-segment",
        title="WPDU in one segment",
        clause="6.3.3, Figure 7",
        rule="A WPDU travels in one or more TCP segments.",
        reading=(
            "Any whole WPDU counts as an answer: that an association is refused is no matter of the "
            "transport layer."
        ),
        sends="AARQ in one segment",
        expects="It is answered by a whole WPDU.",
        run=one_segment,
        needs=_TCP,
    ),
    Check(
        key="reply-length",
        title="Length of the answer",
        clause="5.3.2, Figure 4",
        rule="The length field has the octets of data, without the header.",
        reading="",
        sends="AARQ",
        expects="Behind the answer stands nothing, or the header of another WPDU.",
        run=reply_length,
        needs=_BASIC,
    ),
    Check(
        key="answer-count",
        title="One answer to one request",
        clause="6.2.5",
        rule="A TCP-DATA.request sends one APDU.",
        reading=(
            "A confirmed service has one response (IEC 62056-5-3); what comes unasked beside it is none."
        ),
        sends="AARQ, then silence",
        expects="One answer comes.",
        run=answer_count,
        needs=_ANSWERS,
    ),
    Check(
        key="second-wpdu",
        title="A second WPDU on the connection",
        clause="6.2.5, 6.3.5.4",
        rule="A connection carries WPDUs until it is disconnected.",
        reading="A server may take RLRQ for the end, and close in order.",
        sends="AARQ, its answer, RLRQ",
        expects="RLRQ is answered by a whole WPDU.",
        run=second_wpdu,
        needs=_ANSWERS,
    ),
    Check(
        key="split-header",
        title="WPDU split in its header",
        clause="6.3.5.4, Figure A.6",
        rule="RECEIVE is called until the APDU is whole.",
        reading="",
        sends=f"AARQ cut after {CUT_IN_HEADER} octets",
        expects="The server collects the whole APDU, then answers.",
        run=split_header,
        needs=_ANSWERS,
    ),
    Check(
        key="split-data",
        title="WPDU split in its data",
        clause="6.3.5.4, Figure A.6",
        rule="RECEIVE is called until the APDU is whole.",
        reading="",
        sends="AARQ cut in the middle of the APDU",
        expects="The server collects the whole APDU, then answers.",
        run=split_data,
        needs=_ANSWERS,
    ),
    Check(
        key="octet-by-octet",
        title="WPDU an octet at a time",
        clause="6.3.5.4, Figure A.6",
        rule="RECEIVE is called until the APDU is whole.",
        reading="",
        sends="AARQ, each octet in a segment of its own",
        expects="The server collects the whole APDU, then answers.",
        run=octet_by_octet,
        needs=_ANSWERS,
    ),
    Check(
        key="two-in-one",
        title="Two WPDUs in one segment",
        clause="6.3.3, 6.3.5.4",
        rule="TCP is a stream; the length field says where an APDU ends.",
        reading=(
            "That several WPDUs may stand in one segment follows from it; no sentence on them was seen."
        ),
        sends="AARQ and RLRQ in one segment",
        expects="Both are answered.",
        run=two_in_one,
        needs=_PAIR,
    ),
    Check(
        key="swapped-wports",
        title="Answer has the wPorts exchanged",
        clause="5.3.2, 6.3.4",
        rule="A header names the sender's wPort, then the receiver's.",
        reading="",
        sends="AARQ",
        expects="The answer's source is the request's destination, and the other way round.",
        run=swapped,
        needs=_ANSWERS,
    ),
    Check(
        key="unknown-wport",
        title="Unknown destination wPort",
        clause="5.3.5, 6.3.4, Table 1",
        rule="Over UDP, what is for a wPort that is not bound is discarded.",
        reading=(
            "The same for TCP, where wPorts mean the same (6.3.4): nobody is there who could answer. "
            "Whether the connection may be closed on it, no passage says."
        ),
        sends="AARQ for a wPort that nobody has, then AARQ for the right one",
        expects="The first is not answered, the second is.",
        run=unknown_wport,
        needs=_ANSWERS,
    ),
    Check(
        key="all-station",
        title="All-station is not answered",
        clause="5.3.4, Table 1, 6.3.4",
        rule="wPort 0x007F is All-station: every logical device.",
        reading="What is sent to all is an unconfirmed service (Green Book): nobody answers.",
        sends="AARQ for wPort 127, then AARQ for the right one",
        expects="The first is not answered, the second is.",
        run=all_station,
        needs=_ANSWERS,
    ),
    Check(
        key="second-device",
        title="A second logical device",
        clause="6.3.4, 6.2.5",
        rule="Several application entities share a connection, told apart by wPorts.",
        reading="",
        sends="AARQ for one logical device, for the second, for the first again",
        expects="Each answers under its own wPort.",
        run=second_device,
        needs=_ANSWERS,
    ),
    Check(
        key="wrong-version",
        title="Wrong version",
        clause="5.3.2",
        rule="The version is 0x0001.",
        reading=(
            "The layout of another version is not known, its length field neither: what follows "
            "cannot be found."
        ),
        sends="AARQ in a WPDU of version 2, then AARQ, then a new connection",
        expects="It is not taken, nothing behind it either; the next connection is served.",
        run=wrong_version,
        needs=_ANSWERS,
    ),
    Check(
        key="length-zero",
        title="Length 0",
        clause="5.3.2, Figure 4",
        rule="The length field has 16 bits.",
        reading="No APDU is empty, yet 0 can be written; closing on it breaks no rule that was seen.",
        sends="a header without data, then AARQ",
        expects="The empty WPDU does no harm; AARQ is answered.",
        run=length_zero,
        needs=_ANSWERS,
    ),
    Check(
        key="longer-than-follows",
        title="Length longer than what follows",
        clause="6.3.5.4",
        rule="An APDU is delivered when it is whole.",
        reading="A client that never sends the rest must not keep others from being served.",
        sends=(
            f"AARQ whose length promises {MISSING_OCTETS} octets more, then silence, then a new connection"
        ),
        expects="No answer to a part of an APDU; the server is not blocked by it.",
        run=longer_than_follows,
        needs=_ANSWERS,
    ),
    Check(
        key="abort",
        title="Abort in mid-message",
        clause="6.2.4, 6.3.5.4, Figure A.4",
        rule="A connection that is gone is told with TCP-ABORT; what was begun on it is dropped.",
        reading="",
        sends="part of an AARQ, RST, and a new connection",
        expects="The part is thrown away; the new connection is served.",
        run=abort,
        needs=_ANSWERS,
    ),
    Check(
        key="half-close",
        title="Half-close",
        clause="6.3.5.3, Figures 9 and A.3",
        rule="The peer's FIN is a wish to disconnect, which is responded to.",
        reading=(
            "What was asked before FIN is answered before the response; a server that does not wait "
            "breaks no rule that was seen. RST is no response."
        ),
        sends="AARQ, then FIN",
        expects="The answer comes, then the server closes its side with FIN.",
        run=half_close,
        needs=_ANSWERS,
    ),
    Check(
        key="close-in-order",
        title="FIN is answered with FIN",
        clause="6.3.5.3, Figures 9 and A.3",
        rule="TCP-DISCONNECT.response closes the server's side.",
        reading="RST is how a connection is aborted (6.2.4), not how it is closed.",
        sends="AARQ, RLRQ, their answers, then FIN",
        expects="The server closes its side with FIN, not with RST.",
        run=closes_in_order,
        needs=_PAIR,
    ),
    Check(
        key="second-connection",
        title="Second connection while the first is open",
        clause="6.2.2, class 41",
        rule="A connection is named by its quadruple; nb_of_sim_conn says how many there may be.",
        reading="",
        sends="AARQ on one connection, AARQ on another, RLRQ on the first",
        expects="Both are served, or the second is refused; the first does not suffer.",
        run=second_connection,
        needs=_ANSWERS,
        control=first_alone,
    ),
    Check(
        key="idle",
        title="Idle for a time",
        clause="6.3.5.3, class 41",
        rule="inactivity_time_out says after how long a connection is closed.",
        reading="It is closed in order.",
        sends="nothing for a time, then AARQ",
        expects="The connection is still served, or has been closed in order.",
        run=idle,
        needs=_ANSWERS,
    ),
    Check(
        key="udp",
        title="Answers over UDP",
        clause="5.2, 5.3.3, Figure 5",
        rule="One WPDU travels in one datagram.",
        reading="",
        sends="AARQ in one datagram",
        expects="A datagram comes back with exactly one WPDU, wPorts exchanged.",
        run=check_udp,
    ),
    Check(
        key="udp-reply-port",
        title="Answers from the port that was asked",
        clause="5.2.2",
        rule="Local_UDP_Port and Local_IP_Address of an answer are those of the indication.",
        reading=(
            "The address that a request was sent to is the one that answers: connected clients see no other."
        ),
        sends="AARQ in one datagram",
        expects="The answer comes from the same address and port.",
        run=check_reply_port,
        needs=_UDP,
    ),
    Check(
        key="udp-count",
        title="A second datagram, one answer each",
        clause="5.2.2, 5.3.1",
        rule="One request is one UDP SEND; the layer is stateless.",
        reading="",
        sends="AARQ in one datagram, and again",
        expects="Each is answered once.",
        run=check_udp_count,
        needs=_UDP,
    ),
    Check(
        key="udp-group",
        title="A group address is not answered",
        clause="5.1, 5.2.2.1",
        rule="UDP carries multicast and broadcast.",
        reading="What is sent to many is an unconfirmed service (Green Book): nobody answers.",
        sends="AARQ to a group or broadcast address",
        expects="Nobody answers.",
        run=check_group,
    ),
)
