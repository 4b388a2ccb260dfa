"""Security of associations from the columns of their WPDUs: policies, suites, counters of both sides."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.first_look import ApduKind
from cosemscope.capture.columns import Columns

Numbers = npt.NDArray[np.int64]
#: What services can be, by bits 4 and 5 of security control (IEC 62056-5-3); ciphered ones without either are
#: as good as clear.
POLICIES = ("clear", "authenticated", "encrypted", "authenticated-encrypted")


class AssociationSecurity(NamedTuple):
    """Security of n associations.

    `policies`, bool[n, 4]: which of `POLICIES` their services had; `suite`, int64[n]: the highest one, -1
    none; `first`, `last`, int64[n, 2]: the lowest and the highest invocation counter of client and server, -1
    none; `hls`, u1[n]: the worst HlsAnswer.
    """

    policies: npt.NDArray[np.bool_]
    suite: Numbers
    first: Numbers
    last: Numbers
    hls: npt.NDArray[np.uint8]


_SERVICES = (ApduKind.REQUEST, ApduKind.RESPONSE, ApduKind.UNCONFIRMED, ApduKind.NOTIFICATION)


def association_security(
    count: int,
    of: Numbers,
    look: Columns,
    hls_answers: Mapping[int, int],
    from_client: npt.NDArray[np.bool_],
) -> AssociationSecurity:
    """The security of `count` associations.

    `of`, int64[rows]: that of each WPDU row, -1 none; `from_client`, bool[rows]; `hls_answers`: by row.
    """
    rows = np.flatnonzero(of >= 0)
    mine, control = of[rows], look["security"][rows]
    ciphered = control >= 0
    # What was opened without a control octet at its usual place is not clear, whatever it is.
    told = ciphered | np.isin(look["kind"][rows], _SERVICES) & (look["inner"][rows] < 0)
    policy = np.where(ciphered, control >> 4 & 3, 0)
    seen = np.bincount(mine[told] * 4 + policy[told], minlength=4 * count).reshape(-1, 4) > 0
    suite = np.full(count, -1, np.int64)
    np.maximum.at(suite, mine[ciphered], (control[ciphered] & 0x0F).astype(np.int64))
    counter = look["invocation_counter"][rows]
    counting = np.flatnonzero(counter >= 0)
    whose = mine[counting] * 2 + ~from_client[rows[counting]]
    most = np.iinfo(np.int64).max
    first, last = np.full(2 * count, most, np.int64), np.full(2 * count, -1, np.int64)
    np.minimum.at(first, whose, counter[counting])
    np.maximum.at(last, whose, counter[counting])
    hls = np.zeros(count, np.uint8)
    for row, answer in list(hls_answers.items()):
        if row < len(of) and of[row] >= 0:
            hls[of[row]] = max(hls[of[row]], answer)
    return AssociationSecurity(
        seen, suite, np.where(first == most, -1, first).reshape(-1, 2), last.reshape(-1, 2), hls
    )
