"""Parts that several services share: invoke-id, descriptors, selective access, results and blocks."""

from struct import Struct
from typing import NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding.data_codec import DATA
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.octet_codecs import (
    Choices,
    Codec,
    flag,
    octet,
    octet_string,
    optional,
    record,
    sequence_of,
    unsigned_number,
)
from cosemscope.application.encoding.octet_reader import OctetReader

#: Invoke-Id-And-Priority: bits 0 to 3 the id, bit 6 confirmed, bit 7 high priority.
INVOKE = octet("invoke-id-and-priority")
#: Long-Invoke-Id-And-Priority: bits 0 to 23 the id, 28 to 31 the options.
LONG_INVOKE = unsigned_number(4, "long-invoke-id-and-priority")
#: A date-time of xDLMS services: twelve octets, or none where it is not given.
DATE_TIME_OCTETS = octet_string("date-time", (0, 12))
BLOCK_NUMBER = unsigned_number(4, "block-number")
RESULT = octet("result")

CONFIRMED, HIGH_PRIORITY = 0x40, 0x80


def invoke_octet(invoke_id: int, *, confirmed: bool = True, high_priority: bool = False) -> int:
    """Invoke-Id-And-Priority of an id of 0 to 15."""
    return invoke_id & 0x0F | CONFIRMED * confirmed | HIGH_PRIORITY * high_priority


# Descriptors.

_DESCRIPTOR = Struct(">H6sB")


def _write_reference(out: bytearray, reference: Reference) -> None:
    class_id, instance, member, _ = reference
    if len(instance) != 6:
        raise ValueError
    out += _DESCRIPTOR.pack(class_id, instance, member & 0xFF)


def _read_attribute(reader: OctetReader) -> Reference:
    class_id, instance, member = _DESCRIPTOR.unpack(reader.take(9, "Cosem-Attribute-Descriptor"))
    return Reference(class_id, instance, member - 256 if member > 127 else member)


def _read_method(reader: OctetReader) -> Reference:
    class_id, instance, member = _DESCRIPTOR.unpack(reader.take(9, "Cosem-Method-Descriptor"))
    return Reference(class_id, instance, member, method=True)


ATTRIBUTE = Codec(_write_reference, _read_attribute)
METHOD = Codec(_write_reference, _read_method)
METHODS = sequence_of(METHOD, "method descriptors")


class SelectiveAccess(NamedTuple):
    """Selective-Access-Descriptor: a selector and its parameters."""

    selector: int
    parameters: Data


class SelectedAttribute(NamedTuple):
    """Cosem-Attribute-Descriptor with its selective access, where there is any."""

    reference: Reference
    selection: SelectiveAccess | None = None


SELECTIVE_ACCESS = record(SelectiveAccess, octet("access-selector"), DATA)
SELECTION = optional(SELECTIVE_ACCESS, "access-selection")
SELECTED_ATTRIBUTES = sequence_of(
    record(SelectedAttribute, ATTRIBUTE, SELECTION), "attribute descriptors with selection"
)

# Values and results.


class DataAccessError(NamedTuple):
    """A Data-Access-Result in the place of data; `code` is one of `names.codes.DATA_ACCESS_RESULTS`."""

    code: int


DATA_LIST = sequence_of(DATA, "values")
RESULT_LIST = sequence_of(RESULT, "data-access-results")
DATA_ACCESS_ERROR = record(DataAccessError, octet("data-access-result"))
#: Get-Data-Result.
DATA_RESULT: Codec[Data | DataAccessError] = Choices(
    "Get-Data-Result", {0: (Data, DATA), 1: (DataAccessError, DATA_ACCESS_ERROR)}
).codec
DATA_RESULTS = sequence_of(DATA_RESULT, "results")


class Datablock(NamedTuple):
    """A block of SET or ACTION: whether it is the last, its number from 1, its octets."""

    last: bool
    number: int
    octets: bytes


DATABLOCK = record(Datablock, flag("last-block"), BLOCK_NUMBER, octet_string("raw-data"))
