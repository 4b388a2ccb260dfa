"""Answers that the capture lost: octets of the answerer are missing where the answer would stand."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.capture.columns import Array
from cosemscope.streams.tables.stream_kinds import HOLE

Numbers = npt.NDArray[np.int64]
_NEVER = np.iinfo(np.int64).max


def lost_answers(analysis: Analysis, exchanges: Exchanges, rows: Numbers) -> npt.NDArray[np.bool_]:
    """Whether the answers of these exchanges, which have none, may be what the capture lacks, bool[n].

    That is where octets of the answering side are missing behind the request, before that side's next WPDU.
    """
    items, wpdus = analysis.expert_items, analysis.wpdus
    holes = np.flatnonzero(items["kind"] == HOLE.number)
    if not len(holes) or not len(rows):
        return np.zeros(len(rows), np.bool_)
    missing = _keys(items["stream"][holes], items["direction"][holes], items["packet"][holes])
    concerned = np.zeros(len(analysis.streams), np.bool_)
    concerned[exchanges["stream"][rows]] = True
    said = np.flatnonzero(concerned[wpdus["stream"]])
    told = _keys(wpdus["stream"][said], wpdus["direction"][said], wpdus["last_packet"][said])
    asked = wpdus["last_packet"][exchanges["last_request"][rows]]
    key = _keys(exchanges["stream"][rows], 1 - exchanges["side"][rows], asked, in_order=False)
    hole, next_told = _behind(missing, key), _behind(told, key)
    lost: npt.NDArray[np.bool_] = (hole != _NEVER) & (hole <= next_told)
    return lost


def _keys(stream: Array, side: Array, packet: Array, *, in_order: bool = True) -> Numbers:
    """Stream, side and packet as one number each, int64[n], ascending if they are to be in order."""
    keys = (stream.astype(np.int64) * 2 + side) << 32 | packet.astype(np.int64)
    return np.sort(keys) if in_order else keys


def _behind(sorted_keys: Numbers, keys: Numbers) -> Numbers:
    """The first of these keys behind each key, of its stream and side, int64[n]; the largest for none."""
    if not len(sorted_keys):
        return np.full(len(keys), _NEVER)
    at = np.minimum(sorted_keys.searchsorted(keys, "right"), len(sorted_keys) - 1)
    found = sorted_keys[at]
    return np.where((found > keys) & (found >> 32 == keys >> 32), found, _NEVER)
