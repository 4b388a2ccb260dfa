"""The pass over all rows that fields need before they are asked: none, of associations, or of trees."""

from collections.abc import Callable, Iterable

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.fields.row_field import Cost, RowField


def make_pass(
    fields: Iterable[RowField],
    associations: Associations,
    *,
    looks: bool = False,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Complete what these fields tell of a capture that was read to its end.

    With `looks` also what those that cost a look tell where nobody looks: they are arrays afterwards.
    `associations` have not been walked; `told` is called with the rows that are done and their number. Raises
    CaptureError and OSError when the capture's octets cannot be read any more.
    """
    costs = {field.cost for field in fields}
    if Cost.TREES in costs:
        from cosemscope.analysis.expert.run import find_items  # with all its checks, which few fields need

        find_items(associations, progress=told)
    elif Cost.WHOLE in costs or (looks and not costs.isdisjoint((Cost.LOOK, Cost.TREE))):
        complete(associations, told=told)
