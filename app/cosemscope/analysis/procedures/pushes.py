"""Pushes with their destinations, and transfers by general-block-transfer."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.procedures.procedure import (
    Procedure,
    ProcedureKind,
    ProcedureSource,
    ProcedureVerdict,
    missing_numbers,
)
from cosemscope.wording import count

Numbers = npt.NDArray[np.int64]


def pushes(source: ProcedureSource) -> list[Procedure]:
    """The notifications of each association, with the end that they were sent to."""
    rows = np.flatnonzero(source.facts.statuses == ExchangeStatus.NOTIFICATION)
    of = source.facts.associations.of[rows]
    order = np.argsort(of, kind="stable")
    starts = np.flatnonzero(np.diff(of[order], prepend=-1))
    return [_push(source, group.tolist()) for group in np.split(rows[order], starts[1:]) if len(group)]


def _push(source: ProcedureSource, group: list[int]) -> Procedure:
    exchanges = source.exchanges
    first = group[0]
    ends = source.analysis.endpoints(int(exchanges["stream"][first]))
    destination = ends[1 - int(exchanges["side"][first])]
    # Of a confirmed push the client's confirmation is the answer.
    confirmed = int((exchanges["responses"][group] > 0).sum()) if _asks(source, first) else 0
    verdict = ProcedureVerdict.COMPLETE if confirmed == len(group) else ProcedureVerdict.SENT
    text = f"{count(len(group), 'notification')} to {destination}"
    return Procedure(
        ProcedureKind.PUSH,
        verdict,
        text + (f", {confirmed:,} confirmed" if confirmed else ""),
        tuple(group),
        len(group),
        None,
        source.obis(first) if source.named[first] else "",
        {"destination": str(destination), "notifications": len(group), "confirmed": confirmed},
    )


def _asks(source: ProcedureSource, exchange: int) -> bool:
    return int(source.exchanges["request"][exchange]) >= 0


def block_transfers(source: ProcedureSource) -> list[Procedure]:
    """Each exchange with blocks of general-block-transfer, and each direction of it that has blocks."""
    analysis = source.analysis
    of = source.facts.of
    rows = np.flatnonzero((analysis.first_look["general_block"][: len(of)] >= 0) & (of >= 0))
    key = of[rows].astype(np.int64) * 2 + analysis.wpdus["direction"][rows]
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    return [_transfer(source, group) for group in np.split(rows[order], starts[1:]) if len(group)]


def _transfer(source: ProcedureSource, rows: Numbers) -> Procedure:
    look = source.analysis.first_look
    numbers, last = look["general_block"][rows], look["general_last"][rows] > 0
    total = int(numbers[last].max()) if last.any() else None
    seen = np.unique(numbers)
    lacking, missing = missing_numbers(seen.tolist(), 1, total if total is not None else int(seen[-1]))
    repeated = len(numbers) - len(seen)
    late = int((np.diff(numbers) < 0).sum())
    told = [f"{len(seen):,}" + (f" of {count(total, 'block')}" if total is not None else " blocks")]
    told += [f"{lacking:,} missing"] if lacking else []
    told += [f"{repeated:,} repeated"] if repeated else []
    told += [f"{late:,} out of order"] if late else []
    verdict = ProcedureVerdict.COMPLETE
    if lacking or total is None:
        verdict = ProcedureVerdict.PARTIAL if total is not None else ProcedureVerdict.UNFINISHED
    exchange = int(source.facts.of[rows[0]])
    return Procedure(
        ProcedureKind.GENERAL_BLOCK_TRANSFER,
        verdict,
        ", ".join(told),
        (exchange,),
        len(seen),
        total,
        source.obis(exchange) if source.named[exchange] else "",
        {"missing": missing, "repeated": repeated, "out_of_order": late},
    )
