"""Pairing row by row, by the definitions and in plain Python: what the columns are held against."""

from typing import NamedTuple


class Apdu(NamedTuple):
    """What pairing sees of one WPDU: pair, sender, service, choice, invoke-id, block, last flag, octets.

    `general`: its number where it is a block of a general-block-transfer with data, 0 where it is one without
    data, -1 where it is none; `general_last`, `general_ack`: the other facts of such a block. `joined`: what
    the transfer carries is seen in the block that makes it whole.
    """

    pair: int
    from_client: bool
    service: int
    choice: int = -1
    invoke_id: int = -1
    block: int = -1
    last: int = -1
    length: int = 20
    time: int = 0  # seconds
    confirmed: bool = True
    general: int = -1
    general_last: int = 0
    general_ack: int = 0
    joined: bool = False


class Message(NamedTuple):
    """An APDU as pairing sees it once transfers are joined: who sends what."""

    number: int
    pair: int
    family: str
    id: int
    role: str  # "begin", "more", "part", "final", "alone", "exception"
    seen: bool  # whether its kind may be paired by its order
    confirmed: bool
    time: int
    from_client: bool


#: Service -> family and whether it is a request; ciphered twins are 0x20 (or 0x08) and 0x40 (or 0x10) higher.
_REQUESTS = {0xC0: "get", 0xC1: "set", 0xC3: "action", 0xD9: "access", 0x05: "read", 0x06: "write"}
_REQUESTS |= {0x60: "associate", 0x01: "associate", 0x62: "release", 0x0F: "notify"}
_RESPONSES = {0xC4: "get", 0xC5: "set", 0xC7: "action", 0xDA: "access", 0x0C: "read", 0x0D: "write"}
_RESPONSES |= {0x61: "associate", 0x08: "associate", 0x63: "release", 0x10: "notify"}
_ALONE = {0x16: "write", 0x64: "abort", 0xC2: "notify", 0x18: "notify"}
_TWINS = {0x01, 0x05, 0x06, 0x08, 0x0C, 0x0D, 0x16, 0x18}
_PLAIN = {
    **{tag: tag for tag in {**_REQUESTS, **_RESPONSES, **_ALONE}},
    **{tag + up: tag for tag in _TWINS for up in (0x20, 0x40)},
    **{tag + up: tag for tag in (0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC7) for up in (0x08, 0x10)},
}
_GO_ON = {(0xC0, 2), (0xC1, 3), (0xC3, 2), (0xC3, 6)}
_PART = {(0xC5, 2), (0xC7, 4)}
_FLAGGED = {(0xC4, 2), (0xC7, 2)}
_NOBODYS = (0xD8, 0x0E)
_ENVELOPES = (0xDB, 0xDC, 0xDD, 0xDF)
_BY_ORDER = ("get", "set", "action", "access", "read", "write", "envelope")
_PATIENCE = 5


def pair_slowly(apdus: list[Apdu]) -> list[int]:
    """The number of each APDU's exchange, in the order in which exchanges begin; -1 for none."""
    firsts, wholes, ended = _transfers(apdus)
    messages = _messages(apdus, firsts, wholes, ended)
    lanes = _lanes(messages)
    lanes |= _owners(messages, lanes)
    open_ones: dict[tuple, int] = {}  # lane -> the exchange that is open there
    exchanges = [-1] * len(apdus)
    count = 0
    for message in messages:
        lane = lanes[message.number]
        if message.role in ("begin", "alone") or lane not in open_ones:
            open_ones[lane] = count
            count += 1
        exchanges[message.number] = open_ones[lane]
        if message.role in ("final", "alone", "exception"):
            del open_ones[lane]
    for number, first in firsts.items():
        exchanges[number] = exchanges[first] if first >= 0 else -1
    return exchanges


def _transfers(apdus: list[Apdu]) -> tuple[dict[int, int], dict[int, int], set[int]]:
    """Of general blocks the first of their transfer; of first ones that which makes it whole; the ended."""
    firsts: dict[int, int] = {}
    wholes: dict[int, int] = {}
    ended: set[int] = set()
    latest: dict[tuple[int, bool], list[int]] = {}  # pair and sender -> the blocks of its latest transfer
    for number, apdu in enumerate(apdus):
        if apdu.general < 0:
            continue
        mine, theirs = (latest.get((apdu.pair, side)) for side in (apdu.from_client, not apdu.from_client))
        if apdu.general == 0:
            firsts[number] = firsts[(theirs or mine)[0]] if theirs or mine else -1
            continue
        if mine is None or _is_another(apdus, mine, number):
            mine = latest[apdu.pair, apdu.from_client] = []
        mine.append(number)
        firsts[number] = mine[0]
        have = {apdus[one].general for one in mine}
        lasts = _lasts(apdus, mine)
        if lasts:
            ended.add(mine[0])
        if lasts and have >= set(range(1, max(lasts) + 1)):
            wholes.setdefault(mine[0], number)
    return firsts, wholes, ended


