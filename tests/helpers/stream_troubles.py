"""Troubles that TCP streams meet on their way to a capture: each changes a conversation whose truth is known.

`TROUBLES` has them by name. A trouble gets a `Conversation` and changes its shots: what of it is true follows
from what was sent and what was seen (`troubled_wire`), or from the role that it gives to a shot.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.helpers.troubled_wire import MICROSECOND, MILLISECOND, Conversation, Shot
from tests.helpers.wire import ACK, PSH, RST, get_response

Trouble = Callable[[Conversation], None]
_RTO = 210 * MILLISECOND


def _bursts(conversation: Conversation, least: int = 4) -> Iterator[list[Shot]]:
    """Every second write of the server that has so many segments."""
    for number, burst in enumerate(conversation.bursts):
        if number % 2 and len(burst) >= least:
            yield burst


def _seen_as(conversation: Conversation, burst: list[Shot], order: list[int]) -> None:
    """Let the segments of a burst be seen in another order, at the times at which some were seen."""
    times = [shot.seen for shot in burst]
    for time, place in zip(times, order, strict=True):
        conversation.change(burst[place], seen=time)


def _exchanged(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        order = list(range(len(burst)))
        order[2], order[1] = 1, 2
        _seen_as(conversation, burst, order)


def _overtaken_by_three(conversation: Conversation) -> None:
    for burst in _bursts(conversation, 5):
        _seen_as(conversation, burst, [0, 2, 3, 4, 1, *range(5, len(burst))])


def _delayed(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        late = burst[2]
        conversation.change(late, seen=late.seen + 3 * conversation.rtt // 10)


def _reversed(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        _seen_as(conversation, burst, [3, 2, 1, 0, *range(4, len(burst))])


def _shuffled(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        order = list(range(len(burst)))
        conversation.chance.shuffle(order)
        _seen_as(conversation, burst, order)


def _header_split(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        whole = burst[0]
        place = conversation.shots.index(whole)
        head = replace(whole, octets=whole.octets[:5], seen=whole.seen + 180 * MICROSECOND)
        rest = replace(whole, start=whole.start + 5, octets=whole.octets[5:], sent=whole.sent + MICROSECOND)
        conversation.shots[place : place + 1] = [head, rest]


def _again(conversation: Conversation, shot: Shot, after: int, **changes: object) -> None:
    """The sender sends a segment again so many ns after it had sent it."""
    sent = shot.sent + after
    later = replace(shot, sent=sent, seen=sent + conversation.rtt // 2, captured=True, arrives=True)
    conversation.shots.append(replace(later, **changes))  # type: ignore[arg-type]


def _lose(conversation: Conversation, shot: Shot) -> Shot:
    return conversation.change(shot, captured=False, arrives=False)


def _fast_retransmit(conversation: Conversation) -> None:
    for burst in _bursts(conversation, 5):
        _lose(conversation, burst[1])
        _again(conversation, burst[1], conversation.rtt + burst[4].sent - burst[1].sent + 20 * MICROSECOND)


def _fast_retransmit_seen(conversation: Conversation) -> None:
    """The capture stands before the place of the loss."""
    for burst in _bursts(conversation, 5):
        lost = conversation.change(burst[1], arrives=False)
        _again(conversation, lost, conversation.rtt + burst[4].sent - lost.sent + 20 * MICROSECOND)


def _timeout(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        _lose(conversation, burst[2])
        _again(conversation, burst[2], _RTO + conversation.rtt)


def _spurious(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        _again(conversation, burst[-1], _RTO + conversation.rtt)


def _go_back(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        _lose(conversation, burst[1])
        for number, shot in enumerate(burst[1:]):
            after = _RTO + conversation.rtt + burst[1].sent - shot.sent + number * 30 * MICROSECOND
            _again(conversation, shot, after)


def _timeout_near_opener(conversation: Conversation) -> None:
    """Lost, long nothing, then the next write before the timer of the first runs out, if only just."""
    timer = _RTO + conversation.rtt
    for number, burst in enumerate(_bursts(conversation)):
        lost = _lose(conversation, burst[1])
        # Of four only the first comes within a round trip of the timer.
        early = (3, 12, 18, 25)[(number + conversation.client_port) % 4] * conversation.rtt // 10
        moved = lost.sent + timer - early - burst[2].sent
        for shot in burst[2:]:
            conversation.change(shot, sent=shot.sent + moved, seen=shot.seen + moved)
        _again(conversation, lost, timer)


def _keeps_number(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        _lose(conversation, burst[2])
        _again(conversation, burst[2], _RTO + conversation.rtt, keeps_number=True)


def _late_original(conversation: Conversation) -> None:
    """Sent again, and only then comes the original."""
    for burst in _bursts(conversation):
        late = burst[2]
        _again(conversation, late, _RTO + conversation.rtt)
        conversation.change(late, seen=late.sent + _RTO + 2 * conversation.rtt)


def _resegmented(conversation: Conversation) -> None:
    """Sent again with other borders; the originals were captured."""
    for burst in _bursts(conversation):
        one, other = burst[1], burst[2]
        octets = (one.octets + other.octets)[20:80]
        _again(conversation, one, _RTO + conversation.rtt, start=one.start + 20, octets=octets)


def _resegmented_gap(conversation: Conversation) -> None:
    for burst in _bursts(conversation, 5):
        one, other = _lose(conversation, burst[1]), _lose(conversation, burst[2])
        _again(conversation, one, _RTO + conversation.rtt, octets=one.octets + other.octets)


def _other_octets(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        _again(conversation, burst[2], _RTO + conversation.rtt, octets=b"\x11" * len(burst[2].octets))


def _keep_alives(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        last = burst[-1]
        _again(conversation, last, 15 * MILLISECOND, start=last.stop - 1, octets=b"\0", flags=ACK,
               role="keep-alive")  # fmt: skip


def _keep_alives_one_way(conversation: Conversation) -> None:
    conversation.sides = (1,)
    conversation.wpdus = [wpdu for wpdu in conversation.wpdus if wpdu[8] == 0xC4]
    _keep_alives(conversation)


def _one_way(conversation: Conversation) -> None:
    """Only the server's packets were captured, and of some bursts a segment was lost and sent again."""
    conversation.sides = (1,)
    conversation.wpdus = [wpdu for wpdu in conversation.wpdus if wpdu[8] == 0xC4]
    _timeout(conversation)


