"""Pasted messages as a capture: one connection for each framing, each read as what it is."""

import pytest

from cosemscope.analysis.pasted.messages import PastedMessage, messages_of
from cosemscope.analysis.pasted.pasted_capture import message_times, pasted_analysis
from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.pasted.time_stamps import Stamp
from cosemscope.streams.tables.framing import Framing

_GET = "c001c100080000010000ff0200"
_PUSH = "0f00000001000203060000000112092406000003e8"
_MBUS_BODY = bytes.fromhex(f"53ff100167{_PUSH}")
#: A message of each framing, as hex.
_MESSAGES = {
    Framing.WRAPPER: f"000100100001000d{_GET}",
    Framing.HDLC: "7ea01903215833 14e6e600c001c1002a0001010000ff050090af7e".replace(" ", ""),
    Framing.BARE: _GET,
    Framing.MBUS: (
        bytes((0x68, len(_MBUS_BODY), len(_MBUS_BODY), 0x68))
        + _MBUS_BODY
        + bytes((sum(_MBUS_BODY) & 0xFF, 0x16))
    ).hex(),
}
_DAY = 86_400 * 10**9


def _messages(*framings: Framing) -> list[PastedMessage]:
    return messages_of(read_pasted("\n\n".join(_MESSAGES[framing] for framing in framings)))


def test_each_framing_has_a_connection_of_its_own() -> None:
    """Messages of all kinds in a text: rows of each, on ports that differ."""
    messages = _messages(*_MESSAGES, Framing.BARE)
    assert [message.framing for message in messages] == [*_MESSAGES, Framing.BARE]
    with pasted_analysis(messages) as (analysis, places):
        assert len(analysis.streams) == len(_MESSAGES)
        assert sorted(map(Framing, analysis.wpdus["framing"].tolist())) == sorted([*_MESSAGES, Framing.BARE])
        rows = [places[int(packet)] for packet in analysis.wpdus["first_packet"]]
        assert [messages[place].framing for place in rows] == [
            Framing(framing) for framing in analysis.wpdus["framing"].tolist()
        ]


@pytest.mark.parametrize(
    ("stamps", "times", "words"),
    [
        ([None, None], [1, 2], "made up"),
        ([Stamp(5 * 10**6, False), None], [5, 6], "for 1 of 2 messages"),
        ([Stamp(9 * 10**6, True), Stamp(7 * 10**6, False)], [9, 10], "for 1 of 2 messages"),
        ([Stamp(9 * 10**6, True), Stamp(7 * 10**6, True)], [9, 7], "are those of the text."),
        ([Stamp(80_000 * 10**9, False), Stamp(10**6, False)], [80_000_000, 86_400_001], "today's is taken"),
        ([Stamp(30_000 * 10**9, False), Stamp(10**6, False)], [30_000_000, 1], "today's is taken"),
    ],
)
def test_times(stamps: list[Stamp | None], times: list[int], words: str) -> None:
    """In milliseconds since the beginning; a clock that goes back by half a day has passed midnight."""
    messages = [
        message._replace(stamp=stamp)
        for message, stamp in zip(_messages(Framing.BARE, Framing.BARE), stamps, strict=True)
    ]
    found, said = message_times(messages, 0)
    assert [time // 10**6 for time in found] == times
    assert words in said
    assert message_times([message._replace(stamp=None) for message in messages], _DAY)[0] == [
        _DAY + 10**6,
        _DAY + 2 * 10**6,
    ]
