"""What the user declares goes before content: rules in words, and which one counts."""

import pytest

from cosemscope.streams.decode_as import WORDS, DecodeAs, parse_decode_as
from cosemscope.streams.tables.framing import Framing


@pytest.mark.parametrize(
    "rule", ["4059", "4059=dlms", "sctp:1=hdlc", "x=hdlc", "=none", "stream:=hdlc", "-1=hdlc"]
)
def test_rules_that_make_no_sense_are_refused_in_words(rule: str) -> None:
    """The sentence names the rule."""
    with pytest.raises(ValueError, match=f"“{rule}”"):
        parse_decode_as([rule])


@pytest.mark.parametrize(("word", "framing"), WORDS.items())
def test_every_word_is_a_framing(word: str, framing: Framing) -> None:
    """In any letters, with blanks around it."""
    assert parse_decode_as([f" 4060 = {word.upper()} "]).ports == {(0, 4060): framing}


@pytest.mark.parametrize(
    ("stream", "protocol", "ports", "framing"),
    [
        (1, 6, (50_000, 4060), Framing.HDLC),
        (1, 17, (4060, 50_000), Framing.HDLC),
        (1, 6, (50_000, 4059), None),
        (1, 17, (50_000, 4059), Framing.UNKNOWN),
        (7, 6, (4060, 1), Framing.BARE),  # a stream's own rule
        (1, 17, (4061, 1), Framing.SWAPPED),  # one for the protocol goes before one for either
        (1, 6, (4061, 1), Framing.WRAPPER),
        (1, 6, (4061, 4060), Framing.WRAPPER),  # the first port of the flow
        (1, 6, (1, 2), None),
    ],
)
def test_which_rule_counts(
    stream: int, protocol: int, ports: tuple[int, int], framing: Framing | None
) -> None:
    """By stream, by port of one protocol, by port."""
    rules = parse_decode_as(
        ["4060=hdlc", "udp:4059=none", "stream:7=bare", "4061=wrapper", "udp:4061=swapped", "tcp:9=none"]
    )
    assert rules.framing(stream, protocol, ports) == framing


def test_no_rules_are_false() -> None:
    """Nothing is asked where nothing was declared; a later rule for the same port stands."""
    assert not DecodeAs()
    assert DecodeAs(streams={0: Framing.BARE})
    assert parse_decode_as(["1=hdlc", "1=none"]).ports == {(0, 1): Framing.UNKNOWN}
