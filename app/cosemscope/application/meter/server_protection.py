"""How a server opens what a client protects, and answers in the same form: keys, counters, refusals.

A counter that was used before, a tag that does not fit and protection below the policy are each answered by
an exception-response of its own, in clear, so that the client learns why.
"""

from typing import NamedTuple

from cosemscope.apdu.context import CipheredPart, SignedPart
from cosemscope.apdu.names.tags import (
    DED_SERVICES,
    GENERAL_CIPHERING,
    GENERAL_DED,
    GENERAL_GLO,
    GENERAL_SIGNING,
)
from cosemscope.apdu.security.envelopes import read_protected
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.application.encoding.notifications import INVOCATION_COUNTER_ERROR, ExceptionResponse
from cosemscope.application.meter.objects.security_objects import MeterKeys
from cosemscope.application.protection.general_sealing import (
    EnvelopeHeader,
    identified_key,
    seal_general,
    sign_general,
)
from cosemscope.application.protection.sealing import CipheringForm, Sealer
from cosemscope.application.protection.unsealing import PROTECTED_TAGS, UnsealError, unseal

AUTHENTICATED, ENCRYPTED = 0x10, 0x20
_PROTECTION = AUTHENTICATED | ENCRYPTED
NOT_ALLOWED, OPERATION_NOT_POSSIBLE, DECIPHERING_FAILED = 1, 1, 5
#: The form of the answer, by the tag of the request.
_FORMS = {
    **dict.fromkeys(DED_SERVICES, CipheringForm.DEDICATED),
    GENERAL_GLO: CipheringForm.GENERAL_GLOBAL,
    GENERAL_DED: CipheringForm.GENERAL_DEDICATED,
}


class ProtectionRefused(Exception):  # noqa: N818 -- a refusal is an answer, no error of the program
    """A request that is not taken as it is protected; `answer` says why."""

    def __init__(self, service_error: int, counter: int | None = None) -> None:
        super().__init__(service_error)
        self.answer = ExceptionResponse(NOT_ALLOWED, service_error, counter)


class AnswerForm(NamedTuple):
    """How an answer is to be protected: the tag of the request, its security control."""

    tag: int
    control: int
    transaction: bytes = b""


class ServerProtection:
    """Protection in one association with the holder of `client_title`."""

    def __init__(self, keys: MeterKeys, client_title: bytes, policy: int) -> None:
        self.client_title = client_title
        self._keys, self._policy = keys, policy
        self._dedicated: bytes | None = None
        self._dedicated_last = -1
        self._made_of: KeySet | None = None
        self._sealers: dict[tuple[CipheringForm, int], Sealer] = {}
        self._opener = KeyedOpener(KeyRing(()))

    def use_dedicated(self, key: bytes | None) -> None:
        """The key that the client has sent for this association."""
        self._dedicated, self._dedicated_last, self._made_of = key, -1, None

    def _refresh(self) -> None:
        """The keys as they are now: a client may have changed them."""
        if self._made_of is not self._keys.keys:
            self._made_of = self._keys.keys
            self._sealers = {}
            ring = KeyRing((self._own(), *self._keys.clients))
            self._opener = KeyedOpener(ring, self.client_title)

    def _own(self) -> KeySet:
        keys = self._keys.keys
        return KeySet(
            keys.label,
            encryption=keys.encryption,
            authentication=keys.authentication,
            dedicated=self._dedicated,
            broadcast=keys.broadcast,
            master=keys.master,
            agreement_private=keys.agreement_private,
        )

    def open(self, apdu: bytes) -> tuple[bytes, AnswerForm | None]:
        """The request inside, and how its answer is protected (None: it came in clear).

        Raises ProtectionRefused.
        """
        if not apdu or apdu[0] not in PROTECTED_TAGS:
            if self._policy:
                raise ProtectionRefused(OPERATION_NOT_POSSIBLE)
            return apdu, None
        self._refresh()
        try:
            found = unseal(apdu, self._opener)
        except UnsealError:
            raise ProtectionRefused(DECIPHERING_FAILED) from None
        part = read_protected(apdu)
        control = max(found.control, 0)
        transaction = b""
        if isinstance(part, SignedPart | CipheredPart) and part.envelope is not None:
            transaction = part.envelope.transaction_id
        if isinstance(part, SignedPart) and found.apdu and found.apdu[0] in PROTECTED_TAGS:
            return self.open(found.apdu)
        if control & self._policy != self._policy:
            raise ProtectionRefused(OPERATION_NOT_POSSIBLE)
        if found.counter is not None:
            self._use_up(found.counter, _FORMS.get(apdu[0], CipheringForm.GLOBAL).dedicated)
        return found.apdu, AnswerForm(apdu[0], control, transaction)

    def _use_up(self, counter: int, dedicated: bool) -> None:
        """Each key has counters of its own. Raises ProtectionRefused for one that was used before."""
        if not dedicated:
            if not self._keys.take(self.client_title, counter):
                expected = self._keys.expected(self.client_title)
                raise ProtectionRefused(INVOCATION_COUNTER_ERROR, expected)
        elif counter <= self._dedicated_last:
            raise ProtectionRefused(INVOCATION_COUNTER_ERROR, self._dedicated_last + 1)
        else:
            self._dedicated_last = counter

    def overhead(self, form: AnswerForm | None) -> int:
        """Octets that protection adds to an answer at most."""
        if form is None:
            return 0
        if form.tag in (GENERAL_CIPHERING, GENERAL_SIGNING):
            return 160
        return self._sealer(form).overhead

    def close(self, answer: bytes, form: AnswerForm | None) -> bytes:
        """An answer, protected as its request was."""
        if form is None:
            return answer
        if form.tag in (GENERAL_CIPHERING, GENERAL_SIGNING):
            return self._close_general(answer, form)
        sealer = self._sealer(form)
        if not answer or not sealer.seals(answer[0]):
            return answer
        return sealer.seal(answer, self._keys.next_counter())

    def _close_general(self, answer: bytes, form: AnswerForm) -> bytes:
        keys = self._keys.keys
        header = EnvelopeHeader(self._keys.title, self.client_title, form.transaction)
        if form.tag == GENERAL_SIGNING:
            if keys.signing_private is None:
                return answer
            return sign_general(answer, header, keys.signing_private)
        return seal_general(
            answer,
            self._keys.next_counter(),
            header,
            identified_key(keys),
            keys.authentication,
            self._keys.suite,
            authenticated=bool(form.control & AUTHENTICATED),
            encrypted=bool(form.control & ENCRYPTED),
        )

    def _sealer(self, form: AnswerForm) -> Sealer:
        how, control = _FORMS.get(form.tag, CipheringForm.GLOBAL), form.control & _PROTECTION or _PROTECTION
        self._refresh()
        sealer = self._sealers.get((how, control))
        if sealer is None:
            sealer = Sealer(
                self._own(),
                self._keys.title,
                self._keys.suite,
                how,
                authenticated=bool(control & AUTHENTICATED),
                encrypted=bool(control & ENCRYPTED),
            )
            self._sealers[how, control] = sealer
        return sealer
