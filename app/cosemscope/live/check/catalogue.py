"""The checks, as one table: clause, what is sent, what is expected, and the function that finds out.

Where the standard's own text gives no rule, a check says "not decidable" and
why, rather than inventing one. Whatever whole WPDU comes back counts as an
answer: that an association is refused is no fault of the transport layer.
"""

import asyncio

from cosemscope.live.check.bench import Bench, Check, Finding, describe, failed, passed, undecided
from cosemscope.live.check.probe import SILENCE, Gone, Outcome
from cosemscope.live.check.udp_check import check_udp
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.transport.wpdu import HEADER_SIZE, BadVersion, Wpdu, WpduHeader

_CUT_IN_HEADER = 3
_MISSING_OCTETS = 100


async def _connects(bench: Bench) -> Finding:
    try:
        probe = await bench.connect()
    except LinkError as error:
        return failed(error.message)
    outcome = await probe.outcome(bench.options.quiet)
    await probe.close()
    if isinstance(outcome, Gone):
        return failed(f"the connection is accepted, then {describe(outcome)} before anything was sent")
    if isinstance(outcome, BadVersion):
        return failed(f"before anything was sent {describe(outcome)}")
    return passed("the connection is opened and stays open")


async def _one_segment(bench: Bench) -> Finding:
    probe = await bench.connect()
    outcome = await bench.ask(probe, bench.aarq)
    if not isinstance(outcome, Wpdu):
        return failed(f"to a whole AARQ in one segment {describe(outcome)}")
    bench.answers_to_pair = 1
    after = await bench.ask(probe, bench.rlrq)
    if isinstance(after, Wpdu):
        bench.answers_to_pair = 2
    await probe.close()
    return passed(f"{describe(outcome)}; to RLRQ {describe(after)}")


async def _in_pieces(bench: Bench, pieces: list[bytes], how: str) -> Finding:
    probe = await bench.connect()
    outcome = await bench.ask(probe, *pieces, pause=bench.options.pause)
    if not isinstance(outcome, Wpdu):
        return failed(f"to an AARQ {how} {describe(outcome)}")
    await bench.release(probe)
    return passed(describe(outcome))


async def _split_header(bench: Bench) -> Finding:
    whole = bench.aarq
    return await _in_pieces(bench, [whole[:_CUT_IN_HEADER], whole[_CUT_IN_HEADER:]], "split in its header")


async def _split_data(bench: Bench) -> Finding:
    whole = bench.aarq
    cut = HEADER_SIZE + (len(whole) - HEADER_SIZE) // 2
    return await _in_pieces(bench, [whole[:cut], whole[cut:]], "split in its data")


async def _octet_by_octet(bench: Bench) -> Finding:
    whole = bench.aarq
    pieces = [whole[index : index + 1] for index in range(len(whole))]
    probe = await bench.connect()
    outcome = await bench.ask(probe, *pieces, pause=min(bench.options.pause, 0.02))
    if not isinstance(outcome, Wpdu):
        return failed(f"to an AARQ sent an octet at a time {describe(outcome)}")
    await bench.release(probe)
    return passed(describe(outcome))


async def _two_in_one(bench: Bench) -> Finding:
    if bench.answers_to_pair < 2:
        return undecided("AARQ and RLRQ, sent one after the other, do not get two answers either")
    probe = await bench.connect()
    first = await bench.ask(probe, bench.aarq + bench.rlrq)
    if not isinstance(first, Wpdu):
        return failed(f"to AARQ and RLRQ in one segment {describe(first)}")
    second = await probe.outcome(bench.options.answer)
    if not isinstance(second, Wpdu):
        return failed(f"the first of two WPDUs in one segment was answered; to the second {describe(second)}")
    await probe.close()
    return passed(f"{describe(first)}, then {describe(second)}")


async def _swapped(bench: Bench) -> Finding:
    probe = await bench.connect()
    outcome = await bench.ask(probe, bench.aarq)
    if not isinstance(outcome, Wpdu):
        return undecided(f"there is no answer to look at: {describe(outcome)}")
    await bench.release(probe)
    options = bench.options
    pair = f"source {outcome.source_wport}, destination {outcome.destination_wport}"
    if (outcome.source_wport, outcome.destination_wport) != (options.server, options.client):
        return failed(f"the answer has {pair}; it must have {options.server} and {options.client}")
    return passed(f"the answer has {pair}")


async def _unknown_wport(bench: Bench) -> Finding:
    unknown = bench.options.unknown_wport
    probe = await bench.connect()
    stray = bench.wpdu(bench.aarq[HEADER_SIZE:], destination=unknown)
    await probe.send(stray)
    outcome = await probe.outcome(bench.options.quiet)
    if isinstance(outcome, Gone):
        return undecided(f"{describe(outcome)}; the rule (discard) is written for UDP, none was seen for TCP")
    if outcome is not SILENCE:
        return failed(
            f"an APDU for wPort {unknown}, which is reserved, must be discarded; {describe(outcome)}"
        )
    after = await bench.ask(probe, bench.aarq)
    if not isinstance(after, Wpdu):
        return failed(f"discarded, but to the next WPDU for wPort {bench.options.server} {describe(after)}")
    await bench.release(probe)
    return passed("discarded without an answer; the connection goes on")


