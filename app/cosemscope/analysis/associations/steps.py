"""From one APDU of an association to the next: what each kind of APDU tells, learns, opens and joins.

Which APDU does what is a table by tag. Layers are peeled one by one (gateway prefix, ciphering, signing,
blocks), each by the same `take`; what the innermost APDU asks or answers then counts for the association.
"""

from collections.abc import Callable
from functools import lru_cache

from cosemscope.analysis.associations.association import (
    Association,
    Counter,
    Look,
    Pending,
    QuietLook,
)
from cosemscope.analysis.associations.association_notes import (
    CIPHERED_CUT,
    COUNTER_JUMP,
    COUNTER_REPEATED,
    KEY_IN_CLEAR,
    Note,
)
from cosemscope.analysis.associations.blocks import Block, add_block, add_to_window
from cosemscope.analysis.associations.scalers import Scalers
from cosemscope.analysis.associations.security_methods import SecurityMethods, sized
from cosemscope.apdu.acse_facts import AcseFacts, acse_facts
from cosemscope.apdu.context import CipheredPart, Context, Reference, Request, SignedPart
from cosemscope.apdu.data.scaler_units import scalers_in
from cosemscope.apdu.data.shapes import SCALER_UNIT_ATTRIBUTE
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find, first
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.text_marks import is_telegram
from cosemscope.apdu.names.texts import TITLE_SIZE, title_text
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.envelopes import CIPHERED_TAGS, Unprotected, read_protected
from cosemscope.apdu.security.key_rings import KEY_SIZES
from cosemscope.apdu.security.key_sets import KeySet, public_key
from cosemscope.apdu.security.opener import KeyedOpener, key_kind
from cosemscope.streams.tables.expert_items import ItemKind

_MAX_DEPTH = 8
#: What is in clear may be read all the same, where there was only a tag to check.
_NOT_CHECKED = (Verdict.NO_KEY, Verdict.KEY_UNFIT, Verdict.NO_TITLE)
_LLC = (b"\xe6\xe6\x00", b"\xe6\xe7\x00")

#: Choices of requests and responses, by tag (IEC 62056-5-3): with one descriptor, with a list of them, with a
#: block of data; and the responses after which nothing more comes.
_ONE = {t.GET_REQUEST: (1,), t.SET_REQUEST: (1, 2), t.ACTION_REQUEST: (1, 4)}
_LIST = {t.GET_REQUEST: (3,), t.SET_REQUEST: (4, 5), t.ACTION_REQUEST: (3, 5)}
_BLOCK = {
    t.SET_REQUEST: (2, 3, 5),
    t.ACTION_REQUEST: (4, 5, 6),
    t.GET_RESPONSE: (2,),
    t.ACTION_RESPONSE: (2,),
}
_FINAL = {t.GET_RESPONSE: (1, 3), t.SET_RESPONSE: (1, 3, 4, 5), t.ACTION_RESPONSE: (1, 3)}
_DESCRIPTOR_SIZE = 9
#: Class and attribute of the scaler_units, which are no methods.
SCALER_MEMBERS = frozenset((class_id, member) for (class_id, _), member in SCALER_UNIT_ATTRIBUTE.items())
_SCALERS = frozenset((*one, False) for one in SCALER_MEMBERS)
#: A structure of two, the first an integer.
SCALER_BEGINS = b"\x02\x02\x0f"
#: What scalers are remembered of: responses of so many octets.
_SHORT = 64
#: READ and WRITE of short names, their responses; what waits for one, apart from all invoke-ids.
_NAMED_REQUESTS, _NAMED_RESPONSES, _BY_NAME = (0x05, 0x06), (0x0C, 0x0D), 1 << 25


def advance(association: Association, apdu: bytes, side: int) -> Look:
    """Takes the next APDU, sent by this side (0: the stream's client). Never raises, whatever it holds."""
    device, apdu = _behind_gateway(apdu)
    if device:
        association = association.behind_gateway(device)
    step = _Step(association, side)
    step.take(apdu[3:] if apdu[:3] in _LLC else apdu)
    return step.look()