def _lasts(apdus: list[Apdu], mine: list[int]) -> list[int]:
    """The numbers of the blocks that say they are the last, as they came first."""
    first: dict[int, int] = {}
    for one in mine:
        first.setdefault(apdus[one].general, one)
    return [number for number, one in first.items() if apdus[one].general_last]


def _is_another(apdus: list[Apdu], mine: list[int], number: int) -> bool:
    """Whether a block is not of the latest transfer of its sender."""
    have = {apdus[one].general for one in mine}
    lasts = _lasts(apdus, mine)
    whole = bool(lasts) and have >= set(range(1, max(lasts) + 1))
    if apdus[number].general != 1:
        return whole and apdus[number].general > max(lasts)
    if 1 not in have:
        return False
    one = next(one for one in mine if apdus[one].general == 1)
    same = (apdus[one].length, apdus[one].general_last) == (apdus[number].length, apdus[number].general_last)
    pair, sender = apdus[number].pair, apdus[number].from_client
    heard = [
        apdu.general_ack
        for apdu in apdus[mine[0] + 1 : number]
        if (apdu.pair, apdu.from_client) == (pair, not sender)
        and (apdu.general == 0 or (apdu.general > 0 and apdu.general_ack > 0))
    ]
    if max(heard, default=0) > 0 or not same:
        return True
    return bool(lasts) and not heard


def _messages(
    apdus: list[Apdu], firsts: dict[int, int], wholes: dict[int, int], ended: set[int]
) -> list[Message]:
    """What takes part in exchanges, in order; a transfer is one message, sent with its first block."""
    messages = []
    for number, apdu in enumerate(apdus):
        if apdu.general >= 0 and (apdu.general == 0 or firsts[number] != number):
            continue
        carried = apdus[wholes.get(number, number)] if apdu.general > 0 else apdu
        if apdu.general > 0 and not (number in wholes and carried.joined):
            carried = carried._replace(service=0xE0, choice=-1, invoke_id=-1, confirmed=True)
        found = _role(carried, apdu, number in ended)
        if found is None:
            continue
        family, role = found
        id = carried.invoke_id
        ordered = id < 0 and family in _BY_ORDER and role in ("begin", "more", "part", "final")
        sender = apdu.from_client
        messages.append(
            Message(number, apdu.pair, family, id, role, ordered, carried.confirmed, apdu.time, sender)
        )
    return _refusals(messages)


def _refusals(messages: list[Message]) -> list[Message]:
    """An RLRE or ABRT of the other side's answers an AARQ that waits, and nothing else did, until an RLRQ."""
    found = []
    waiting: dict[int, bool] = {}  # pair -> whether the client asked
    for message in messages:
        asker = waiting.get(message.pair)
        if message.family == "associate" and message.role == "begin":
            waiting[message.pair] = message.from_client
        elif asker == message.from_client and (message.family, message.role) == ("release", "begin"):
            del waiting[message.pair]
        elif asker is not None and asker != message.from_client:
            if message.family in ("release", "abort") and message.role in ("final", "alone"):
                message = message._replace(family="associate", role="final", id=-1)
            kin = message.family in ("associate", "release", "abort") or message.role == "exception"
            if kin and message.role != "begin":
                del waiting[message.pair]
        found.append(message)
    return found


def _role(apdu: Apdu, first: Apdu, ended: bool) -> tuple[str, str] | None:
    """Family and role of what is said; `first`: the first block that carries it."""
    service = apdu.service
    if service in _NOBODYS:
        return "", "exception"
    if service in _ENVELOPES:
        return "envelope", "begin" if first.from_client else "final"
    plain = _PLAIN.get(service)
    if plain is None:
        return (
            None
            if first.general < 0
            else ("envelope", "begin" if first.from_client else "final" if ended else "part")
        )
    choice = apdu.choice if plain == service else 0
    if plain in _ALONE:
        return _ALONE[plain], "alone"
    if plain in _REQUESTS:
        return _REQUESTS[plain], "more" if (plain, choice) in _GO_ON else "begin"
    part = (plain, choice) in _PART or ((plain, choice) in _FLAGGED and apdu.last == 0)
    return _RESPONSES[plain], "part" if part else "final"


def _lanes(messages: list[Message]) -> dict[int, tuple]:
    """The lane of each message by its number: what is in one lane answers what is in it."""
    lanes = {}
    for pair in {message.pair for message in messages}:
        mine = [message for message in messages if message.pair == pair]
        lanes |= _lanes_of_pair(mine)
    return lanes


def _lanes_of_pair(messages: list[Message]) -> dict[int, tuple]:
    """Lanes by invoke-id, or by order where a message has none."""
    talk = _Talk()
    return {message.number: talk.lane(message) for message in messages}


