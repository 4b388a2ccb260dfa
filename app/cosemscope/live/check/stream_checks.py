"""Checks of WPDUs in the stream of one connection: however they are cut, joined, wrong or short."""

import asyncio

from cosemscope.live.check.bench import Bench, Finding, failed, inconclusive, is_reset, passed
from cosemscope.live.check.probe import SILENCE, Gone, Unfinished
from cosemscope.live.links.answers import Standing
from cosemscope.live.links.faults import LinkError
from cosemscope.transport.wpdu import HEADER_SIZE, BadVersion, Wpdu, WpduHeader
from cosemscope.wording import count

CUT_IN_HEADER = 3
MISSING_OCTETS = 100


async def connects(bench: Bench) -> Finding:
    """A connection is accepted, and nothing is said before the client does."""
    try:
        probe = await bench.connect()
    except LinkError as error:
        return failed(error.message)
    outcome = await probe.outcome(bench.options.quiet)
    await bench.close(probe)
    if isinstance(outcome, Gone):
        return failed(f"the connection is accepted, then {bench.describe(outcome)} before anything was sent")
    if isinstance(outcome, BadVersion | Unfinished):
        return failed(f"before anything was sent {bench.describe(outcome)}")
    if isinstance(outcome, Wpdu):
        return passed("the connection is opened; the server sends a WPDU unasked and keeps it open")
    return passed("the connection is opened and stays open")


async def one_segment(bench: Bench) -> Finding:
    """A whole AARQ is answered by a whole WPDU."""
    probe = await bench.connect()
    outcome = await bench.ask(probe, bench.aarq)
    if not isinstance(outcome, Wpdu):
        return failed(f"to a whole AARQ in one segment {bench.describe(outcome)}")
    await bench.release(probe)
    return passed(f"{bench.describe(outcome)}{bench.slots.words}")


async def reply_length(bench: Bench) -> Finding:
    """Behind the WPDU of the answer stands nothing, or the header of another one."""
    probe = await bench.connect()
    first = await bench.ask(probe, bench.aarq)
    if not isinstance(first, Wpdu):
        return inconclusive(f"there is no answer to look at: {bench.describe(first)}")
    following = await bench.answer(probe, bench.options.quiet)
    if isinstance(following, BadVersion | Unfinished):
        octets = following.octets
        return failed(
            f"behind the answer, whose length field says {len(first.data)}, stand octets that are no WPDU "
            f"({octets.hex(' ')}): the length is too small, or they are stray"
        )
    await bench.release(probe)
    return passed(f"the length field says {len(first.data)}, and so many octets stand behind the header")


async def answer_count(bench: Bench) -> Finding:
    """One request has one answer."""
    probe = await bench.connect()
    bench.noted.clear()
    first = await bench.ask(probe, bench.aarq)
    if not isinstance(first, Wpdu):
        return inconclusive(f"there is no answer to count: {bench.describe(first)}")
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + bench.options.quiet
    while isinstance(outcome := await probe.outcome(max(0.0, ends_at - loop.time())), Wpdu):
        bench.standing(probe, outcome)
    again, unasked = bench.noted[Standing.DOUBLED], bench.noted[Standing.UNASKED]
    await bench.release(probe)
    if again:
        return failed(f"one AARQ was answered {again + 1} times")
    beside = f"; {count(unasked, 'APDU')} came unasked, as a server may send them" if unasked else ""
    return passed(f"one AARQ, one answer{beside}")


async def second_wpdu(bench: Bench) -> Finding:
    """After an answer the connection takes the next WPDU."""
    probe = await bench.connect()
    opening = await bench.ask(probe, bench.aarq)
    if not isinstance(opening, Wpdu):
        return inconclusive(f"the first WPDU gets no answer: {bench.describe(opening)}")
    outcome = await bench.ask(probe, bench.rlrq)
    bench.slots.releases = isinstance(outcome, Wpdu)
    if isinstance(outcome, Wpdu):
        await bench.close(probe)
        return passed(f"to RLRQ {bench.describe(outcome)}")
    if is_reset(outcome):
        return failed("to RLRQ on the connection that AARQ was answered on the server resets it")
    if isinstance(outcome, BadVersion | Unfinished):
        return failed(f"to RLRQ {bench.describe(outcome)}")
    return inconclusive(f"to RLRQ {bench.describe(outcome)}: it may take that for the end of the connection")


async def _in_pieces(bench: Bench, pieces: list[bytes], pause: float, how: str) -> Finding:
    probe = await bench.connect()
    outcome = await bench.ask(probe, *pieces, pause=pause)
    if not isinstance(outcome, Wpdu):
        return failed(f"to an AARQ {how} {bench.describe(outcome)}")
    await bench.release(probe)
    return passed(bench.describe(outcome))


