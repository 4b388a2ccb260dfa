"""Faults on demand: what a meter is to do wrong, as typed, and whether an answer is one of those.

    delay=300ms    loss=10%    wrong-length    wrong-tag=50%    exchanged-wports

A share says how many of the answers; without one all of them are spoilt. `none` ends all faults.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable
from enum import StrEnum
from random import random
from typing import NamedTuple

from cosemscope.application.meter.meter_faults import MeterFaults

#: Seconds of a delay at most.
MOST_SECONDS = 600.0
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(ms|s)?")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)%")


class FaultKind(StrEnum):
    """What goes wrong; the value is the word that is typed."""

    DELAY = "delay"
    LOSS = "loss"
    WRONG_LENGTH = "wrong-length"
    WRONG_TAG = "wrong-tag"
    COUNTER_REPLAY = "counter-replay"
    BLOCK_LOST = "block-lost"
    CLOSE_IN_WPDU = "close-in-wpdu"
    EXCHANGED_WPORTS = "exchanged-wports"
    ONE_CONNECTION = "one-connection"


class FaultOrder(NamedTuple):
    """A fault and how much of it: seconds of a delay, else a share of answers from 0 to 1."""

    kind: FaultKind
    amount: float = 1.0

    def __str__(self) -> str:
        if self.kind is FaultKind.DELAY:
            return f"delay={self.amount * 1000:g}ms"
        return self.kind.value if self.amount == 1 else f"{self.kind.value}={self.amount * 100:g}%"


def parse_fault(text: str) -> FaultOrder:
    """A fault as typed. Raises ArgumentTypeError."""
    word, equals, amount = text.strip().partition("=")
    try:
        kind = FaultKind(word)
    except ValueError:
        known = ", ".join(FaultKind)
        raise ArgumentTypeError(f"{word!r} is no fault of a meter; there are {known}") from None
    if kind is FaultKind.DELAY:
        found = _SECONDS.fullmatch(amount)
        seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else -1.0
        if not 0 <= seconds <= MOST_SECONDS:
            raise ArgumentTypeError(f"{text!r} is no delay: write delay=300ms or delay=2s")
        return FaultOrder(kind, seconds)
    if not equals:
        return FaultOrder(kind)
    found = _SHARE.fullmatch(amount)
    if found is None or float(found[1]) > 100 or kind is FaultKind.ONE_CONNECTION:
        raise ArgumentTypeError(f"{text!r} is no share of answers: write {word}=10%, or {word} for all")
    return FaultOrder(kind, float(found[1]) / 100)


class FaultsInForce:
    """The faults of a meter as they are ordered now; `chance` gives numbers from 0 to 1."""

    def __init__(self, orders: Iterable[FaultOrder] = (), chance: Callable[[], float] = random) -> None:
        self._chance = chance
        self._orders: dict[FaultKind, float] = {}
        self.order(orders)

    def order(self, orders: Iterable[FaultOrder]) -> None:
        """These and no others from now on."""
        self._orders = {one.kind: one.amount for one in orders}

    @property
    def words(self) -> tuple[str, ...]:
        """What is in force, as typed."""
        return tuple(str(FaultOrder(kind, amount)) for kind, amount in self._orders.items())

    @property
    def delay(self) -> float:
        """Seconds by which answers are late."""
        return self._orders.get(FaultKind.DELAY, 0.0)

    @property
    def one_connection(self) -> bool:
        """Whether a second connection is refused."""
        return FaultKind.ONE_CONNECTION in self._orders

    def strikes(self, kind: FaultKind) -> bool:
        """Whether this answer is one of those that are spoilt so."""
        share = self._orders.get(kind)
        return share is not None and self._chance() < share

    def pass_on(self, faults: MeterFaults) -> None:
        """Tell a meter the faults that it has to make itself, inside its APDUs."""
        faults.wrong_tag = self._orders.get(FaultKind.WRONG_TAG, 0.0)
        faults.counter_replay = self._orders.get(FaultKind.COUNTER_REPLAY, 0.0)
        faults.block_lost = self._orders.get(FaultKind.BLOCK_LOST, 0.0)
        faults.chance = self._chance
