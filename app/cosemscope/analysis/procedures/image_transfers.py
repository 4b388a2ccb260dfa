"""Image transfers: blocks sent, refused and missing, verified, activated (IEC 62056-6-2, class 18)."""

from typing import Any

from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.procedures.procedure import (
    Procedure,
    ProcedureKind,
    ProcedureSource,
    ProcedureVerdict,
    missing_numbers,
)
from cosemscope.apdu.names import tags as t
from cosemscope.wording import count

_IMAGE_TRANSFER, _BLOCK_SIZE = 18, 2
_INITIATE, _BLOCK, _VERIFY, _ACTIVATE = 1, 2, 3, 4
_TEMPORARY_FAILURE = 2
#: Where the parameters of a block stand in an ACTION request: a structure of two, the first a number.
_PARAMETERS, _BEGIN = 13, b"\x02\x02\x06"


def image_transfers(source: ProcedureSource) -> list[Procedure]:
    """Each transfer on a wPort pair, from its initiate, or the first step captured, to the next one."""
    groups: dict[int, list[list[int]]] = {}
    members = source.exchanges["member"]
    for exchange in source.asking(t.ACTION_REQUEST, _IMAGE_TRANSFER).tolist():
        mine = groups.setdefault(int(source.exchanges["pair"][exchange]), [])
        if not mine or int(members[exchange]) == _INITIATE:
            mine.append([])
        mine[-1].append(exchange)
    sizes = {
        int(source.exchanges["pair"][exchange]): source.answer(exchange)
        for exchange in source.asking(t.GET_REQUEST, _IMAGE_TRANSFER, _BLOCK_SIZE).tolist()
    }
    return [_transfer(source, group, sizes.get(pair)) for pair, mine in groups.items() for group in mine]


def _transfer(source: ProcedureSource, group: list[int], block_size: Any) -> Procedure:
    steps: dict[int, list[int]] = {}
    for exchange in group:
        steps.setdefault(int(source.exchanges["member"][exchange]), []).append(exchange)
    identifier, size = _initiated(source, steps.get(_INITIATE, []))
    blocks = steps.get(_BLOCK, [])
    sent, accepted, refused = set(), set(), 0
    for exchange in blocks:
        number = _number(source, exchange)
        status = source.status(exchange)
        sent.add(number)
        if status is ExchangeStatus.ANSWERED:
            accepted.add(number)
        refused += status is ExchangeStatus.ERROR
    if not isinstance(block_size, int) or block_size <= 0:
        block_size = _octets(source, blocks[0]) if blocks else None
    total = -(-size // block_size) if size is not None and block_size else None
    until = total if total is not None else max(sent, default=-1) + 1
    lacking, missing = missing_numbers(accepted, 0, until - 1)
    verified, activated = (_step(source, steps.get(member, [])) for member in (_VERIFY, _ACTIVATE))
    verdict = _verdict(source, steps, lacking, verified, activated)
    told = [f"{len(accepted):,}" + (f" of {count(total, 'block')}" if total is not None else " blocks")]
    told += [f"{refused:,} refused"] if refused else []
    told += [f"{lacking:,} missing"] if lacking else []
    told += [f"verification {verified}"] if verified else []
    told += [f"activation {activated}"] if activated else []
    return Procedure(
        ProcedureKind.IMAGE_TRANSFER,
        verdict,
        ", ".join(told),
        tuple(group),
        len(accepted),
        total,
        source.obis(group[0]),
        {
            "identifier": identifier,
            "size": size,
            "block_size": block_size,
            "sent": len(blocks),
            "refused": refused,
            "missing": missing,
            "verified": verified,
            "activated": activated,
        },
    )


def _verdict(
    source: ProcedureSource,
    steps: dict[int, list[int]],
    lacking: int,
    verified: str | None,
    activated: str | None,
) -> ProcedureVerdict:
    """What came of it: the last of its steps decides."""
    for member, told in ((_ACTIVATE, activated), (_VERIFY, verified)):
        if told is not None and told != "running":
            last = source.verdict(steps[member][-1])
            return ProcedureVerdict.PARTIAL if last is ProcedureVerdict.COMPLETE and lacking else last
    initiated = source.verdict(steps[_INITIATE][-1]) if _INITIATE in steps else ProcedureVerdict.COMPLETE
    if _BLOCK not in steps and initiated is not ProcedureVerdict.COMPLETE:
        return initiated
    return ProcedureVerdict.PARTIAL if lacking else ProcedureVerdict.UNFINISHED


def _step(source: ProcedureSource, exchanges: list[int]) -> str | None:
    """How verification or activation went: "success", "running", or why not; None where nobody asked."""
    if not exchanges:
        return None
    last = exchanges[-1]
    if source.status(last) is ExchangeStatus.ANSWERED:
        return "success"
    running = int(source.exchanges["result"][last]) == _TEMPORARY_FAILURE
    return "running" if running else source.failure(last)


def _initiated(source: ProcedureSource, exchanges: list[int]) -> tuple[str | None, int | None]:
    """Identifier and size of the image, as the initiate names them."""
    value = source.sent_value(exchanges[-1]) if exchanges else None
    if not isinstance(value, tuple) or len(value) != 2 or not isinstance(value[1], int):
        return None, None
    name = value[0]
    if isinstance(name, bytes):
        name = name.decode("ascii") if name.isascii() and name.decode("ascii").isprintable() else name.hex()
    return str(name), value[1]


def _number(source: ProcedureSource, exchange: int) -> int:
    """The number of a block; -1 where it cannot be read."""
    plain = source.plain_request(exchange)
    stop = _PARAMETERS + len(_BEGIN)
    if plain[_PARAMETERS:stop] == _BEGIN:
        return int.from_bytes(plain[stop : stop + 4], "big")
    value = source.sent_value(exchange)
    return value[0] if isinstance(value, tuple) and value and isinstance(value[0], int) else -1


def _octets(source: ProcedureSource, exchange: int) -> int | None:
    """The octets of a block."""
    value = source.sent_value(exchange)
    known = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], bytes)
    return len(value[1]) or None if known else None