async def split_header(bench: Bench) -> Finding:
    """An AARQ cut in its header."""
    whole = bench.aarq
    pieces = [whole[:CUT_IN_HEADER], whole[CUT_IN_HEADER:]]
    return await _in_pieces(bench, pieces, bench.options.pause, "split in its header")


async def split_data(bench: Bench) -> Finding:
    """An AARQ cut in its data."""
    whole = bench.aarq
    cut = HEADER_SIZE + (len(whole) - HEADER_SIZE) // 2
    return await _in_pieces(bench, [whole[:cut], whole[cut:]], bench.options.pause, "split in its data")


async def octet_by_octet(bench: Bench) -> Finding:
    """An AARQ of one octet a segment."""
    pieces = [bytes((octet,)) for octet in bench.aarq]
    return await _in_pieces(bench, pieces, min(bench.options.pause, 0.02), "sent an octet at a time")


async def two_in_one(bench: Bench) -> Finding:
    """AARQ and RLRQ in one segment."""
    probe = await bench.connect()
    bench.expect(probe, bench.aarq)
    bench.expect(probe, bench.rlrq)
    await probe.send(bench.aarq + bench.rlrq)
    first = await bench.answer(probe)
    if not isinstance(first, Wpdu):
        return failed(f"to AARQ and RLRQ in one segment {bench.describe(first)}")
    second = await bench.answer(probe)
    if not isinstance(second, Wpdu):
        words = bench.describe(second)
        return failed(f"the first of two WPDUs in one segment was answered; to the second {words}")
    await bench.close(probe)
    return passed(f"{bench.describe(first)}, then {bench.describe(second)}")


async def wrong_version(bench: Bench) -> Finding:
    """A WPDU of version 2, and a right one behind it: its length field belongs to a layout nobody knows."""
    probe = await bench.connect()
    wrong = bench.wpdu(bench.aarq[HEADER_SIZE:], version=2)
    bench.expect(probe, bench.aarq)
    await probe.send(wrong)
    outcome = await bench.answer(probe, bench.options.quiet)
    if isinstance(outcome, Wpdu):
        return failed(f"a WPDU of version 2 was taken as if it were of version 1: {bench.describe(outcome)}")
    if isinstance(outcome, BadVersion | Unfinished):
        return failed(bench.describe(outcome))
    skipped = False
    if outcome is SILENCE:
        skipped = isinstance(await bench.ask(probe, bench.aarq), Wpdu)
    bench.abort(probe)
    again = await bench.served_again("a WPDU of version 2")
    if again is not None:
        return again
    if skipped:
        return inconclusive(
            "the WPDU of version 2 is skipped by its length field, and the next one answered: the field is "
            "trusted though nobody knows the layout of another version"
        )
    how = "it stayed silent, to the next WPDU of version 1 too" if outcome is SILENCE else ""
    return passed(f"not taken: {how or bench.describe(outcome)}; the next connection is served")


async def length_zero(bench: Bench) -> Finding:
    """A header without data, then an AARQ."""
    probe = await bench.connect()
    await probe.send(bench.wpdu(b""))
    outcome = await probe.outcome(bench.options.quiet)
    if outcome is SILENCE or isinstance(outcome, Wpdu):
        after = await bench.ask(probe, bench.aarq)
        what = "it stayed silent" if outcome is SILENCE else bench.describe(outcome)
        if isinstance(after, Wpdu):
            await bench.release(probe)
            return passed(f"to an empty WPDU {what}; the next WPDU is answered")
        return failed(f"after an empty WPDU, to the next one {bench.describe(after)}")
    if isinstance(outcome, BadVersion | Unfinished):
        return failed(bench.describe(outcome))
    again = await bench.served_again("an empty WPDU")
    return again or inconclusive(
        f"{bench.describe(outcome)}; length 0 is representable, but no rule for it was seen"
    )


def declared_longer(bench: Bench) -> bytes:
    """The start of a WPDU whose header promises 100 octets more than follow."""
    apdu = bench.aarq[HEADER_SIZE:]
    header = WpduHeader(1, bench.options.client, bench.options.server, len(apdu) + MISSING_OCTETS)
    return header.encode() + apdu


async def longer_than_follows(bench: Bench) -> Finding:
    """A WPDU that never ends, then a new connection."""
    probe = await bench.connect()
    await probe.send(declared_longer(bench))
    outcome = await probe.outcome(bench.options.quiet)
    if isinstance(outcome, Wpdu | BadVersion | Unfinished):
        words = bench.describe(outcome)
        return failed(f"{MISSING_OCTETS} octets of the WPDU were missing, yet {words}")
    what = "it stayed silent" if outcome is SILENCE else bench.describe(outcome)
    bench.abort(probe)
    again = await bench.served_again("a WPDU that was never completed")
    return again or passed(f"while the rest was missing {what}; a new connection is served")
