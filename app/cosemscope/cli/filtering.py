"""`--filter` of the commands that read a capture: which of its rows they are about.

wanted = load_filter(arguments)
rows = filtered_rows(wanted, associations)
"""

import argparse
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.filter.display_filter import DisplayFilter, FilterError, compile_filter
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.cli.terminal import show_progress


def add_filter_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """`--filter`; `what` says what is left: "only WPDUs that it leaves"."""
    parser.add_argument(
        "--filter",
        metavar="FILTER",
        default="",
        help=f"a display filter, {what}: 'response_time > 500ms && obis == 1.0.*.8.0.255'; "
        "`cosemscope filter-help` tells the language",
    )


def load_filter(arguments: argparse.Namespace) -> DisplayFilter:
    """The filter that `--filter` names, else one that leaves everything. Raises CommandError."""
    try:
        return compile_filter(arguments.filter)
    except FilterError as error:
        raise CommandError(f"--filter: {error.pointed(arguments.filter)}") from None


def filtered_rows(
    wanted: DisplayFilter, associations: Associations, more: Iterable[RowField] = ()
) -> npt.NDArray[np.int64]:
    """The WPDU rows that a filter leaves, int64[n], after the pass that it and `more` need.

    `associations` of a capture that was read to its end have not been walked. Raises CaptureError, OSError.
    """
    wanted.prepare(associations, more, progress=show_progress)
    return wanted.rows(associations.analysis, associations=associations, progress=show_progress)
