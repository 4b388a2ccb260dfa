"""General block transfer between two machines, over a wire that may lose blocks of a stream."""

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.application.encoding.carrier_apdus import GeneralBlockTransfer
from cosemscope.application.transfer.general_block_machine import (
    BlocksTaken,
    GeneralBlockMachine,
    TransferError,
)


def _carried(
    apdu: bytes,
    size: int,
    sender: GeneralBlockMachine,
    taker: GeneralBlockMachine,
    lose: Collection[int] = (),
) -> tuple[bytes | None, int]:
    """The APDU that arrives, and how many blocks went to and fro; the blocks of these turns are lost."""
    wire = [(taker, block) for block in sender.send(apdu, size)]
    turn = 0
    while wire and turn < 10_000:
        end, block = wire.pop(0)
        turn += 1
        if turn in lose and block.streaming:
            continue
        taken = end.receive(block)
        if taken.apdu is not None:
            return taken.apdu, turn
        other = sender if end is taker else taker
        wire += [(other, each) for each in taken.blocks]
    return None, turn


@given(st.binary(min_size=1, max_size=400), st.integers(1, 50), st.integers(1, 5), st.integers(1, 5))
def test_every_apdu_arrives(apdu: bytes, size: int, window: int, other: int) -> None:
    """Whatever the sizes of APDU, block and windows."""
    sender, taker = GeneralBlockMachine(window), GeneralBlockMachine(other)
    assert _carried(apdu, size, sender, taker)[0] == apdu
    assert not taker.receiving
    assert _carried(apdu[::-1], size, sender, taker)[0] == apdu[::-1]


@given(st.binary(min_size=100, max_size=300), st.sets(st.integers(1, 60)), st.integers(2, 5))
def test_lost_blocks_are_sent_again(apdu: bytes, lost: set[int], window: int) -> None:
    """Blocks that are lost inside a window are asked for by the acknowledgement at its end."""
    arrived, _ = _carried(apdu, 10, GeneralBlockMachine(), GeneralBlockMachine(window), lost)
    assert arrived == apdu


def test_windows_are_streamed() -> None:
    """After the first acknowledgement as many blocks as the other end takes, the last without streaming."""
    sender, taker = GeneralBlockMachine(), GeneralBlockMachine(3)
    (first,) = sender.send(bytes(50), 10)
    assert (first.number, first.last, first.streaming) == (1, False, False)
    (reply,) = taker.receive(first).blocks
    assert (reply.acknowledged, reply.window, reply.octets) == (1, 3, b"")
    blocks = sender.receive(reply).blocks
    assert [(one.number, one.streaming) for one in blocks] == [(2, True), (3, True), (4, False)]
    assert taker.receive(blocks[0]).blocks == ()
    assert taker.receive(blocks[2]).blocks[0].acknowledged == 2
    assert sender.sending


def test_an_acknowledgement_that_is_not_counted_is_survived() -> None:
    """A response whose blocks begin with 1 although acknowledgements came before it."""
    machine = GeneralBlockMachine()
    machine.send(bytes(20), 10)
    machine.receive(GeneralBlockTransfer(True, False, 1, 1, 1, b""))
    assert machine.receive(GeneralBlockTransfer(True, False, 1, 1, 2, b"answer")) == BlocksTaken(
        apdu=b"answer", octets=6
    )


def test_what_is_joined_is_bounded() -> None:
    """A peer cannot fill the memory."""
    machine = GeneralBlockMachine(most_octets=25)
    for number in (1, 2):
        machine.receive(GeneralBlockTransfer(False, True, 1, number, 0, bytes(10)))
    with pytest.raises(TransferError, match="block 3: 30 octets are more than 25"):
        machine.receive(GeneralBlockTransfer(False, True, 1, 3, 0, bytes(10)))
    assert not machine.receiving


def test_blocks_that_cannot_be_numbered() -> None:
    """More than 65,535, or none at all."""
    for size in (1, 0):
        with pytest.raises(TransferError, match="more than 65535 blocks"):
            GeneralBlockMachine().send(bytes(70_000), size)
