"""A part of what the fuzzing command does, the same at every run; and that it finds what is wrong."""

import pytest

from tests.fuzz.apdu_targets import in_association, take_association
from tests.fuzz.blind import fuzz
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

#: Inputs of each target: some seconds in all.
INPUTS = {
    "apdu": 2_500,
    "apdu-values": 2_000,
    "client": 400,
    "key-file": 2_000,
    "hdlc": 800,
    "pcap": 400,
    "pcapng": 250,
    "packet-headers": 100,
}


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_others_made_breaks_what_reads_it(name: str) -> None:
    """No exception, two ways of reading that agree, and no more work than an input of its size may cost."""
    assert fuzz(TARGETS[name], INPUTS.get(name, 40), 30, seed=4059).inputs > 10


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read(name: str) -> None:
    """Inputs that are broken from the beginning on would reach little."""
    seeds = TARGETS[name].seeds()
    assert seeds
    for octets in seeds:
        TARGETS[name].take(octets)


def _target(take) -> Target:
    return Target("made", take, lambda: [b"abcdefgh" * 4], 200, 5)


def test_what_raises_is_told_with_its_input(capsys: pytest.CaptureFixture[str]) -> None:
    """Else nobody could mend it."""

    def take(octets: bytes) -> None:
        if b"\x80" in octets:
            raise ValueError("there it is")

    with pytest.raises(ValueError, match="there it is"):
        fuzz(_target(take), 10_000, 60, seed=1)
    assert "fuzz made: input in hex: " in capsys.readouterr().out


def test_what_costs_too_much_is_found() -> None:
    """Work that grows with the square of an input is more than its budget."""

    def take(octets: bytes) -> None:
        for start in range(len(octets)):
            for place in range(start):
                max(place, start)

    with pytest.raises(AssertionError, match=r"calls for \d+ octets, \d+ are allowed"):
        fuzz(_target(take), 100, 60, seed=1)


def test_an_input_of_an_association_is_its_apdus() -> None:
    """What the seeds say reaches the association whole."""
    octets = in_association([(0, b"\xc0\x01"), (1, b"\xc4" * 300)])
    assert octets == b"\x00\x02\xc0\x01\x81\x2c" + b"\xc4" * 300
    take_association(octets)