def pass_over(
    association: Association,
    side: int,
    service: int,
    invoke: int,
    class_id: int,
    obis: int,
    member: int,
) -> QuietLook | None:
    """Takes a GET or SET in clear, for one attribute, as `advance` does, by its first-look columns alone.

    Returns what is asked or answered. None, and nothing is taken, where its octets matter: a response that
    may tell scalers.
    """
    if service in _ONE:
        association.ask(invoke, _pending(class_id, obis, member))
        association.end_transfer(side, service, invoke)
        return quiet_request(class_id, obis, member)
    known = association.requests.get(invoke)
    if known is None:
        return _ANSWERS_NOTHING
    if _asks_scalers(known.request):
        return None
    quiet = known.quiet or QuietLook(known.request)
    del association.requests[invoke]
    return with_scaler(quiet, association.scalers, association.row)


@lru_cache(4096)
def quiet_request(class_id: int, obis: int, member: int) -> QuietLook:
    """The look at a request for one attribute."""
    return QuietLook(Request((Reference(class_id, obis.to_bytes(6, "big"), member, False),)))


def with_scaler(quiet: QuietLook, scalers: Scalers, row: int) -> QuietLook:
    """The look at the response in this row, whose value is shown with the scaler that was told by then."""
    scaler_unit = scalers.at(row, quiet.reference) if quiet.reference is not None else None
    return quiet if scaler_unit is None else _scaled(quiet, scaler_unit)


@lru_cache(4096)
def _scaled(quiet: QuietLook, scaler_unit: tuple[int, int]) -> QuietLook:
    return quiet._replace(scaler_unit=scaler_unit)


#: The look at a response whose request was not seen.
_ANSWERS_NOTHING = QuietLook(None)


def plain_look(association: Association, side: int, quiet: QuietLook, apdu: bytes) -> Look:
    """The look at an APDU that was passed over."""
    opener = association.opener(side)
    scaler_unit = association.scalers.seen_from(association.row)
    return Look(-1, Context(quiet.request, opener.open, opener.verify, scaler_unit), plain=apdu)


@lru_cache(4096)
def _pending(class_id: int, obis: int, member: int) -> Pending:
    """The entry that waits for the response to a request for one attribute."""
    quiet = quiet_request(class_id, obis, member)
    return Pending(quiet.request or Request(), quiet=quiet)


def _asks_scalers(request: Request) -> bool:
    return not _SCALERS.isdisjoint(request.members)


def _behind_gateway(apdu: bytes) -> tuple[bytes, bytes]:
    """Network and address of the device behind a gateway, and the APDU behind the prefix."""
    if len(apdu) > 3 and apdu[0] in (t.GATEWAY_REQUEST, t.GATEWAY_RESPONSE) and 3 + apdu[2] < len(apdu):
        start = 3 + apdu[2]
        return apdu[1:start], apdu[start:]
    return b"", apdu


