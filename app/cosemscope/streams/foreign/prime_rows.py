"""Rows of WPDUs that carry messages of PRIME data concentrators in the place of APDUs."""

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.services.prime_messages import prime_name
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import WpduTable
from cosemscope.transport.wpdu import HEADER_SIZE

#: Octets of each type of message, by its first octet: the least and the most.
_LEAST = np.array([1, 13, 3, 1, 3, 3, 3])
_MOST = np.array([0, 44, 3, 1, 3, 3, 3])


def settle_prime_rows(wpdus: WpduTable, rows: slice, source: PayloadSource) -> npt.NDArray[np.int64]:
    """Take the tag from those of these rows that carry such a message; which ones they are, int64[n]."""
    tag, length = wpdus["apdu_tag"][rows], wpdus["length"][rows]
    likely = (tag >= 1) & (tag < len(_LEAST)) & (wpdus["framing"][rows] == Framing.WRAPPER)
    found = np.flatnonzero(likely)
    kind, size = tag[found], length[found]
    found = found[(size >= _LEAST[kind]) & (size <= _MOST[kind])] + rows.start
    prime = [row for row in found.tolist() if prime_name(wpdus.octets(row, source.octets)[HEADER_SIZE:])]
    wpdus["apdu_tag"][prime] = -1
    return np.array(prime, np.int64)
