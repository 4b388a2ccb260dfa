"""When procedures began and how long they took, from the first octet of their first exchange."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.procedures.procedure import Numbers, Procedure


class ProcedureTimes(NamedTuple):
    """`begin`: ns since the epoch, `duration`: ns, never negative; int64[procedures] each."""

    begin: Numbers
    duration: Numbers


def procedure_times(exchanges: Exchanges, procedures: Sequence[Procedure]) -> ProcedureTimes:
    """The times of procedures, from the table of the exchanges that they are made of."""
    firsts, lasts = (np.array([one.exchanges[at] for one in procedures], np.int64) for at in (0, -1))
    begin = np.where(exchanges["request_start"] != 0, exchanges["request_start"], exchanges["response_start"])
    end = np.maximum(exchanges["request_end"], exchanges["response_end"])
    return ProcedureTimes(begin[firsts], np.maximum(end[lasts] - begin[firsts], 0))