def _wrapping(conversation: Conversation) -> None:
    conversation.isn = [(1 << 32) - 40, (1 << 32) - 1500]
    _exchanged(conversation)


def _from_the_middle(conversation: Conversation) -> None:
    """The capture begins within a WPDU of the server."""
    first = conversation.bursts[0]
    begun = conversation.shots.index(first[2])
    conversation.shots = conversation.shots[begun:]
    conversation.wpdus = conversation.wpdus[2:]


def _back_to_back(size: int, count: int, cut: int, hidden: int) -> Trouble:
    """WPDUs of a stream whose beginning was not captured, without regard to borders of segments."""

    def apply(conversation: Conversation) -> None:
        sizes = [size - conversation.chance.randrange(size // 7) for _ in range(count)]
        wpdus = [get_response(number, size) for number, size in enumerate(sizes)]
        octets = b"".join(wpdus)
        first = conversation.shots[0]
        shots = []
        for at in range(0, len(octets), cut):
            time = first.sent + at // cut * MILLISECOND
            shots.append(Shot(1, at, octets[at : at + cut], time, time, PSH | ACK, ack=0))
        conversation.shots = shots[hidden:]
        begun, at, whole = hidden * cut, 0, []
        for wpdu in wpdus:
            if at >= begun:
                whole.append(wpdu)
            at += len(wpdu)
        conversation.wpdus = whole

    return apply


def _heartbeats_first(octets: bytes, count: int) -> Trouble:
    """So many heartbeats before the first WPDU."""

    def apply(conversation: Conversation) -> None:
        begun = conversation.shots[2]
        late, moved = count * 100 * MICROSECOND, count * len(octets)
        rest = []
        for shot in conversation.shots[3:]:
            start = shot.start if shot.side else shot.start + moved
            rest.append(replace(shot, start=start, sent=shot.sent + late, seen=shot.seen + late))
        beats = []
        for number in range(count):
            time = begun.sent + (number + 1) * 100 * MICROSECOND
            beats.append(Shot(0, number * len(octets), octets, time, time, PSH | ACK, ack=0))
        conversation.shots = conversation.shots[:3] + beats + rest

    return apply


def _copied(after: int, tags: tuple[int, ...] = ()) -> Trouble:
    """Every packet is captured a second time so many ns later; the copies in a VLAN where `tags` says so."""

    def apply(conversation: Conversation) -> None:
        conversation.copies = after, tags

    return apply


def _cut_off(snap: int) -> Trouble:
    def apply(conversation: Conversation) -> None:
        conversation.snap = snap
        conversation.wpdus = [wpdu for wpdu in conversation.wpdus if 54 + len(wpdu) <= snap]

    return apply


def _holes(conversation: Conversation) -> None:
    """Segments that arrived, but were not captured."""
    for burst in _bursts(conversation):
        conversation.change(burst[2], captured=False)
        octets = b"".join(shot.octets for shot in burst)
        conversation.wpdus.remove(octets)


def _reset_out_of_window(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        middle = burst[2]
        conversation.shots.append(
            Shot(1, -1_000_000, b"", middle.sent, middle.seen + 1, RST | ACK, role="stray reset")
        )


def _far_stray(conversation: Conversation) -> None:
    burst = conversation.bursts[len(conversation.bursts) // 2]
    middle = burst[2]
    start = middle.start + 150_000_000
    conversation.shots.append(
        Shot(1, start, b"\x55" * 40, middle.sent, middle.seen + 1, role="stray", arrives=False)
    )


def _damaged_first(conversation: Conversation) -> None:
    for burst in _bursts(conversation):
        middle = burst[2]
        damaged = replace(middle, seen=middle.seen - 1, role="damaged", arrives=False)
        conversation.shots.append(damaged)


def _syn_again(conversation: Conversation) -> None:
    """A SYN with data is not answered; the same SYN without them is, and the data are sent again."""
    syn = conversation.shots[0]
    request = next(shot for shot in conversation.shots if shot.octets)
    opening = replace(syn, octets=request.octets, sent=syn.sent - 1_000 * MILLISECOND, arrives=False)
    conversation.shots.insert(0, replace(opening, seen=opening.sent, start=-1))


def _cut_short(conversation: Conversation) -> None:
    """The server stops within some of its WPDUs, and goes on with the next one."""
    moved = 0
    shots = []
    ended = list(_bursts(conversation))
    for burst in ended:
        conversation.wpdus.remove(b"".join(shot.octets for shot in burst))
    gone = {id(shot) for burst in ended for shot in burst[2:]}
    for shot in conversation.shots:
        if shot.side and id(shot) in gone:
            moved += len(shot.octets)
            continue
        shots.append(replace(shot, start=shot.start - moved) if shot.side and shot.start > 0 else shot)
    conversation.shots = shots


TROUBLES: dict[str, Trouble] = {
    "none": lambda conversation: None,
    "exchanged": _exchanged,
    "overtaken by three": _overtaken_by_three,
    "delayed": _delayed,
    "reversed": _reversed,
    "shuffled": _shuffled,
    "header split and exchanged": _header_split,
    "fast retransmit": _fast_retransmit,
    "fast retransmit, original seen": _fast_retransmit_seen,
    "timeout": _timeout,
    "spurious timeout": _spurious,
    "go back": _go_back,
    "timeout near the opener": _timeout_near_opener,
    "retransmission keeps its number": _keeps_number,
    "late original": _late_original,
    "resegmented": _resegmented,
    "resegmented into a gap": _resegmented_gap,
    "other octets": _other_octets,
    "keep-alives": _keep_alives,
    "keep-alives, one way": _keep_alives_one_way,
    "one way": _one_way,
    "numbers wrap": _wrapping,
    "from the middle": _from_the_middle,
    "from the middle, back to back": _back_to_back(300, 40, 256, 3),
    "from the middle of large WPDUs": _back_to_back(60_000, 8, 1448, 5),
    "many heartbeats first": _heartbeats_first(b"HB", 260),
    "large heartbeats first": _heartbeats_first(b"\xff" * 40, 33),
    "captured twice": _copied(10 * MICROSECOND),
    "captured twice, in a VLAN": _copied(10 * MICROSECOND, (7,)),
    "captured twice, two tags": _copied(10 * MICROSECOND, (7, 9)),
    "two taps": _copied(300 * MILLISECOND),
    "snap length": _cut_off(54 + 20 + 12 + 24),
    "nothing of the payload": _cut_off(54),
    "holes": _holes,
    "reset out of the window": _reset_out_of_window,
    "far stray": _far_stray,
    "damaged first": _damaged_first,
    "SYN again": _syn_again,
    "cut short": _cut_short,
}
#: Troubles of which the fillers of gaps are in question.
FILLED = (
    "exchanged",
    "overtaken by three",
    "header split and exchanged",
    "delayed",
    "fast retransmit",
    "go back",
    "timeout",
    "timeout near the opener",
    "retransmission keeps its number",
    "resegmented into a gap",
    "reversed",
    "shuffled",
)
