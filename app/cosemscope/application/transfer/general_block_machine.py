"""General block transfer at one end: it cuts what goes out into blocks, and joins what comes in.

Each end says with `window` how many blocks it takes before it acknowledges. A block with the streaming bit is
followed by more at once; the last of a window, or of the APDU, waits for the other end. What was lost is
asked for again by acknowledging the block before it. Sans I/O: blocks go in and out as values, each of which
is to be sent as an APDU of its own. Source: IEC 62056-5-3, general block transfer.
"""

from typing import NamedTuple

from cosemscope.application.encoding.carrier_apdus import GeneralBlockTransfer

#: Octets of a block beside its data: tag, control, two numbers, length.
BLOCK_OVERHEAD = 11
_MOST_BLOCKS = 0xFFFF


class TransferError(ValueError):
    """A block transfer that cannot go on: the sentence says at which block, and why."""


class BlocksTaken(NamedTuple):
    """What a received block led to: blocks to send, the APDU that is whole now, octets joined so far."""

    blocks: tuple[GeneralBlockTransfer, ...] = ()
    apdu: bytes | None = None
    octets: int = 0


class GeneralBlockMachine:
    """One transfer at a time in each direction; `most_octets` bounds what is joined."""

    def __init__(self, window: int = 1, most_octets: int = 1 << 26) -> None:
        self.window = window
        self._most = most_octets
        # Receiving: blocks before `_expected` have come.
        self._parts: list[bytes] = []
        self._size = 0
        self._expected = 1
        # Sending: `_pieces[0]` has the number `_first`; those before `_acknowledged` are there.
        self._pieces: list[bytes] = []
        self._first = 1
        self._acknowledged = 0
        self._number = 1
        self._peer_window = 1

    @property
    def sending(self) -> bool:
        """Whether blocks are left to send, or to be acknowledged."""
        return bool(self._pieces)

    @property
    def receiving(self) -> bool:
        """Whether an APDU has begun to come."""
        return bool(self._parts)

    def reset(self) -> None:
        """Begin anew: what was on the way is given up."""
        self._forget_received()
        self._pieces = []
        self._number = 1

    def send(self, apdu: bytes, block_size: int) -> tuple[GeneralBlockTransfer, ...]:
        """The first blocks of an APDU, each of at most `block_size` octets of data.

        Raises TransferError where the blocks cannot be numbered.
        """
        count = -(-len(apdu) // block_size) if block_size > 0 else _MOST_BLOCKS + 1
        if count > _MOST_BLOCKS:
            raise TransferError(f"{len(apdu)} octets need more than {_MOST_BLOCKS} blocks of {block_size}")
        self.reset()
        self._pieces = [apdu[at : at + block_size] for at in range(0, len(apdu), block_size)]
        self._first, self._acknowledged = self._number, 0
        return self._window_of_blocks()

    def _window_of_blocks(self) -> tuple[GeneralBlockTransfer, ...]:
        start = self._acknowledged
        stop = min(start + max(self._peer_window, 1), len(self._pieces))
        blocks = tuple(
            GeneralBlockTransfer(
                last=index == len(self._pieces) - 1,
                streaming=index < stop - 1,
                window=self.window,
                number=self._first + index,
                acknowledged=self._expected - 1,
                octets=self._pieces[index],
            )
            for index in range(start, stop)
        )
        self._number = self._first + stop
        return blocks

    def receive(self, block: GeneralBlockTransfer) -> BlocksTaken:
        """Take a block of the other end; raises TransferError where more comes than may be joined."""
        self._peer_window = block.window
        self._take_acknowledgement(block)
        self._take_data(block)
        if block.last and self._parts and block.number < self._expected:
            apdu = b"".join(self._parts)
            self.reset()
            return BlocksTaken(apdu=apdu, octets=len(apdu))
        if self._pieces and not self._parts:
            return BlocksTaken(self._window_of_blocks())
        if block.streaming or not (block.octets or self._parts):
            return BlocksTaken(octets=self._size)
        return BlocksTaken((self._acknowledgement(),), octets=self._size)

    def _take_acknowledgement(self, block: GeneralBlockTransfer) -> None:
        if self._pieces:
            known = block.acknowledged - self._first + 1
            self._acknowledged = min(max(known, self._acknowledged), len(self._pieces))
            if self._acknowledged == len(self._pieces):
                self._pieces = []

    def _take_data(self, block: GeneralBlockTransfer) -> None:
        if not self._parts and block.octets and block.number == 1:
            self._expected = 1  # whoever does not count its acknowledgements begins with 1
        if block.number != self._expected:
            return  # it came before, or one before it is missing: the acknowledgement tells
        self._expected += 1
        if block.octets:
            self._size += len(block.octets)
            if self._size > self._most:
                size = self._size
                self.reset()
                raise TransferError(f"block {block.number}: {size} octets are more than {self._most}")
            self._parts.append(block.octets)

    def _acknowledgement(self) -> GeneralBlockTransfer:
        """A block without data that says which blocks have come."""
        number, self._number = self._number, self._number + 1
        return GeneralBlockTransfer(True, False, self.window, number, self._expected - 1, b"")

    def _forget_received(self) -> None:
        self._parts, self._size, self._expected = [], 0, 1
