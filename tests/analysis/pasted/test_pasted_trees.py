"""Pasted messages are one conversation, whole packets are opened, and nothing that was pasted is lost."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.pasted.messages import PacketLink, messages_of
from cosemscope.analysis.pasted.pasted_capture import message_times, write_messages
from cosemscope.analysis.pasted.pasted_trees import decode_pasted
from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.summary import summarise
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wports import Side

_SNRM = "SNRM"


def _infos(text: str) -> list[str]:
    return [summarise(tree.decoded, tree.look.context) for tree in decode_pasted(read_pasted(text))]


def test_senders_follow_octets_labels_and_wports() -> None:
    """A request is the client's, a push the meter's; what does not tell goes with its label or its wPorts."""
    text = "TX: c001c100030100010800ff0200\nRX: db0011223344556677889900aabbccdd\nTX: db00112233"
    assert [message.sender for message in messages_of(read_pasted(text))] == [
        Side.CLIENT,
        Side.SERVER,
        Side.CLIENT,
    ]
    wpdus = "000100100001000dc001c100030100010800ff0200 0001000100100003db0000 0001001000010003db0000"
    assert [message.sender for message in messages_of(read_pasted(wpdus))] == [
        Side.CLIENT,
        Side.SERVER,
        Side.CLIENT,
    ]


def test_frames_without_an_apdu_are_shown_beside_those_with_one() -> None:
    """Link set-up and APDUs pasted together: each frame has its tree."""
    snrm, push = "7ea0070321930f017e", "7ea019410313a94be6e7000f00000001000201060000000196977e"
    infos = _infos(f"{snrm}\n{push}")
    assert len(infos) == 2
    assert _SNRM in infos[0]
    assert "PUSH" in infos[1]


def test_pasted_messages_open_as_a_capture(tmp_path: Path) -> None:
    """What was pasted, written as a capture, is read from its file like any other."""
    text = "TX: 000100100001000dc001c100030100010800ff0200\nRX: 0001000100100009c401c1000600001391"
    path = tmp_path / "pasted.pcapng"
    assert write_messages(path, messages_of(read_pasted(text))) == [0, 0, 0, 0, 1]
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        assert analysis.wpdus["direction"].tolist() == [0, 1]
        assert analysis.wpdus["source_wport"].tolist() == [16, 1]


@pytest.mark.parametrize(
    ("stamps", "gaps", "words"),
    [
        (("2024-01-07T16:15:49Z", "2024-01-07T16:15:51.5Z"), 2_500_000_000, "those of the text."),
        (("[23:59:59.900]", "[00:00:00.100]"), 200_000_000, "no date"),
        (("1704644149123", "1704644149125"), 2_000_000, "those of the text."),
        (("", ""), 1_000_000, "made up"),
        (("2024-01-07T16:15:49Z", ""), 0, "those of the text."),
    ],
)
def test_times_of_the_capture_are_those_of_the_text(
    tmp_path: Path, stamps: tuple[str, str], gaps: int, words: str
) -> None:
    """Stamps of a log are the times of its messages; where there are none, that is said."""
    wpdus = ("000100100001000dc001c100030100010800ff0200", "0001000100100009c401c1000600001391")
    messages = messages_of(read_pasted("\n".join(map(" ".join, zip(stamps, wpdus, strict=True)))))
    path = tmp_path / "pasted.pcapng"
    write_messages(path, messages, 1_700_000_000_000_000_000)
    assert words in message_times(messages, 0)[1]
    with open_capture(path) as reader:
        first, last = Analysis(reader).run().wpdus["time"].tolist()
    assert last - first == gaps
    if stamps[0].startswith("2024"):
        assert first == 1_704_644_149_000_000_000


def test_packets_are_told_by_their_headers() -> None:
    """Ethernet, with a VLAN tag too, and IP of both versions; what only looks like it is none."""
    ip = bytes.fromhex(
        "45000039000100004006f6b6c0000201c0000202c3500fdb000003e9000013895018200000000000"
    ) + bytes(17)
    for octets, framing in (
        (ip, PacketLink.IP),
        (bytes(12) + b"\x08\x00" + ip, PacketLink.ETHERNET),
        (bytes(12) + b"\x81\x00\x00\x07\x08\x00" + ip, PacketLink.ETHERNET),
        (ip[:-1], Framing.BARE),
        (bytes(12) + b"\x08\x06" + ip, Framing.BARE),
    ):
        assert messages_of(read_pasted(octets.hex()))[0].framing is framing


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6), st.booleans())
def test_nothing_that_was_pasted_is_lost_and_nothing_raises(rows: list[bytes], labelled: bool) -> None:
    """Messages hold every octet of the text in order, whatever it is, and each has a tree."""
    lines = [f"{'TX: ' if labelled and index % 2 else ''}0x{row.hex()}" for index, row in enumerate(rows)]
    pasted = read_pasted("\n".join(lines))
    messages = messages_of(pasted)
    assert b"".join(message.octets for message in messages) == pasted.octets == b"".join(rows)
    shown = decode_pasted(pasted)
    assert shown
    assert all(summarise(tree.decoded, tree.look.context) for tree in shown)


def test_frames_without_flags_are_a_conversation_too() -> None:
    """Lists of decimal or hex octets without 7E: segments are joined, requests known."""
    snrm, push = "a0070321930f01", "a019410313a94be6e7000f0000000100020106000000019697"
    assert _infos(f"{snrm}\n{push}")[1] == "PUSH, structure of 1: 1"


def test_mbus_telegrams_are_a_conversation_with_frames_shown() -> None:
    """Each telegram is a message; its tree has the frame around the APDU, and the capture its APDU."""
    frame = "682a2a6853ff100167db0854535400000000071a2000000010fe429c5787d402da2d5b6460ccc578eecb9d2d2a63c816"
    trees = decode_pasted(read_pasted(f"{frame}\n{frame}"))
    assert [tree.decoded.root.name for tree in trees] == ["M-Bus frame"] * 2
    assert all(message.framing is Framing.MBUS for message in messages_of(read_pasted(frame)))


def test_values_beside_messages_are_shown() -> None:
    """What no stream can hold is decoded by itself, between the others."""
    infos = _infos("c401c1000600001391\n02020ffe1623\n0600001391")
    assert infos[0] == "GET response, data = 5009"
    assert infos[1].startswith("no APDU: Data, scaler 10^-2, unit V")
    assert infos[2] == "no APDU: Data, 5009"