class _Step:
    """One APDU on its way through the association; collects what the `Look` will say."""

    def __init__(self, association: Association, side: int) -> None:
        self.association = association
        self.side = side
        self.inner = -1
        self.openings: list[Opening] = []
        self.opener: KeyedOpener | None = None
        self.request: Request | None = None
        self.joined: bytes | None = None
        self.plain = b""
        self.notes: list[Note] = []
        self.used: dict[tuple[bytes, str], set[int]] = {}
        self.acse: AcseFacts | None = None

    def look(self) -> Look:
        """The look at the APDU, once it is taken."""
        if self.used:
            self._count()
        opener = self.opener or self.association.opener(self.side)
        scaler_unit = self.association.scalers.seen_from(self.association.row)
        context = Context(self.request, opener.open, opener.verify, scaler_unit, self.joined)
        return Look(self.inner, context, tuple(self.openings), tuple(self.notes), self.plain, self.acse)

    def note(self, kind: ItemKind, message: str) -> None:
        """Remark something of this kind."""
        self.notes.append(Note(kind, message))

    def take(self, apdu: bytes, depth: int = 0) -> None:
        """An APDU, or what was inside of one."""
        if not apdu or depth > _MAX_DEPTH:
            return
        if depth and not is_telegram(apdu):
            self.inner = apdu[0]
        self.plain = apdu
        handle = _HANDLERS.get(apdu[0])
        if handle is not None:
            handle(self, apdu, depth)
        elif apdu[0] not in t.APDU_TAGS:
            self.protected(apdu, depth)

    # Protection.

    def protected(self, apdu: bytes, depth: int) -> None:
        """An APDU that is ciphered or signed, or has the form of one."""
        part = read_protected(apdu)
        if isinstance(part, Unprotected):
            self._learn_title(part.system_title)
            self.take(part.content, depth + 1)
        elif isinstance(part, SignedPart):
            self._learn_title(part.envelope.originator)
            self.take(part.content, depth + 1)
        elif part is not None:
            opening = self.open(part)
            text = opening.plaintext
            if opening.verdict in _NOT_CHECKED and not part.security_control & 0x20:
                text = part.content  # authenticated only: there is no key to check it, but it can be read
            if text is not None and not part.security_control & 0x80:
                self.take(text, depth + 1)
        elif apdu[0] in CIPHERED_TAGS:
            self.openings.append(Opening(Verdict.CUT))
            self.note(CIPHERED_CUT, "the ciphered APDU is cut or broken: there is nothing to open")

    def open(self, part: CipheredPart) -> Opening:
        """Opens a part with what is known by now."""
        association = self.association
        title = part.system_title
        self._learn_title(title)
        self.opener = association.opener(self.side)
        if title and title != association.titles[self.side] and len(title) == TITLE_SIZE:
            # Somebody else's APDU on this association, as of a concentrator: its keys are to be tried.
            self.opener = association.opener_for(title, self.side)
        opening = self.opener.open(part)
        self.openings.append(opening)
        self._used(part, opening)
        return opening

    def _learn_title(self, title: bytes | None) -> None:
        if self.association.titles[self.side] is None:
            self.association.learn_title(self.side, title)

    # Invocation counters.

    def _used(self, part: CipheredPart, opening: Opening) -> None:
        kind = key_kind(part)
        if kind is not None and opening.title and opening.verdict is not Verdict.TAG_WRONG:
            self._counter_used(opening.title, kind.value, opening.counter)

    def _counter_used(self, title: bytes, kind: str, counter: int) -> None:
        self.used.setdefault((title, kind), set()).add(counter)

    def _count(self) -> None:
        """Hold the counters used here against those before."""
        for key, counters in self.used.items():
            known = self.association.counters.get(key)
            lowest, highest = min(counters), max(counters)
            step = 0
            if known is not None and lowest <= known.last:
                self.note(
                    COUNTER_REPEATED,
                    f"invocation counter {lowest} is not above {known.last}, the last one of "
                    f"{title_text(key[0])}: a replay, a repetition, or the counter was set back",
                )
            elif known is not None:
                missing = highest - known.last - len(counters)
                step = 0 if missing else 1
                if missing and known.step == 1:
                    self.note(
                        COUNTER_JUMP,
                        f"invocation counter {lowest} follows {known.last}: {missing} "
                        f"{'is' if missing == 1 else 'are'} not in this association",
                    )
            self.association.count(key, Counter(highest, step))

    # ACSE.

    def begin(self, apdu: bytes, depth: int) -> None:
        """AARQ: who asks, how it authenticates itself, and perhaps a dedicated key."""
        self.association.begin(self.side)
        self._associate(apdu, "calling")

    def answer(self, apdu: bytes, depth: int) -> None:
        """AARE: who answers, and its challenge."""
        self.association.client_side = 1 - self.side
        self._associate(apdu, "responding")

    def release(self, apdu: bytes, depth: int) -> None:
        """RLRQ, RLRE, ABRT: they may carry a ciphered initiate; with the last two the association ends."""
        self._acse(apdu, "")
        if apdu[0] != t.RLRQ:
            self.association.end()

    def _associate(self, apdu: bytes, who: str) -> None:
        association, side = self.association, self.side
        facts = self.acse = self._acse(apdu, who)
        self._learn_title(facts.title)
        ours, other = association.challenges[side], association.challenges[1 - side]
        pair = (facts.challenge or ours, other)
        association.challenges = pair if side == 0 else (pair[1], pair[0])
        association.mechanism = facts.mechanism or association.mechanism
        if facts.base_name is not None:
            association.base_name = facts.base_name
        if facts.certificate and facts.certificate[:1] == b"\x30":
            self._learn_certificate(facts.certificate)

    def _acse(self, apdu: bytes, who: str) -> AcseFacts:
        """The facts of an ACSE APDU; a ciphered initiate in it is opened, its dedicated key is kept."""

        def opener(part: CipheredPart) -> Opening:
            opening = self.open(part)
            if opening.plaintext:
                self.inner = opening.plaintext[0]
            return opening

        facts = acse_facts(apdu, who, opener)
        key = facts.dedicated_key
        if key is not None and len(key) in KEY_SIZES and self._believed():
            if not self.openings:
                self.note(KEY_IN_CLEAR, KEY_IN_CLEAR.sentence)
            self.association.learn_key(KeySet("this association", dedicated=key))
        return facts

    def _believed(self) -> bool:
        return not self.openings or self.openings[0].verdict not in (Verdict.TAG_WRONG, Verdict.CUT)

    def _learn_certificate(self, certificate: bytes) -> None:
        title = self.association.titles[self.side]
        try:
            key = public_key(certificate)
        except ValueError:
            return
        self.association.learn_key(KeySet("the certificate in the association", title, signing_public=key))

    # Services with an invoke-id.

    def asked(self, apdu: bytes, depth: int) -> None:
        """A request of GET, SET or ACTION: what it asks for is kept for its response."""
        if len(apdu) < 3:
            return
        tag, choice, invoke = apdu[0], apdu[1], apdu[2] & 0x0F
        method = tag == t.ACTION_REQUEST
        if choice in _ONE[tag] and len(apdu) >= 3 + _DESCRIPTOR_SIZE:
            reference = _reference(apdu, 3, method)
            pending = Pending(Request((reference,)))
            if method and choice == 1:
                pending = pending._replace(parameters=self._methods().called(apdu, reference))
            self.association.ask(invoke, pending)
            self.association.end_transfer(self.side, tag, invoke)
        elif choice in _LIST[tag]:
            references = _listed(decode_apdu(apdu).root)
            self.association.ask(invoke, Pending(Request(references, with_list=True)))
            self.association.end_transfer(self.side, tag, invoke)
        known = self.association.requests.get(invoke)
        self.request = known.request if known is not None else None
        if choice in _BLOCK.get(tag, ()):
            self._block(apdu, invoke)

    def answered(self, apdu: bytes, depth: int) -> None:
        """A response of GET, SET or ACTION."""
        if len(apdu) < 4:
            return
        tag, choice, invoke = apdu[0], apdu[1], apdu[2] & 0x0F
        pending = self.association.requests.get(invoke)
        self.request = pending.request if pending is not None else None
        final = choice in _FINAL[tag]
        if choice in _BLOCK.get(tag, ()):
            final = self._block(apdu, invoke)
        if pending is not None and final:
            del self.association.requests[invoke]
            if tag == t.ACTION_RESPONSE and choice == 1:
                self._methods().answered(apdu, pending)
            self._learn_scalers(apdu, pending.request)

    def _methods(self) -> SecurityMethods:
        return SecurityMethods(self.association, self.side, self.note, self._counter_used)

    def name_asked(self, apdu: bytes, depth: int) -> None:
        """READ or WRITE of short names: what matters is whether it is a step of HLS."""
        self.association.requests.pop(_BY_NAME, None)
        if self._methods().called_by_name(apdu):
            self.association.ask(_BY_NAME, Pending(Request()))

    def name_answered(self, apdu: bytes, depth: int) -> None:
        """Their response."""
        if self.association.requests.pop(_BY_NAME, None) is not None:
            self._methods().answered_by_name(apdu)

    def access_asked(self, apdu: bytes, depth: int) -> None:
        """ACCESS request: what it asks for is kept under its long invoke-id."""
        if len(apdu) >= 5:
            specification = find(decode_apdu(apdu).root, "access-request-specification")
            self.request = Request(_references(specification), with_list=True)
            self.association.ask(_long_invoke_id(apdu), Pending(self.request))

    def access_answered(self, apdu: bytes, depth: int) -> None:
        """ACCESS response."""
        pending = self.association.requests.pop(_long_invoke_id(apdu), None)
        if pending is not None:
            self.request = pending.request
            self._learn_scalers(apdu, pending.request)

    def _learn_scalers(self, apdu: bytes, request: Request) -> None:
        """Scalers and units that a response holds: the values of their objects are shown with them."""
        if SCALER_BEGINS in (self.joined or apdu) and _asks_scalers(request):
            told = _told_scalers if self.joined is None and len(apdu) <= _SHORT else _told_scalers.__wrapped__
            self.association.scalers.learn(self.association.row, told(apdu, request, self.joined))

    # Blocks.

    def _block(self, apdu: bytes, invoke: int) -> bool:
        """A block of a service's data; whether it was the last."""
        root = decode_apdu(apdu).root
        number, last, raw = (first(root, name) for name in ("block-number", "last-block", "raw-data"))
        key = (self.side, apdu[0], invoke)
        if number is None or last is None or raw is None or not isinstance(raw.value, bytes):
            self.association.transfer(key, None)
            return True
        block = Block(number.value, bool(last.value), raw.value)
        joined = add_block(self.association.transfers.get(key), block)
        self.association.transfer(key, joined.transfer)
        self.notes += [joined.note] if joined.note else []
        self.joined = joined.whole
        return block.last

    def block_transfer(self, apdu: bytes, depth: int) -> None:
        """General-block-transfer: what its blocks are together is an APDU like any other."""
        if len(apdu) < 7 or depth > 1:
            return
        number, last = int.from_bytes(apdu[2:4], "big"), bool(apdu[1] & 0x80)
        octets = sized(apdu, 6)
        if octets is None:
            return
        windows = self.association.windows
        other = windows.get(1 - self.side)
        acknowledged = int.from_bytes(apdu[4:6], "big")
        if other is not None and (acknowledged or not octets):
            highest = max(other.acknowledged, acknowledged)
            windows[1 - self.side] = other._replace(acknowledged=highest)
        joined = add_to_window(windows.pop(self.side, None), Block(number, last, octets))
        if joined.transfer is not None:
            windows[self.side] = joined.transfer
        self.notes += [joined.note] if joined.note else []
        if joined.whole is not None:
            self.take(joined.whole, depth + 1)
            self.joined = joined.whole
        elif number == 1 and last:
            self.take(octets, depth + 1)


