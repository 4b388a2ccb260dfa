"""Trees of pasted octets: one message by itself, several as one conversation, opened with the keys."""

from typing import NamedTuple

from cosemscope.analysis.associations.association import Association, Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.steps import advance
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.pasted.messages import FRAMINGS, PacketLink, PastedMessage, messages_of
from cosemscope.analysis.pasted.pasted_capture import pasted_analysis
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.framed import decode_octets, recognise
from cosemscope.apdu.pasted.pieces import Pasted
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.transport.wports import Side


class PastedTree(NamedTuple):
    """A message of a pasted text, its frames joined: who sent it, its tree, what is known of it."""

    sender: Side
    decoded: Decoded
    look: Look


def decode_pasted(pasted: Pasted, keys: KeyTable = NO_KEYS) -> list[PastedTree]:
    """The trees of all messages of a pasted text, in order; at least one. Never raises.

    Several messages are one conversation: titles, keys, requests, blocks and segments of earlier ones hold.
    """
    messages = messages_of(pasted)
    if len(messages) == 1 and not isinstance(messages[0].framing, PacketLink):
        return [decode_message(messages[0], keys)]
    with pasted_analysis(messages) as (analysis, places):
        associations = Associations(analysis, keys)
        found: list[tuple[int, PastedTree]] = []
        for row, look in associations.walk():
            indexes = [places[packet] for packet in analysis.packets_of(row).tolist()]
            sender = messages[indexes[0]].sender
            found.append((indexes[-1], PastedTree(sender, associations.decode(row, look), look)))
            for index in indexes:
                messages[index] = messages[index]._replace(octets=b"")
    # A frame that carries no APDU, and a packet that carries no WPDU, is no row, and is shown all the same.
    found += [(index, decode_message(left, keys)) for index, left in enumerate(messages) if left.octets]
    return [tree for _, tree in sorted(found, key=lambda pair: pair[0])]


def decode_message(message: PastedMessage, keys: KeyTable = NO_KEYS) -> PastedTree:
    """The tree of one message by itself; where it does not say whose it is, the keys' titles are tried."""
    framing = FRAMINGS[recognise(message.octets)]
    look = advance(Association(keys), apdu_octets(message.octets, framing), 0)
    return PastedTree(message.sender, decode_octets(message.octets, look.context), look)
