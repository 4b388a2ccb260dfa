"""Checks of wPorts: answers exchange them, nobody answers for another one, nobody answers All-station."""

import time

from cosemscope.live.check.bench import Bench, Finding, failed, inapplicable, inconclusive, passed
from cosemscope.live.check.probe import SILENCE, Gone
from cosemscope.transport.wpdu import HEADER_SIZE, Wpdu
from cosemscope.transport.wports import ALL_STATION


def wrong_pair(bench: Bench, answer: Wpdu, server: int) -> str | None:
    """None when an answer has the request's wPorts exchanged, else what it has and must have."""
    client = bench.options.client
    if (answer.source_wport, answer.destination_wport) == (server, client):
        return None
    return (
        f"the answer has source {answer.source_wport}, destination {answer.destination_wport}; "
        f"it must have {server} and {client}"
    )


async def swapped(bench: Bench) -> Finding:
    """The wPorts of an answer."""
    probe = await bench.connect()
    outcome = await bench.ask(probe, bench.aarq)
    if not isinstance(outcome, Wpdu):
        return inconclusive(f"there is no answer to look at: {bench.describe(outcome)}")
    await bench.release(probe)
    wrong = wrong_pair(bench, outcome, bench.options.server)
    pair = f"source {outcome.source_wport}, destination {outcome.destination_wport}"
    return failed(wrong) if wrong else passed(f"the answer has {pair}")


async def unknown_wport(bench: Bench) -> Finding:
    """AARQ for a wPort that nobody has, then for the right one."""
    return await _unanswered(
        bench, bench.options.unknown_wport, f"wPort {bench.options.unknown_wport}, which nobody has"
    )


async def all_station(bench: Bench) -> Finding:
    """AARQ for All-station, then for one logical device."""
    return await _unanswered(bench, ALL_STATION, "All-station (wPort 127)")


async def _unanswered(bench: Bench, destination: int, whom: str) -> Finding:
    probe = await bench.connect()
    bench.expect(probe, bench.aarq)
    await probe.send(bench.wpdu(bench.aarq[HEADER_SIZE:], destination=destination))
    outcome = await bench.answer(probe, bench.options.quiet)
    if isinstance(outcome, Gone):
        again = await bench.served_again(f"an APDU for {whom}")
        return again or inconclusive(
            f"to an APDU for {whom} {bench.describe(outcome)}: no rule was seen for that"
        )
    if outcome is not SILENCE:
        return failed(f"an APDU for {whom} must not be answered; {bench.describe(outcome)}")
    begun = time.monotonic()
    after = await bench.ask(probe, bench.aarq)
    # A server slower than `quiet` answers both of them now, each under the wPort that was asked.
    patience = max(bench.options.quiet, 2 * (time.monotonic() - begun))
    for late in (after, await bench.answer(probe, patience) if isinstance(after, Wpdu) else after):
        if isinstance(late, Wpdu) and late.source_wport == destination:
            words = f"an APDU for {whom} must not be answered"
            return failed(f"{words}; late, with the next answer, {bench.describe(late)}")
    if not isinstance(after, Wpdu):
        words = bench.describe(after)
        return failed(f"not answered, but to the next WPDU for wPort {bench.options.server} {words}")
    await bench.release(probe)
    return passed("not answered; the connection goes on")


async def second_device(bench: Bench) -> Finding:
    """Two logical devices on one connection, each asked and answering under its own wPort."""
    second = bench.options.second
    if not second:
        return inapplicable("no second logical device was named (--second)")
    probe = await bench.connect()
    for wport in (bench.options.server, second, bench.options.server):
        outcome = await bench.ask(probe, bench.wpdu(bench.aarq[HEADER_SIZE:], destination=wport))
        if not isinstance(outcome, Wpdu):
            if wport == second:
                words = bench.describe(outcome)
                return failed(f"to AARQ for wPort {second} on the same connection {words}")
            return inconclusive(f"to AARQ for wPort {wport} {bench.describe(outcome)}")
        wrong = wrong_pair(bench, outcome, wport)
        if wrong:
            return failed(f"asked at wPort {wport} in turn with another: {wrong}")
    bench.abort(probe)
    return passed(f"wPorts {bench.options.server} and {second} answer in turn, each under its own number")
