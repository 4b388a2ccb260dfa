"""What a meter does wrong on demand above the transport layer, so that people see what that looks like."""

from collections.abc import Callable
from dataclasses import dataclass
from random import random


@dataclass(slots=True)
class MeterFaults:
    """Shares of answers, 0 to 1, that are spoilt; of what is not protected nothing is.

    `wrong_tag`: the authentication tag does not fit. `counter_replay`: the invocation counter of the last
    answer stands in it again. `block_lost`: the second block of a long value is left out.
    """

    wrong_tag: float = 0.0
    counter_replay: float = 0.0
    block_lost: float = 0.0
    chance: Callable[[], float] = random

    def strikes(self, share: float) -> bool:
        """Whether this answer is one of a share."""
        return share > 0 and self.chance() < share