async def _wrong_version(bench: Bench) -> Finding:
    probe = await bench.connect()
    await probe.send(bench.wpdu(bench.aarq[HEADER_SIZE:], version=2))
    outcome = await probe.outcome(bench.options.quiet)
    if isinstance(outcome, Wpdu):
        return failed(f"a WPDU of version 2 was taken as if it were of version 1: {describe(outcome)}")
    if isinstance(outcome, BadVersion):
        return failed(describe(outcome))
    probe.abort()
    again = await bench.served_again("a WPDU of version 2")
    return again or passed(f"not taken: {describe(outcome)}")


async def _length_zero(bench: Bench) -> Finding:
    probe = await bench.connect()
    await probe.send(bench.wpdu(b""))
    outcome = await probe.outcome(bench.options.quiet)
    if outcome is SILENCE or isinstance(outcome, Wpdu):
        after = await bench.ask(probe, bench.aarq)
        if isinstance(after, Wpdu):
            await bench.release(probe)
            return passed(f"to an empty WPDU {describe(outcome)}; the next WPDU is answered")
        return failed(f"after an empty WPDU, to the next one {describe(after)}")
    if isinstance(outcome, BadVersion):
        return failed(describe(outcome))
    again = await bench.served_again("an empty WPDU")
    return again or undecided(f"{describe(outcome)}; length 0 is representable, but no rule for it was seen")


def _declared_longer(bench: Bench) -> bytes:
    """The start of a WPDU whose header promises 100 octets more than follow."""
    apdu = bench.aarq[HEADER_SIZE:]
    header = WpduHeader(1, bench.options.client, bench.options.server, len(apdu) + _MISSING_OCTETS)
    return header.encode() + apdu


async def _longer_than_follows(bench: Bench) -> Finding:
    probe = await bench.connect()
    await probe.send(_declared_longer(bench))
    outcome = await probe.outcome(bench.options.quiet)
    if isinstance(outcome, Wpdu | BadVersion):
        return failed(f"{_MISSING_OCTETS} octets of the WPDU were missing, yet {describe(outcome)}")
    probe.abort()
    again = await bench.served_again("a WPDU that was never completed")
    return again or passed(f"while the rest was missing {describe(outcome)}; a new connection is served")


async def _abort(bench: Bench) -> Finding:
    probe = await bench.connect("first")
    await probe.send(_declared_longer(bench))
    probe.abort()
    again = await bench.served_again("a reset in mid-message")
    if again is None:
        return passed("a new connection right after the reset is served")
    await asyncio.sleep(bench.options.quiet)
    later = await bench.served_again("a while")
    return failed(
        f"{again.reason}; {bench.options.quiet:g} s later it {'is' if later is None else 'is not'} served"
    )


async def _half_close(bench: Bench) -> Finding:
    probe = await bench.connect()
    await probe.send(bench.aarq)
    probe.half_close()
    first = await probe.outcome(bench.options.answer)
    last: Outcome = first
    if isinstance(first, Wpdu):
        last = await probe.outcome(bench.options.answer)
    if isinstance(last, Gone) and isinstance(first, Wpdu):
        return passed("the answer still comes after FIN, then the server closes its side")
    if isinstance(last, Gone) and last.fault.fault is Fault.CLOSED:
        return undecided("the server closes without an answer: it took FIN as the wish to disconnect at once")
    if isinstance(last, Gone):
        return failed("the server resets the connection instead of closing it")
    if isinstance(last, BadVersion):
        return failed(describe(last))
    return failed(
        f"the server does not close its side: {bench.options.answer:g} s after FIN {describe(last)}"
    )


async def _second_connection(bench: Bench) -> Finding:
    first = await bench.connect("first")
    opening = await bench.ask(first, bench.aarq)
    if not isinstance(opening, Wpdu):
        return undecided(f"the first connection gets no answer: {describe(opening)}")
    refusal = await _try_second(bench)
    after = await bench.ask(first, bench.rlrq)
    if isinstance(after, Gone) or (bench.answers_to_pair == 2 and not isinstance(after, Wpdu)):
        return failed(f"the second connection breaks the first: to RLRQ on the first {describe(after)}")
    await first.close()
    if refusal is not None:
        return undecided(f"{refusal}; a server may allow one connection only (class 41, nb_of_sim_conn)")
    return passed("both connections are served")


async def _try_second(bench: Bench) -> str | None:
    """None when a second connection is served too, else what happened to it."""
    try:
        second = await bench.connect("second")
    except LinkError as error:
        return f"the second connection: {error.message}"
    outcome = await bench.ask(second, bench.aarq)
    if not isinstance(outcome, Wpdu):
        return f"the second connection: {describe(outcome)}"
    await bench.release(second)
    return None


