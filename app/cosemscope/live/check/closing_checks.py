"""Checks of connections: how they end, what one does to another, how long one may rest."""

import asyncio

from cosemscope.live.check.bench import (
    Bench,
    Finding,
    failed,
    inapplicable,
    inconclusive,
    is_reset,
    passed,
)
from cosemscope.live.check.probe import Gone, Outcome, Probe, Unfinished
from cosemscope.live.check.stream_checks import declared_longer
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.transport.wpdu import BadVersion, Wpdu


async def abort(bench: Bench) -> Finding:
    """A RST in mid-message, then a new connection."""
    probe = await bench.connect("first")
    await probe.send(declared_longer(bench))
    bench.abort(probe)
    again = await bench.served_again("a reset in mid-message")
    if again is None:
        return passed(f"a new connection after the reset is served{bench.slots.words}")
    return again


async def _end_after_fin(bench: Bench, probe: Probe) -> Outcome:
    """What comes after our FIN when all answers have: the end, silence, or octets that are no WPDU."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + bench.options.answer
    while isinstance(outcome := await probe.outcome(max(0.0, ends_at - loop.time())), Wpdu):
        bench.standing(probe, outcome)
    return outcome


async def half_close(bench: Bench) -> Finding:
    """AARQ, then FIN: the answer still comes, then the server's FIN."""
    probe = await bench.connect()
    bench.expect(probe, bench.aarq)
    await probe.send(bench.aarq)
    probe.half_close()
    first = await bench.answer(probe)
    if isinstance(first, Wpdu):
        last = await _end_after_fin(bench, probe)
        if is_reset(last):
            return failed("the answer still comes after FIN, then the server resets instead of closing")
        if isinstance(last, Gone):
            return passed("the answer still comes after FIN, then the server closes its side")
    else:
        last = first
    if isinstance(last, Gone) and last.fault.fault is Fault.CLOSED:
        return inconclusive(
            "the server closes without an answer: it took FIN for the wish to disconnect at once"
        )
    if isinstance(last, Gone):
        return failed("the server resets the connection instead of closing it")
    if isinstance(last, BadVersion | Unfinished):
        return failed(bench.describe(last))
    waited = f"{bench.options.answer:g} s after FIN"
    return failed(f"the server does not close its side: {waited} {bench.describe(last)}")


async def closes_in_order(bench: Bench) -> Finding:
    """FIN when nothing is owed any more: the server answers with FIN, not with RST."""
    probe = await bench.connect()
    for wpdu in (bench.aarq, bench.rlrq):
        outcome = await bench.ask(probe, wpdu)
        if not isinstance(outcome, Wpdu):
            return inconclusive(f"there is no exchange to close after: {bench.describe(outcome)}")
    probe.half_close()
    last = await _end_after_fin(bench, probe)
    if is_reset(last):
        return failed("to FIN, with everything answered, the server resets the connection")
    if isinstance(last, Gone):
        return passed("to FIN, with everything answered, the server closes its side with FIN")
    if isinstance(last, BadVersion | Unfinished):
        return failed(f"after FIN {bench.describe(last)}")
    return failed(f"the server does not close its side within {bench.options.answer:g} s of FIN")


async def second_connection(bench: Bench) -> Finding:
    """A second connection is served or refused, and the first does not suffer."""
    first = await bench.connect("first")
    opening = await bench.ask(first, bench.aarq)
    if not isinstance(opening, Wpdu):
        return inconclusive(f"the first connection gets no answer: {bench.describe(opening)}")
    refusal = await _try_second(bench)
    after = await bench.ask(first, bench.rlrq)
    if isinstance(after, Gone) or (bench.slots.releases and not isinstance(after, Wpdu)):
        words = bench.describe(after)
        return failed(f"the second connection breaks the first: to RLRQ on the first {words}")
    await bench.close(first)
    if refusal is not None:
        return inapplicable(
            f"{refusal}: a server may have one connection only (class 41, nb_of_sim_conn); the first goes on"
        )
    return passed("both connections are served")


async def first_alone(bench: Bench) -> str | None:
    """The first connection of `second_connection`, and no second one."""
    try:
        first = await bench.connect("control: alone")
    except LinkError as error:
        return error.message
    for name, wpdu in (("AARQ", bench.aarq), ("RLRQ", bench.rlrq)):
        outcome = await bench.ask(first, wpdu)
        optional = name == "RLRQ" and not bench.slots.releases
        if isinstance(outcome, Gone) or not (optional or isinstance(outcome, Wpdu)):
            return f"to {name} on a connection that is alone {bench.describe(outcome)}"
        await asyncio.sleep(min(bench.options.quiet, 0.2))
    await bench.close(first)
    return None


async def _try_second(bench: Bench) -> str | None:
    """None when a second connection is served too, else what happened to it."""
    try:
        second = await bench.connect("second", beside=True)
    except LinkError as error:
        return f"the second connection: {error.message}"
    outcome = await bench.ask(second, bench.aarq)
    if not isinstance(outcome, Wpdu):
        return f"the second connection: {bench.describe(outcome)}"
    if isinstance(await bench.ask(second, bench.rlrq), Wpdu):
        await second.close()
    else:
        second.abort()
    return None


async def idle(bench: Bench) -> Finding:
    """Nothing for a time, then AARQ."""
    probe = await bench.connect()
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + bench.options.idle
    while isinstance(waiting := await probe.outcome(max(0.0, ends_at - loop.time())), Wpdu):
        bench.standing(probe, waiting)
    rest = f"after {bench.options.idle:g} s without traffic"
    if is_reset(waiting):
        return failed(
            f"within {bench.options.idle:g} s without traffic it resets the connection, not closes it"
        )
    if isinstance(waiting, Gone):
        return inconclusive(
            f"after less than {bench.options.idle:g} s without traffic {bench.describe(waiting)}: "
            "its inactivity_time_out (class 41) may be that short"
        )
    outcome = await bench.ask(probe, bench.aarq)
    if not isinstance(outcome, Wpdu):
        return failed(f"{rest} {bench.describe(outcome)}")
    await bench.release(probe)
    return passed(f"{rest} {bench.describe(outcome)}")
