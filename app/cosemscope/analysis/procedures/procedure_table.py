"""All procedures of a capture, in the order in which they began."""

from collections.abc import Callable

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts
from cosemscope.analysis.procedures.association_procedures import association_procedures
from cosemscope.analysis.procedures.image_transfers import image_transfers
from cosemscope.analysis.procedures.procedure import Procedure, ProcedureFinder, ProcedureSource
from cosemscope.analysis.procedures.pushes import block_transfers, pushes
from cosemscope.analysis.procedures.reading_procedures import reading_procedures
from cosemscope.analysis.procedures.setting_procedures import clock_sets, key_changes

#: Who looks for procedures.
FINDERS: tuple[ProcedureFinder, ...] = (
    association_procedures,
    reading_procedures,
    image_transfers,
    key_changes,
    clock_sets,
    pushes,
    block_transfers,
)


def find_procedures(
    associations: Associations,
    facts: CaptureFacts | None = None,
    *,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> list[Procedure]:
    """The procedures of a capture whose rows `associations` have all walked, as its `facts` are.

    `told` hears how many kinds were looked for, and their number; what it raises comes out. Raises
    CaptureError and OSError when the capture's octets cannot be read.
    """
    source = ProcedureSource(associations, facts)
    if not len(source.exchanges):
        return []
    found = []
    for done, finder in enumerate(FINDERS):
        told(done, len(FINDERS))
        found += finder(source)
    return sorted(found, key=lambda procedure: procedure.exchanges[0])