class _Talk:
    """The requests of one pair that were not answered, with their lanes, the oldest first."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Message, tuple]] = []
        self.passed: list[tuple[Message, tuple]] = []
        self.answered: dict[str, int] = {}

    def lane(self, message: Message) -> tuple:
        """The lane of the next message; with one more word for an exception that has its lane for good."""
        lane = (message.pair, message.family, message.id if message.role != "exception" else -1)
        if message.role == "alone":
            return lane
        if message.role == "exception":
            oldest = self.waiting[:1]
            found = oldest[0] if oldest and oldest[0][0].seen else None
            return (*self._taken(found), "told") if found else lane
        asks = message.role in ("begin", "more")
        if message.seen:
            lane = (message.pair, message.family, "order", message.number)
            if asks:
                self._ask(message, lane)
                return lane
            found = self._asked(message)
            return self._taken(found) if found else lane
        if message.family in ("associate", "release"):
            if (message.role == "begin") == (message.family == "associate"):
                self.__init__()
            return lane
        if message.family not in _BY_ORDER:
            return lane
        mine = next((one for one in self.waiting if one[1] == lane), None)
        if asks:
            if message.role == "begin" or mine is None:
                self.waiting = [*(one for one in self.waiting if one is not mine), (message, lane)]
            return lane
        if mine is not None:
            if message.role == "final":
                self.waiting.remove(mine)
            return lane
        found = self._unnumbered(message.family) or self._unnumbered("envelope")
        if found is None and message.role == "part":
            self.waiting.append((message, lane))
        return self._taken(found) if found else lane

    def _ask(self, message: Message, lane: tuple) -> None:
        if message.time - self.answered.get(message.family, 0) > _PATIENCE:
            for one in [one for one in self.waiting if one[0].seen and one[0].family == message.family]:
                if message.time - one[0].time <= _PATIENCE:
                    break
                self.waiting.remove(one)
                self.passed.append(one)
        self.waiting.append((message, lane))

    def _asked(self, message: Message) -> tuple[Message, tuple] | None:
        """What an answer without an invoke-id answers."""
        family = message.family
        self.answered[family] = message.time
        found = self._unnumbered(family)
        if found is None and family == "envelope":
            found = next(iter(self.waiting), None)
        elif found is None:
            named = (one for one in self.waiting if not one[0].seen and one[0].family == family)
            found = next(named, None) or self._unnumbered("envelope")
        return found or next((one for one in self.passed if one[0].family == family), None)

    def _unnumbered(self, family: str) -> tuple[Message, tuple] | None:
        return next((one for one in self.waiting if one[0].seen and one[0].family == family), None)

    def _taken(self, asked: tuple[Message, tuple]) -> tuple:
        """The lane of a request, which waits no longer."""
        self.waiting = [one for one in self.waiting if one is not asked]
        self.passed = [one for one in self.passed if one is not asked]
        return asked[1]


def _owners(messages: list[Message], lanes: dict[int, tuple]) -> dict[int, tuple]:
    """The lane of the request that each exception answers, by their numbers; one of its own for none."""
    told = {number: lane[:-1] for number, lane in lanes.items() if lane[-1] == "told"}
    lanes = {**lanes, **told}
    exceptions = [one for one in messages if one.role == "exception" and one.number not in told]
    plain = [one for one in messages if one.role != "exception" or one.number in told]
    taken: set[int] = set()
    owners = dict(told)

    def next_in_lane(message: Message) -> Message | None:
        """The next one in the same lane, other than exceptions."""
        lane = lanes[message.number]
        return next((one for one in plain if one.number > message.number and lanes[one.number] == lane), None)

    def is_answer(message: Message | None) -> bool:
        return message is not None and message.role in ("part", "final", "exception")

    for exception in exceptions:
        before = [one for one in plain if one.number < exception.number and one.pair == exception.pair]
        turns = [
            one.number for one in before if one.role == "begin" and one.family in ("associate", "release")
        ]
        asks = [one for one in before if one.role in ("begin", "more") and one.family != "notify"]
        following = {one.number: next_in_lane(one) for one in asks}
        waiting = [
            one
            for one in asks
            if one.number >= max(turns, default=-1)
            and (following[one.number] is None or following[one.number].number > exception.number)
            and not is_answer(following[one.number])
            and one.confirmed
            and one.number not in taken
        ]
        answered = [
            one.number
            for one in asks
            if is_answer(following[one.number]) and following[one.number].number < exception.number
        ]
        fresh = [one for one in waiting if one.number > max(answered, default=-1)] or waiting
        patient = [one for one in fresh if exception.time - one.time <= _PATIENCE] or fresh[-1:]
        owners[exception.number] = lanes[patient[0].number] if patient else (exception.pair, "", -1)
        taken.update(one.number for one in patient[:1])
    return owners
