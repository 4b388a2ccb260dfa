"""What the AARQ and AARE of an association say: titles, context, mechanism, conformance, PDU sizes.

They are read when somebody asks for an association. What is ciphered in them is known once a walk over the
associations, with the keys for it, has opened it.
"""

from typing import NamedTuple

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.outcomes.association_table import AssociationTable
from cosemscope.apdu.acse_facts import AcseFacts, acse_facts
from cosemscope.apdu.context import CipheredPart
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.streams.tables.row_apdus import apdu_octets

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
    opening = int(table.opening[association])
    if opening < 0:
        return AssociationDetails()
    rows = (int(exchanges[name][opening]) for name in ("request", "last_response"))
    return AssociationDetails(
        *(_facts(analysis, row, who) for row, who in zip(rows, ("calling", "responding"), strict=True))
    )


def _facts(analysis: Analysis, row: int, who: str) -> AcseFacts:
    if row < 0:
        return _NOTHING
    opened = analysis.acse.get(row)
    if opened is not None:
        return opened
    apdu = apdu_octets(analysis.octets(row), int(analysis.wpdus["framing"][row]))
    return acse_facts(apdu[_LLC_SIZE:] if apdu[:1] == bytes((_LLC,)) else apdu, who, _no_key)


def _no_key(part: CipheredPart) -> Opening:
    return Opening(Verdict.NO_KEY)
