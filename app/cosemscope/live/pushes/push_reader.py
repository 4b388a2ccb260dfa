"""Pushes out of what comes: blocks joined, envelopes opened, a notification with the names of its values.

It opens no socket. `receive` takes one APDU of one sender; what it answers with, where it is wanted, is to be
sent by whoever listens.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from cosemscope.apdu.data.dates import date_time_text
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.texts import title_text
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.application.encoding.apdus import encode, parse
from cosemscope.application.encoding.notifications import (
    DataNotification,
    DataNotificationConfirm,
    EventNotification,
)
from cosemscope.application.encoding.octet_reader import ParseError
from cosemscope.application.encoding.short_name_apdus import InformationReport
from cosemscope.application.protection.unsealing import PROTECTED_TAGS, UnsealError, unseal
from cosemscope.application.transfer.general_block_machine import GeneralBlockMachine, TransferError
from cosemscope.live.commands.listen_job import PushOrigin

#: Senders whose blocks may be on the way at once, and octets of one push at most.
_SENDERS, _MOST_OCTETS = 1024, 1 << 20
_LAYERS = 4
_NOTIFICATIONS = (t.DATA_NOTIFICATION, t.EVENT_NOTIFICATION, t.INFORMATION_REPORT)
_SERVICES = {**t.GLO_SERVICES, **t.DED_SERVICES}
#: Envelopes for any APDU, and ciphered notifications; ciphered requests and responses are no pushes.
_MAY_HOLD_PUSHES = frozenset(
    tag for tag in PROTECTED_TAGS if _SERVICES.get(tag, _NOTIFICATIONS[0]) in _NOTIFICATIONS
)
_CONFIRMED, _INVOKE = 0x40000000, 0xFFFFFF


OpenerOf = Callable[[bytes | None, PushOrigin], KeyedOpener]
"""The keys for what this sender sends, by its system title where the APDU tells it."""


@dataclass(frozen=True, slots=True)
class PushTaken:
    """A notification: who sent it, when by its own time, what it holds in the words of its objects."""

    meter: str
    invoke_id: int | None
    date_time: str
    names: tuple[str, ...]
    texts: tuple[str, ...]
    protected: bool
    confirmed: bool


class Received(NamedTuple):
    """What an APDU was: a push, or a part of one (None), or why it is none; and what answers it."""

    push: PushTaken | None = None
    problem: str = ""
    replies: tuple[bytes, ...] = ()


class PushReader:
    """`opener_of` gives the keys; none are needed for pushes in clear. With `confirm` it answers."""

    def __init__(self, opener_of: OpenerOf, *, confirm: bool = False) -> None:
        self._opener_of, self._confirm = opener_of, confirm
        self._blocks: OrderedDict[tuple[str, int, int], GeneralBlockMachine] = OrderedDict()

    def receive(self, apdu: bytes, origin: PushOrigin) -> Received:
        """One APDU; never raises. What is no notification is nothing."""
        replies: tuple[bytes, ...] = ()
        title: bytes | None = None
        protected = False
        try:
            for _ in range(_LAYERS):
                tag = apdu[0] if apdu else -1
                if tag in _MAY_HOLD_PUSHES:
                    title = _sender_of(apdu)
                    unsealed = unseal(apdu, self._opener_of(title, origin))
                    apdu, protected = unsealed.apdu, True
                    title = unsealed.opening.title or title
                elif tag == t.GENERAL_BLOCK_TRANSFER:
                    taken = self._machine(origin).receive(parse(apdu))
                    replies += tuple(map(encode, taken.blocks)) if self._confirm else ()
                    if taken.apdu is None:
                        return Received(replies=replies)
                    apdu = taken.apdu
                else:
                    break
            return self._notification(apdu, origin, title, protected, replies)
        except (UnsealError, TransferError, ParseError) as reason:
            return Received(problem=str(reason), replies=replies)

    def _machine(self, origin: PushOrigin) -> GeneralBlockMachine:
        key = (origin.remote, origin.remote_wport, origin.local_wport)
        machine = self._blocks.pop(key, None) or GeneralBlockMachine(most_octets=_MOST_OCTETS)
        self._blocks[key] = machine
        if len(self._blocks) > _SENDERS:
            self._blocks.popitem(last=False)
        return machine

    def _notification(
        self,
        apdu: bytes,
        origin: PushOrigin,
        title: bytes | None,
        protected: bool,
        replies: tuple[bytes, ...],
    ) -> Received:
        if not apdu or apdu[0] not in _NOTIFICATIONS:
            return Received(replies=replies)
        value = parse(apdu)
        invoke, time, confirmed = None, b"", False
        if isinstance(value, DataNotification):
            invoke, time = value.long_invoke & _INVOKE, value.date_time
            confirmed = bool(value.long_invoke & _CONFIRMED)
            if confirmed and self._confirm and not protected:
                replies += (encode(DataNotificationConfirm(value.long_invoke)),)
        elif isinstance(value, EventNotification | InformationReport):
            told = getattr(value, "date_time", None) or getattr(value, "time", None)
            time = told if isinstance(told, bytes) else b""
        names, texts = _values(decode_apdu(apdu).root)
        return Received(
            PushTaken(
                title_text(title) if title is not None else origin.host,
                invoke,
                date_time_text(time) if len(time) == 12 else "",
                names,
                texts,
                protected,
                confirmed,
            ),
            replies=replies,
        )


def _sender_of(apdu: bytes) -> bytes | None:
    """The system title that an envelope names."""
    value = parse(apdu)
    title = getattr(value, "system_title", None) or getattr(value, "originator", None)
    return title if isinstance(title, bytes) and title else None


def _values(root: Field) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and texts of what a notification holds, as the decoder tells them."""
    body = find(root, "notification-body")
    if body is None:
        shown = [child for child in root.children if child.text and child.name not in ("tag", "time")]
    else:
        shown = [child for child in body.children if child.name not in ("tag", "count", "length")]
        if not any(child.children for child in shown):
            shown = [body]
    texts = tuple(child.text.split(" (read as ")[0] for child in shown)
    return tuple(child.name for child in shown), texts
