"""Kinds of APDUs by purpose, few enough to be told apart by colour.

One table from tag to kind; a column of tags becomes a column of kinds by a single gather, so that a million
WPDUs are coloured as fast as ten. What was opened has the kind of what is inside; whatever says that it
failed, be it a result or a refused association, is an error.
"""

from collections.abc import Iterable
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.names import tags


class Kind(IntEnum):
    """A family of APDUs; the order is that of the legend."""

    READ = 0
    WRITE = 1
    ACTION = 2
    NOTIFICATION = 3
    ASSOCIATION = 4
    CIPHERED = 5
    ERROR = 6
    UNKNOWN = 7


#: What the legend says.
KIND_NAMES = {
    Kind.READ: "read",
    Kind.WRITE: "write",
    Kind.ACTION: "action, access",
    Kind.NOTIFICATION: "notification",
    Kind.ASSOCIATION: "association",
    Kind.CIPHERED: "ciphered, in blocks",
    Kind.ERROR: "error, refusal, abort",
    Kind.UNKNOWN: "unknown",
}

_TAGS: dict[Kind, Iterable[int]] = {
    Kind.READ: (tags.GET_REQUEST, tags.GET_RESPONSE, 0x05, 0x0C),
    Kind.WRITE: (tags.SET_REQUEST, tags.SET_RESPONSE, 0x06, 0x0D, 0x16),
    Kind.ACTION: (tags.ACTION_REQUEST, tags.ACTION_RESPONSE, tags.ACCESS_REQUEST, tags.ACCESS_RESPONSE),
    Kind.NOTIFICATION: (
        tags.DATA_NOTIFICATION,
        tags.DATA_NOTIFICATION_CONFIRM,
        tags.EVENT_NOTIFICATION,
        0x18,
    ),
    Kind.ASSOCIATION: (
        tags.AARQ,
        tags.AARE,
        tags.RLRQ,
        tags.RLRE,
        tags.INITIATE_REQUEST,
        tags.INITIATE_RESPONSE,
    ),
    Kind.CIPHERED: (
        *tags.GLO_SERVICES,
        *tags.DED_SERVICES,
        tags.GENERAL_GLO,
        tags.GENERAL_DED,
        tags.GENERAL_CIPHERING,
        tags.GENERAL_SIGNING,
        tags.GENERAL_BLOCK_TRANSFER,
        tags.GATEWAY_REQUEST,
        tags.GATEWAY_RESPONSE,
    ),
    Kind.ERROR: (tags.CONFIRMED_SERVICE_ERROR, tags.EXCEPTION_RESPONSE, tags.ABRT),
}


def _table() -> npt.NDArray[np.uint8]:
    table = np.full(257, Kind.UNKNOWN, np.uint8)
    for kind, numbers in _TAGS.items():
        table[list(numbers)] = kind
    return table


_KIND_OF_TAG = _table()


def kinds_of(
    apdu_tags: npt.NDArray[np.int16], inner: npt.NDArray[np.int16], results: npt.NDArray[np.int16]
) -> npt.NDArray[np.uint8]:
    """The kind of each APDU: of its tag (-1 none), the tag of what was opened in it, and its result (-1)."""
    kinds = _KIND_OF_TAG[np.where(inner >= 0, inner, apdu_tags)]  # -1 takes the last entry, which no tag has
    kinds[results > 0] = Kind.ERROR
    return kinds


def kind_of(tag: int, inner: int = -1, result: int = -1) -> Kind:
    """The same of one APDU, in less time."""
    return Kind.ERROR if result > 0 else Kind(_KIND_OF_TAG.item(inner if inner >= 0 else tag))
