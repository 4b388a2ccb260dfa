"""Framings: the ways in which streams carry APDUs, and their names.

DLMS/COSEM over IP knows one framing, the wrapper of IEC 62056-4-7. The others
are what is met in the field on the same ports; the last ones are of others
and must be named for what they are (see `foreign_table`).
"""

from enum import IntEnum


class Framing(IntEnum):
    """The framing of a stream; `UNDECIDED` until enough of it has been seen."""

    UNDECIDED = 0
    WRAPPER = 1  # IEC 62056-4-7: version, wPorts, length
    SWAPPED = 2  # the wrapper header with its octets in the wrong order (01 00 ...)
    HDLC = 3  # IEC 62056-46 frames (7E A. ... 7E)
    BARE = 4  # APDUs without any header
    IEC_61334_4_32 = 5  # LLC of IEC 61334-4-32 (90 ...)
    IEC_62056_21 = 6  # ASCII read-out (/?...!)
    COAP = 7  # APDUs in messages of RFC 7252
    MBUS = 8  # APDUs in long frames of EN 13757-2
    UNKNOWN = 16  # seen enough of it: none of the others
    TLS = 17
    STUN = 18
    RPCAP = 19
    HTTP = 20
    SSH = 21
    SILENT = 22  # the capture ended, and no octets were sent
    DTLS = 23
    P1 = 24  # telegrams of the DSMR P1 port, text
    SML = 25
    IEC_104 = 26
    MODBUS = 27
    DSMR_ALARM = 28
    MBUS_OTHER = 29  # M-Bus that carries no APDU
    COAP_OTHER = 30  # CoAP that carries no APDU
    HEX_TEXT = 31  # the hex digits of DLMS, as text
    NOT_CAPTURED = 32  # the snap length cut off every octet of payload

    @property
    def label(self) -> str:
        """The name for people."""
        return _LABELS[self]

    @property
    def word(self) -> str:
        """The name for scripts: "wrapper", "hdlc"."""
        return self.name.lower().replace("_", "-")

    @property
    def carries_dlms(self) -> bool:
        """True if streams of this framing carry DLMS/COSEM APDUs."""
        return Framing.UNDECIDED < self < Framing.UNKNOWN


_LABELS = {
    Framing.UNDECIDED: "not yet recognised",
    Framing.WRAPPER: "DLMS wrapper",
    Framing.SWAPPED: "DLMS wrapper, octets swapped",
    Framing.HDLC: "HDLC",
    Framing.BARE: "bare APDUs",
    Framing.IEC_61334_4_32: "IEC 61334-4-32",
    Framing.IEC_62056_21: "IEC 62056-21",
    Framing.COAP: "DLMS over CoAP",
    Framing.MBUS: "DLMS in M-Bus frames",
    Framing.UNKNOWN: "not DLMS",
    Framing.TLS: "TLS",
    Framing.STUN: "STUN",
    Framing.RPCAP: "RPCAP",
    Framing.HTTP: "HTTP",
    Framing.SSH: "SSH",
    Framing.SILENT: "no data",
    Framing.DTLS: "DTLS",
    Framing.P1: "P1 telegrams",
    Framing.SML: "SML",
    Framing.IEC_104: "IEC 60870-5-104",
    Framing.MODBUS: "Modbus/TCP",
    Framing.DSMR_ALARM: "DSMR alarms",
    Framing.MBUS_OTHER: "M-Bus",
    Framing.COAP_OTHER: "CoAP",
    Framing.HEX_TEXT: "DLMS as hex text",
    Framing.NOT_CAPTURED: "payload not captured",
}
