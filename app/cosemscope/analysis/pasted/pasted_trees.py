"""Trees of pasted octets: one message by itself, several as one conversation, opened with the keys."""

from typing import NamedTuple

from cosemscope.analysis.associations.association import Association, Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.steps import advance
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.pasted.messages import FRAMINGS, PacketLink, PastedMessage, messages_of
from cosemscope.analysis.pasted.pasted_capture import can_be_captured, pasted_analysis
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.framed import Layer, decode_octets, digits_of, recognise
from cosemscope.apdu.mbus_frames import mbus_apdu
from cosemscope.apdu.pasted.pieces import Pasted
from cosemscope.apdu.pasted.time_stamps import Stamp
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.transport.wports import Side
from cosemscope.wording import clock

#: Said where the messages could not be read as a conversation; why follows.
NO_CONVERSATION = "each message is read by itself, since the temporary folder cannot be used"


class PastedTree(NamedTuple):
    """A message of a pasted text, its frames joined: who sent it, its tree, what is known of it, and when."""

    sender: Side
    decoded: Decoded
    look: Look
    stamp: Stamp | None = None

    @property
    def time(self) -> str:
        """When it was sent, as the text tells: date and time, or the time of day; "" where it tells none."""
        if self.stamp is None:
            return ""
        text = clock(self.stamp.time, utc=not self.stamp.dated)
        return text if self.stamp.dated else text.partition(" ")[2]


def decode_pasted(pasted: Pasted, keys: KeyTable = NO_KEYS) -> list[PastedTree]:
    """The trees of all messages of a pasted text, in order; at least one.

    Several messages are one conversation: titles, keys, requests, blocks and segments of earlier ones hold.
    Raises SpoolError or OSError where there is no room for the temporary file that this takes.
    """
    messages = messages_of(pasted)
    if not can_be_captured(messages):
        return decode_each(messages, keys)
    if len(messages) == 1 and not isinstance(messages[0].framing, PacketLink):
        return [decode_message(messages[0], keys)]
    given = [message.octets for message in messages]
    with pasted_analysis(messages) as (analysis, places):
        associations = Associations(analysis, keys)
        found: list[tuple[int, PastedTree]] = []
        for row, look in associations.walk():
            indexes = [places[packet] for packet in analysis.packets_of(row).tolist()]
            first = messages[indexes[0]]
            if first.framing is Framing.MBUS:  # the rows have the APDU alone
                octets = b"".join(given[index] for index in indexes)
                decoded = decode_octets(octets, look.context)
            else:
                decoded = associations.decode(row, look)
            found.append((indexes[-1], PastedTree(first.sender, decoded, look, first.stamp)))
            for index in indexes:
                messages[index] = messages[index]._replace(octets=b"")
    # A frame that carries no APDU, and a packet that carries no WPDU, is no row, and is shown all the same.
    found += [(index, decode_message(left, keys)) for index, left in enumerate(messages) if left.octets]
    return [tree for _, tree in sorted(found, key=lambda pair: pair[0])]


def decode_each(messages: list[PastedMessage], keys: KeyTable = NO_KEYS) -> list[PastedTree]:
    """The trees of messages, each read by itself. Never raises."""
    return [decode_message(message, keys) for message in messages]


def _apdu_of(octets: bytes) -> bytes:
    """The APDU in octets of any layer; empty where there is none."""
    layer = recognise(octets)
    if layer is Layer.MBUS:
        return mbus_apdu(octets)
    if layer is Layer.DIGITS:
        return _apdu_of(digits_of(octets))
    return b"" if layer is Layer.DATA else apdu_octets(octets, FRAMINGS[layer])


def decode_message(message: PastedMessage, keys: KeyTable = NO_KEYS) -> PastedTree:
    """The tree of one message by itself; where it does not say whose it is, the keys' titles are tried."""
    look = advance(Association(keys), _apdu_of(message.octets), 0)
    return PastedTree(message.sender, decode_octets(message.octets, look.context), look, message.stamp)
