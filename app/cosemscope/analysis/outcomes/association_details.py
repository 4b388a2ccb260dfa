"""What the AARQ and AARE of an association say: titles, context, mechanism, conformance, PDU sizes.

They are read when somebody asks for an association. What is ciphered in them is known once a walk over the
associations, with the keys for it, has opened it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.outcomes.association_table import AssociationTable
from cosemscope.apdu.acse_facts import AcseFacts, acse_facts
from cosemscope.apdu.context import CipheredPart
from cosemscope.apdu.opening import Opening, Verdict

_NOTHING = AcseFacts()
_LLC = 0xE6
_LLC_SIZE = 3
_HLS = 2


class AssociationDetails(NamedTuple):
    """The facts of the AARQ and those of the AARE; empty ones where these were not captured."""

    asked: AcseFacts = _NOTHING
    answered: AcseFacts = _NOTHING

    @property
    def mechanism(self) -> AcseFacts:
        """The facts that name the mechanism: those of the AARE where it names one."""
        return self.answered if self.answered.mechanism_name else self.asked

    def hls_passes(self, asked: int, answered: int) -> int:
        """How far HLS came: 1 and 2 with the challenges, 3 and 4 with the answers to them; 0 without HLS.

        `asked`, `answered`: how often the client sent its answer, and got the server's.
        """
        if self.mechanism.mechanism < _HLS:
            return 0
        if asked:
            return 4 if answered else 3
        return 2 if self.answered.challenge else 1


def association_details(
    analysis: Analysis, exchanges: Exchanges, table: AssociationTable, association: int
) -> AssociationDetails:
    """The details of an association. Raises CaptureError and OSError when octets cannot be read."""
    (details,) = details_of(analysis, exchanges, table, np.array([association]))
    return details


def details_of(
    analysis: Analysis, exchanges: Exchanges, table: AssociationTable, associations: npt.NDArray[np.int64]
) -> list[AssociationDetails]:
    """The details of several associations, whose APDUs are read at once. Raises as `association_details`."""
    opening = table.opening[associations]
    asked, answered = (
        _facts(analysis, np.where(opening >= 0, exchanges[name][opening], -1), who)
        for name, who in (("request", "calling"), ("last_response", "responding"))
    )
    return list(map(AssociationDetails, asked, answered))


def _facts(analysis: Analysis, rows: npt.NDArray[np.int64], who: str) -> list[AcseFacts]:
    """What these WPDU rows say; nothing for -1."""
    found = [_NOTHING] * len(rows)
    there = np.flatnonzero(rows >= 0)
    for place, row, apdu in zip(
        there.tolist(), rows[there].tolist(), analysis.apdus_of(rows[there]), strict=True
    ):
        apdu = apdu[_LLC_SIZE:] if apdu[:1] == bytes((_LLC,)) else apdu
        found[place] = analysis.acse.get(row) or acse_facts(apdu, who, _no_key)
    return found


def _no_key(part: CipheredPart) -> Opening:
    return Opening(Verdict.NO_KEY)
