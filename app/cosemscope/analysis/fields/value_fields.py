"""Fields of values: what an answer, or a SET request, says of its object, and in which unit.

Numbers have their scalers applied, wherever in the capture these were told; what is no number or text is told
in words. Of lists and profiles it is the words too: their tables are for the object view.
"""

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import Values, object_array
from cosemscope.analysis.fields.value_types import Quantity, Term


@declared(
    "value",
    Quantity(),
    "Value",
    "What an answer, or a SET request, says of its object, with its scaler applied",
    cost=Cost.TREE,
)
def _value(asked: AskedRows) -> Values:
    return object_array([told.value for told in asked.told_values])


@declared("unit", Term(), "Unit", "Unit of the value, as the meter told it (IEC 62056-6-2)", cost=Cost.TREE)
def _unit(asked: AskedRows) -> Values:
    return object_array([told.unit for told in asked.told_values])
