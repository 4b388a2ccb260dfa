"""All procedures of a capture, in the order in which they began."""

from cosemscope.analysis.associations.looks import Associations
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


def find_procedures(associations: Associations) -> list[Procedure]:
    """The procedures of a capture whose rows `associations` have all walked.

    Raises CaptureError and OSError when the capture's octets cannot be read.
    """
    source = ProcedureSource(associations)
    if not len(source.exchanges):
        return []
    found = [procedure for finder in FINDERS for procedure in finder(source)]
    return sorted(found, key=lambda procedure: procedure.exchanges[0])
