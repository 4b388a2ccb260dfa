"""General-block-transfer and the gateway prefix as values: they carry other APDUs (IEC 62056-5-3)."""

from dataclasses import dataclass

from cosemscope.application.encoding.octet_codecs import (
    Codec,
    EncodeError,
    octet,
    octet_string,
    record,
    unsigned_number,
)
from cosemscope.application.encoding.octet_reader import OctetReader

_LAST, _STREAMING, _WINDOW = 0x80, 0x40, 0x3F


@dataclass(frozen=True, slots=True)
class GeneralBlockTransfer:
    """One block of an APDU.

    `number` counts the sender's blocks from 1, `acknowledged` is the last block received without a gap;
    `window` is the number of blocks that the sender of this takes without acknowledging.
    """

    last: bool
    streaming: bool
    window: int
    number: int
    acknowledged: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """An APDU for a device behind a gateway: its network and its address there."""

    network_id: int
    device_address: bytes
    apdu: bytes


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """An APDU from a device behind a gateway."""

    network_id: int
    device_address: bytes
    apdu: bytes


_NUMBER = unsigned_number(2, "block-number")
_ACKNOWLEDGED = unsigned_number(2, "block-number-ack")
_BLOCK_DATA = octet_string("block-data")


def _write_block(out: bytearray, value: GeneralBlockTransfer) -> None:
    if not 0 <= value.window <= _WINDOW:
        raise EncodeError(f"window of GeneralBlockTransfer is not 0 to {_WINDOW}")
    out.append(_LAST * value.last | _STREAMING * value.streaming | value.window)
    _NUMBER.write(out, value.number)
    _ACKNOWLEDGED.write(out, value.acknowledged)
    _BLOCK_DATA.write(out, value.octets)


def _read_block(reader: OctetReader) -> GeneralBlockTransfer:
    control = reader.octet("block-control")
    number, acknowledged = _NUMBER.read(reader), _ACKNOWLEDGED.read(reader)
    octets = _BLOCK_DATA.read(reader)
    last, streaming = bool(control & _LAST), bool(control & _STREAMING)
    return GeneralBlockTransfer(last, streaming, control & _WINDOW, number, acknowledged, octets)


def _write_rest(out: bytearray, apdu: bytes) -> None:
    out += apdu


_REST = Codec(_write_rest, OctetReader.rest)
_GATEWAY = octet("network-id"), octet_string("physical-device-address"), _REST
GENERAL_BLOCK_TRANSFER = Codec(_write_block, _read_block)
GATEWAY_REQUEST = record(GatewayRequest, *_GATEWAY)
GATEWAY_RESPONSE = record(GatewayResponse, *_GATEWAY)