# Reading what is needed of an APDU.


@lru_cache(1024)
def _told_scalers(apdu: bytes, request: Request, joined: bytes | None) -> dict[Reference, tuple[int, int]]:
    return scalers_in(decode_apdu(apdu, Context(request, joined=joined)).root, request)


def _reference(apdu: bytes, start: int, method: bool) -> Reference:
    """The descriptor that stands at `start`."""
    member = apdu[start + 8]
    if not method and member > 127:
        member -= 256
    return Reference(
        int.from_bytes(apdu[start : start + 2], "big"), apdu[start + 2 : start + 8], member, method
    )


def _listed(root: Field) -> tuple[Reference, ...]:
    found = find(root, "attribute-descriptor-list") or find(root, "method-descriptor-list")
    return _references(found)


def _references(field: Field | None) -> tuple[Reference, ...]:
    """The references in a list's field; none where it could not be read to its end."""
    values = field.value if field is not None else None
    if not isinstance(values, tuple) or not all(isinstance(value, Reference) for value in values):
        return ()
    return values


def _long_invoke_id(apdu: bytes) -> int:
    """The invoke-id of ACCESS, apart from those of the other services."""
    return 1 << 24 | int.from_bytes(apdu[2:5], "big")


_HANDLERS: dict[int, Callable[[_Step, bytes, int], None]] = {
    **dict.fromkeys((*CIPHERED_TAGS, t.GENERAL_SIGNING), _Step.protected),
    t.AARQ: _Step.begin,
    t.AARE: _Step.answer,
    **dict.fromkeys((t.RLRQ, t.RLRE, t.ABRT), _Step.release),
    **dict.fromkeys(_ONE, _Step.asked),
    **dict.fromkeys(_FINAL, _Step.answered),
    **dict.fromkeys(_NAMED_REQUESTS, _Step.name_asked),
    **dict.fromkeys(_NAMED_RESPONSES, _Step.name_answered),
    t.ACCESS_REQUEST: _Step.access_asked,
    t.ACCESS_RESPONSE: _Step.access_answered,
    t.GENERAL_BLOCK_TRANSFER: _Step.block_transfer,
}