async def _idle(bench: Bench) -> Finding:
    probe = await bench.connect()
    waiting = await probe.outcome(bench.options.idle)
    if isinstance(waiting, Gone):
        return undecided(
            f"after less than {bench.options.idle:g} s without traffic {describe(waiting)}: "
            "its inactivity_time_out (class 41) may be that short"
        )
    outcome = await bench.ask(probe, bench.aarq)
    if not isinstance(outcome, Wpdu):
        return failed(f"after {bench.options.idle:g} s without traffic {describe(outcome)}")
    await bench.release(probe)
    return passed(f"after {bench.options.idle:g} s without traffic {describe(outcome)}")


_TCP = ("tcp-connect",)
_ANSWERS = ("tcp-connect", "one-segment")

CHECKS: tuple[Check, ...] = (
    Check(
        "tcp-connect",
        "Connects on TCP",
        "6.3.5.2, Figure 8",
        "nothing: a TCP connection is opened",
        "The passive OPEN accepts it and waits for a WPDU.",
        _connects,
    ),
    Check(
        "one-segment",
        "WPDU in one segment",
        "6.3.3, Figure 7",
        "AARQ in one segment, then RLRQ",
        "Each is answered by a whole WPDU.",
        _one_segment,
        _TCP,
    ),
    Check(
        "split-header",
        "WPDU split in its header",
        "6.3.5.4, Figure A.6",
        f"AARQ cut after {_CUT_IN_HEADER} octets",
        "The server collects the whole APDU, then answers.",
        _split_header,
        _ANSWERS,
    ),
    Check(
        "split-data",
        "WPDU split in its data",
        "6.3.5.4, Figure A.6",
        "AARQ cut in the middle of the APDU",
        "The server collects the whole APDU, then answers.",
        _split_data,
        _ANSWERS,
    ),
    Check(
        "octet-by-octet",
        "WPDU an octet at a time",
        "6.3.5.4, Figure A.6",
        "AARQ, each octet in a segment of its own",
        "The server collects the whole APDU, then answers.",
        _octet_by_octet,
        _ANSWERS,
    ),
    Check(
        "two-in-one",
        "Two WPDUs in one segment",
        "6.3.3, 6.3.5.4",
        "AARQ and RLRQ in one segment",
        "Both are answered: TCP keeps no boundaries, the length field does.",
        _two_in_one,
        _ANSWERS,
    ),
    Check(
        "swapped-wports",
        "Answer has the wPorts swapped",
        "5.3.2, 6.3.4",
        "AARQ",
        "The answer's source is the request's destination, and the other way round.",
        _swapped,
        _ANSWERS,
    ),
    Check(
        "unknown-wport",
        "Unknown destination wPort",
        "5.3.5, 6.3.4, Table 1",
        "AARQ for a reserved wPort, then AARQ for the right one",
        "The first is discarded without an answer, the second is answered.",
        _unknown_wport,
        _ANSWERS,
    ),
    Check(
        "wrong-version",
        "Wrong version",
        "5.3.2",
        "AARQ in a WPDU of version 2, then a new connection",
        "It is not taken; the server closes or drops it, and serves the next connection.",
        _wrong_version,
        _ANSWERS,
    ),
    Check(
        "length-zero",
        "Length 0",
        "5.3.2, Figure 4",
        "a header without data, then AARQ",
        "The empty WPDU does no harm; AARQ is answered.",
        _length_zero,
        _ANSWERS,
    ),
    Check(
        "longer-than-follows",
        "Length longer than what follows",
        "6.3.5.4",
        f"AARQ whose length promises {_MISSING_OCTETS} octets more, then silence, then a new connection",
        "No answer to a part of an APDU; the server is not blocked by it.",
        _longer_than_follows,
        _ANSWERS,
    ),
    Check(
        "abort",
        "Abort in mid-message",
        "6.2.4, 6.3.5.4, Figure A.4",
        "part of an AARQ, RST, and a new connection at once",
        "The part is thrown away; the new connection is served.",
        _abort,
        _ANSWERS,
    ),
    Check(
        "half-close",
        "Half-close",
        "6.3.5.3, Figures 9 and A.3",
        "AARQ, then FIN",
        "The answer comes, then the server closes its side.",
        _half_close,
        _ANSWERS,
    ),
    Check(
        "second-connection",
        "Second connection while the first is open",
        "6.2.2, class 41",
        "AARQ on one connection, AARQ on another, RLRQ on the first",
        "Both are served, or the second is refused; the first does not suffer.",
        _second_connection,
        _ANSWERS,
    ),
    Check(
        "idle",
        "Idle for a time",
        "6.3.5.3, class 41",
        "nothing for a time, then AARQ",
        "The connection is still served, or has been closed in order.",
        _idle,
        _ANSWERS,
    ),
    Check(
        "udp",
        "Answers over UDP",
        "5.2, 5.3.3, Figure 5",
        "AARQ in one datagram",
        "One datagram comes back with exactly one WPDU, wPorts swapped.",
        check_udp,
    ),
)
