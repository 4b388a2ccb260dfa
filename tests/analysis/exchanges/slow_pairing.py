"""Pairing row by row, by the definitions and in plain Python: what the columns are held against."""

from typing import NamedTuple


class Apdu(NamedTuple):
    """What pairing sees of one WPDU: pair, sender, service, choice, invoke-id, block, last flag, octets."""

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


def pair_slowly(apdus: list[Apdu]) -> list[int]:
    """The number of each APDU's exchange, in the order in which exchanges begin; -1 for none."""
    owners = _owners(apdus)
    open_ones: dict[tuple, int] = {}  # lane -> the exchange that is open there
    exchanges = []
    count = 0
    blocks: dict[int, int] = {}
    for number, (apdu, (lane, begins, ends, _)) in enumerate(zip(apdus, _places(apdus), strict=True)):
        lane = owners.get(number, lane)
        if lane is None:
            exchanges.append(blocks.get(apdu.pair, -1) if apdu.service == 0xE0 else -1)
            continue
        if begins or lane not in open_ones:
            open_ones[lane] = count
            count += 1
        exchanges.append(open_ones[lane])
        if ends:
            del open_ones[lane]
        if apdu.service == 0xE0:
            blocks[apdu.pair] = exchanges[-1]
    return exchanges


def _places(apdus: list[Apdu]) -> list[tuple]:
    """Of each APDU what `_place` says."""
    newest: dict[int, tuple] = {}  # pair -> the lane of its last request
    transfers: dict[int, tuple] = {}
    places = []
    for apdu in apdus:
        places.append(_place(apdu, newest, transfers))
        if places[-1][3]:
            newest[apdu.pair] = places[-1][0]
    return places


def _owners(apdus: list[Apdu]) -> dict[int, tuple]:
    """The lane of the request that each exception answers, by their numbers; one of its own for none."""
    places = _places(apdus)
    taken: set[int] = set()
    owners = {}

    def next_in_lane(number: int) -> int:
        """The number of the next APDU in the same lane, other than exceptions."""
        lane = places[number][0]
        later = range(number + 1, len(apdus))
        return next((one for one in later if places[one][0] == lane and is_plain(one)), len(apdus))

    def is_plain(number: int) -> bool:
        return apdus[number].service not in _NOBODYS and places[number][0] is not None

    def is_answer(number: int) -> bool:
        return number < len(apdus) and not places[number][3] and not _is_alone(apdus[number])

    for number, apdu in enumerate(apdus):
        if apdu.service not in _NOBODYS:
            continue
        before = [one for one in range(number) if apdus[one].pair == apdu.pair]
        turns = [one for one in before if _PLAIN.get(apdus[one].service) in (0x60, 0x01, 0x62)]
        pushed = [one for one in before if _PLAIN.get(apdus[one].service) in (0x0F, 0x10)]
        asks = [one for one in before if is_plain(one) and places[one][3] and one not in pushed]
        waiting = [
            one
            for one in asks
            if one >= max(turns, default=0)
            and next_in_lane(one) > number
            and not is_answer(next_in_lane(one))
            and apdus[one].confirmed
            and one not in taken
        ]
        answered = [one for one in asks if next_in_lane(one) < number and is_answer(next_in_lane(one))]
        fresh = [one for one in waiting if one > max(answered, default=-1)] or waiting
        patient = [one for one in fresh if apdu.time - apdus[one].time <= 5] or fresh[-1:]
        owners[number] = places[patient[0]][0] if patient else (apdu.pair, "", -1)
        taken.update(patient[:1])
    return owners


def _is_alone(apdu: Apdu) -> bool:
    return _PLAIN.get(apdu.service) in _ALONE


def _place(apdu: Apdu, newest: dict[int, tuple], transfers: dict[int, tuple]):
    """The lane of an APDU, whether it surely begins an exchange, whether it ends one, whether it asks."""
    pair, service = apdu.pair, apdu.service
    last_asked = newest.get(pair, (pair, "", -1))
    if service in _NOBODYS:
        return last_asked, False, True, False
    if service in _ENVELOPES:
        if apdu.from_client:
            return (pair, "envelope", apdu.invoke_id), True, False, True
        return last_asked, False, True, False
    if service == 0xE0:
        if apdu.length <= 7:
            return None, False, False, False
        if apdu.from_client:
            return (pair, "envelope", apdu.invoke_id), apdu.block == 1, False, True
        lane = transfers.get(pair, last_asked) if apdu.block > 1 else last_asked
        if apdu.last != 0:
            transfers.pop(pair, None)
        else:
            transfers[pair] = lane
        return lane, False, apdu.last != 0, False
    plain = _PLAIN.get(service)
    if plain is None:
        return None, False, False, False
    choice = apdu.choice if plain == service else 0
    if plain in _ALONE:
        return (pair, _ALONE[plain], apdu.invoke_id), True, True, False
    if plain in _REQUESTS:
        lane = (pair, _REQUESTS[plain], apdu.invoke_id)
        if (plain, choice) in _GO_ON:
            return lane, False, False, True
        return lane, True, False, True
    lane = (pair, _RESPONSES[plain], apdu.invoke_id)
    part = (plain, choice) in _PART or ((plain, choice) in _FLAGGED and apdu.last == 0)
    return lane, False, not part, False
