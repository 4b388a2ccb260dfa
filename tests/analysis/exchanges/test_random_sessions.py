"""Sessions made at random of which the truth is known: pipelined, in blocks, ciphered, by short names."""

import random
from pathlib import Path

import pytest

from cosemscope.analysis.keys.key_table import NO_KEYS
from tests.analysis.exchanges.test_general_transfers import (
    DOWN,
    UP,
    Said,
    analysed,
    bare,
    block,
    told,
)
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import CLIENT as CLIENT_TITLE
from tests.helpers.association_ends import KEYS
from tests.helpers.association_ends import METER as METER_TITLE
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION

#: Service, object, status and blocks of an exchange.
Truth = tuple[str, str, str, int]


class Session:
    """What is said, and what each exchange is, in the order in which they begin."""

    def __init__(self, seed: int, kind: str) -> None:
        self.draw = random.Random(seed)
        self.kind = kind
        self.said: list[Said] = []
        self.truth: list[Truth] = []
        self.owners: list[int] = []
        client = a.Cipher(CLIENT_TITLE, ENCRYPTION, AUTHENTICATION)
        meter = a.Cipher(METER_TITLE, ENCRYPTION, AUTHENTICATION)
        self.ciphers = (client, meter)
        if kind in ("ciphered", "hidden"):
            self._say(0, (UP, a.aarq(context=3, title=CLIENT_TITLE)))
            self._say(0, (DOWN, a.aare(context=3, title=METER_TITLE)))
            self.truth.append(("AARQ", "", "answered", 0))
        for number in range(self.draw.randrange(3, 8)):
            getattr(self, f"_{self.draw.choice(ACTS[kind])}")(number)

    def _say(self, owner: int, *said: Said) -> None:
        for one in said:
            self.said.append(one)
            self.owners.append(owner)

    def _named(self) -> str:
        return f"1.0.{self.draw.randrange(1, 90)}.8.0.255"

    def _value(self) -> bytes:
        return a.octet_string(self.draw.randbytes(self.draw.randrange(1, 60)))

    def _sealed(self, side: int, apdu: bytes, *, general: bool) -> bytes:
        """Ciphered where the session is: as a service of its own, or in an envelope."""
        if self.kind not in ("ciphered", "hidden"):
            return apdu
        cipher = self.ciphers[side]
        return cipher.general_glo(apdu) if general else cipher.glo(apdu[0] + 8, apdu)

    def _in_blocks(self, side: int, apdu: bytes) -> tuple[list[Said], int]:
        """An APDU in general blocks, with losses, repetitions and acknowledgements; and how many they are."""
        draw = self.draw
        size = draw.randrange(max(1, len(apdu) // 6), len(apdu) + 1)
        parts = [apdu[at : at + size] for at in range(0, len(apdu), size)]
        sent = [
            (side, block(number, part, last=number == len(parts), window=draw.randrange(1, 5)))
            for number, part in enumerate(parts, 1)
        ]
        said: list[Said] = []
        late: list[Said] = []
        for number, one in enumerate(sent, 1):
            if number > 1 and draw.random() < 0.2:
                late.append(one)
                continue
            said.append(one)
            if 1 < number < len(sent) and draw.random() < 0.15:
                said.append(one)
            if draw.random() < 0.3:
                said.append((1 - side, bare(number)))
        return said + late, len(parts)

    # What can happen.

    def _reads(self, number: int) -> None:
        """Pipelined requests under invoke-ids of their own, answered in any order, or some of them never."""
        count = self.draw.randrange(1, 5)
        begun = len(self.truth)
        answers: list[tuple[int, Said]] = []
        for one in range(count):
            invoke, name = 0xC0 | (number * 5 + one) & 0x0F, self._named()
            fate = self.draw.choice(["answered", "answered", "error"])
            self._say(begun + one, (UP, self._sealed(UP, a.get_request(invoke, 3, name), general=False)))
            answer = a.get_error(invoke, 4) if fate == "error" else a.get_response(invoke, self._value())
            answers.append((begun + one, (DOWN, self._sealed(DOWN, answer, general=False))))
            hidden = self.kind == "hidden"
            self.truth.append(
                ("glo-get-request", "", "answered", 0) if hidden else ("get-request", name, fate, 0)
            )
        if self.kind != "hidden":
            self.draw.shuffle(answers)
        for owner, said in answers:
            self._say(owner, said)

    def _asks_in_blocks(self, number: int) -> None:
        """A request in general blocks, its answer plain or in blocks too."""
        owner, invoke, name = len(self.truth), 0xC0 | number, self._named()
        general = self.draw.random() < 0.5
        asked = self._sealed(UP, a.get_request(invoke, 3, name), general=general)
        said, blocks = self._in_blocks(UP, asked)
        self._say(owner, *said)
        answer = self._sealed(DOWN, a.get_response(invoke, self._value()), general=general)
        if self.draw.random() < 0.6:
            said, more = self._in_blocks(DOWN, answer)
            self._say(owner, *said)
            blocks += more
        else:
            self._say(owner, (DOWN, answer))
        hidden = "general-glo-ciphering" if general else "glo-get-request"
        service, about = (hidden, "") if self.kind == "hidden" else ("get-request", name)
        self.truth.append((service, about, "answered", blocks))

    def _pushes(self, number: int) -> None:
        """A push of the meter's, in blocks or not."""
        apdu = a.data_notification(number, b"", a.structure(self._value(), self._value()))
        said, blocks = self._in_blocks(DOWN, apdu)
        if self.draw.random() < 0.3:
            said, blocks = [(DOWN, apdu)], 0
        self._say(len(self.truth), *said)
        self.truth.append(("data-notification", "", "notification", blocks))

    def _both_at_once(self, number: int) -> None:
        """The answer to one request and the next request, both in blocks, block by block in turn."""
        owner, name, other = len(self.truth), self._named(), self._named()
        self._say(owner, (UP, a.get_request(0xC1, 3, name)))
        down, blocks = self._in_blocks(DOWN, a.get_response(0xC1, self._value()))
        up, more = self._in_blocks(UP, a.get_request(0xC2, 3, other))
        down, up = ([one for one in said if len(one[1]) > 7] for said in (down, up))
        while down or up:
            mine = down if not up or (down and self.draw.random() < 0.5) else up
            self._say(owner if mine is down else owner + 1, mine.pop(0))
        if self.truth or self.said:
            self._say(owner + 1, (DOWN, a.get_response(0xC2, self._value())))
        self.truth += [("get-request", name, "answered", blocks), ("get-request", other, "answered", more)]

    def _short_names(self, number: int) -> None:
        """Pipelined READs and WRITEs, and unconfirmed ones; answers of a kind come in their order."""
        begun = len(self.truth)
        waiting: dict[str, list[int]] = {"read": [], "write": []}
        for _ in range(self.draw.randrange(1, 7)):
            kind = self.draw.choice(["read", "read", "write", "unconfirmed", "report"])
            octets = {
                "read": bytes.fromhex("050102fa08"),
                "write": bytes.fromhex("060102fa0801" + "0600000001"),
                "unconfirmed": bytes.fromhex("160102fa0801" + "0600000001"),
                "report": bytes.fromhex("1800" + "0102fa0801" + "0600000001"),
            }[kind]
            owner = len(self.truth)
            self._say(owner, (DOWN if kind == "report" else UP, octets))
            words = {
                "read": ("readRequest", "", "answered", 0),
                "write": ("writeRequest", "", "answered", 0),
                "unconfirmed": ("unconfirmedWriteRequest", "", "unconfirmed", 0),
                "report": ("informationReportRequest", "", "notification", 0),
            }
            self.truth.append(words[kind])
            if kind in waiting:
                waiting[kind].append(owner)
        assert begun <= len(self.truth)
        while waiting["read"] or waiting["write"]:
            kind = self.draw.choice([name for name, owners in waiting.items() if owners])
            answer = {"read": "0c01000600000001", "write": "0d0100"}[kind]
            self._say(waiting[kind].pop(0), (DOWN, bytes.fromhex(answer)))

    def _lists(self, number: int) -> None:
        """A list of which one item is refused, whose object the exchange has then."""
        names = [self._named() for _ in range(self.draw.randrange(2, 5))]
        bad = self.draw.randrange(len(names))
        self._say(len(self.truth), (UP, a.get_list_request(0xC3, [(3, name, 2) for name in names])))
        results = [4 if place == bad else self._value() for place in range(len(names))]
        self._say(len(self.truth), (DOWN, a.get_list_response(0xC3, results)))
        self.truth.append(("get-request", names[0], "error", 0))


ACTS = {
    "plain": ["reads"],
    "blocks": ["reads", "asks_in_blocks", "pushes", "both_at_once"],
    "short names": ["short_names"],
    "ciphered": ["reads", "asks_in_blocks"],
    "hidden": ["reads", "asks_in_blocks"],
    "lists": ["lists", "reads"],
}


@pytest.mark.parametrize("kind", ACTS)
@pytest.mark.parametrize("seed", range(30))
def test_the_truth_of_a_session_is_told(kind: str, seed: int, tmp_path: Path) -> None:
    """Every row belongs to the exchange to which its sender made it belong, and each ends as it did."""
    session = Session(seed, kind)
    analysis = analysed(session.said, tmp_path, KEYS if kind == "ciphered" else NO_KEYS)
    assert analysis.exchanges.of["exchange"].tolist() == session.owners
    assert told(analysis) == session.truth
