"""Protection of one client's APDUs: what it seals with, what it opens with, and the counters of both ends."""

from cosemscope.apdu.names.tags import DED_SERVICES, GENERAL_DED
from cosemscope.apdu.security.hls import Challenges, HlsCheck, check
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.application.client.association_parameters import AssociationParameters, MessageKey
from cosemscope.application.encoding.protected_apdus import AUTHENTICATED, ENCRYPTED
from cosemscope.application.protection.general_sealing import (
    EnvelopeHeader,
    identified_key,
    seal_general,
    static_key,
    wrapped_key,
)
from cosemscope.application.protection.hls_answers import hls_answer
from cosemscope.application.protection.sealing import CipheringForm, Sealer, SealError
from cosemscope.application.protection.unsealing import Unsealed, UnsealError, unseal

_DEDICATED = frozenset(DED_SERVICES) | {GENERAL_DED}
_GMAC, _ECDSA = 5, 7
#: Octets that general-ciphering adds at most: tag, transaction-id, titles, key-info with a wrapped key of 32
#: octets, lengths, security header and authentication tag.
_GENERAL_OVERHEAD = 1 + 9 + 9 + 9 + 2 + 45 + 5 + 5 + 12
#: Octets of a challenge.
_SHORTEST, _LONGEST = 8, 64


class ClientProtection:
    """Seals and opens for one association; raises SealError at once where a key or a title is missing.

    `counter` is the next invocation counter to use; it goes up with whatever uses one up, whichever key is
    used, so that none is ever used twice. `server_counter` is the last one of the server's global key.
    """

    def __init__(self, parameters: AssociationParameters) -> None:
        if parameters.hls and not _SHORTEST <= len(parameters.challenge) <= _LONGEST:
            found = len(parameters.challenge)
            raise SealError(f"HLS needs a challenge of {_SHORTEST} to {_LONGEST} octets, {found} are given")
        self._parameters = parameters
        self.counter = parameters.counter
        self.server_counter = parameters.server_counter
        self._dedicated_counter = -1
        self._global: Sealer | None = None
        self._general: Sealer | None = None
        keys = [parameters.keys, parameters.peer, parameters.own]
        if parameters.dedicated_key is not None:
            authentication = parameters.keys.authentication
            dedicated = KeySet(
                "this association", dedicated=parameters.dedicated_key, authentication=authentication
            )
            keys.insert(0, dedicated)
        self._sets = keys
        if parameters.form is not None:
            self._global = self._sealer(CipheringForm.GLOBAL, parameters.keys)
            used = keys[0] if parameters.form.dedicated and parameters.dedicated_key else parameters.keys
            self._general = self._sealer(parameters.form, used)
        self._server_title = parameters.server_title
        self._ring = KeyRing(keys)
        self._opener = KeyedOpener(self._ring, parameters.server_title)

    def _sealer(self, form: CipheringForm, keys: KeySet) -> Sealer:
        parameters = self._parameters
        if parameters.title is None:
            raise SealError("ciphering needs the client's system title, none is given")
        how = {"authenticated": parameters.authenticated, "encrypted": parameters.encrypted}
        return Sealer(keys, parameters.title, parameters.suite, form, **how)

    @property
    def overhead(self) -> int:
        """Octets that sealing adds at most."""
        if self._parameters.message_key is not None:
            return _GENERAL_OVERHEAD
        return self._general.overhead if self._general is not None else 0

    def know_server(self, title: bytes | None) -> None:
        """The server's system title, as it told it."""
        if title is not None:
            self._server_title = title
            self._opener = KeyedOpener(self._ring, title)

    def _count(self) -> int:
        counter, self.counter = self.counter, self.counter + 1
        return counter

    def seal(self, apdu: bytes, *, associated: bool = True) -> bytes:
        """An APDU as it goes out; those that make the association are always of the global services."""
        sealer = self._general if associated else self._global
        if sealer is not None and associated and self._parameters.message_key is not None:
            return self._seal_general(apdu, self._parameters.message_key)
        if sealer is None or not sealer.seals(apdu[0]):
            return apdu
        return sealer.seal(apdu, self._count())

    def _seal_general(self, apdu: bytes, way: MessageKey) -> bytes:
        """General-ciphering for the server; raises SealError where its title or a key is missing."""
        parameters, recipient = self._parameters, self._server_title
        if parameters.title is None or recipient is None:
            raise SealError("general-ciphering needs both system titles, the server's is not known")
        counter = self._count()
        header = EnvelopeHeader(parameters.title, recipient, counter.to_bytes(8, "big"))
        if way is MessageKey.AGREED:
            key = static_key(header, parameters.own, parameters.peer)
        elif way is MessageKey.WRAPPED:
            if parameters.session_key is None:
                raise SealError("there is no session key to wrap")
            key = wrapped_key(parameters.keys, parameters.session_key)
        else:
            key = identified_key(parameters.keys)
        how = {"authenticated": parameters.authenticated, "encrypted": parameters.encrypted}
        authentication = parameters.keys.authentication
        return seal_general(apdu, counter, header, key, authentication, parameters.suite, **how)

    def unseal(self, octets: bytes) -> Unsealed:
        """The APDU inside a protected one whose counter is above the last; raises UnsealError."""
        found = unseal(octets, self._opener)
        if found.counter is None:
            return found
        dedicated = octets[0] in _DEDICATED
        last = self._dedicated_counter if dedicated else self.server_counter
        if found.counter <= last:
            raise UnsealError(
                f"the server's invocation counter is {found.counter}, it was {last} before: "
                "the APDU is an old one sent again, or the meter has lost its counter",
                found.opening,
            )
        if dedicated:
            self._dedicated_counter = found.counter
        else:
            self.server_counter = found.counter
        return found

    def enough(self, control: int | None) -> str:
        """Why a response with this security control (None: in clear) is protected too little; or ""."""
        if self._general is None:
            return ""
        if control is None or not control & (AUTHENTICATED | ENCRYPTED):
            return "it came in clear, the association is ciphered"
        if self._parameters.authenticated and control >= 0 and not control & AUTHENTICATED:
            return "it is not authenticated, the requests are"
        return ""

    # HLS.

    def answer(self, challenges: Challenges) -> bytes:
        """The client's answer to the server's challenge; raises SealError."""
        parameters = self._parameters
        counter = self._count() if challenges.mechanism == _GMAC else 0
        keys = parameters.own if challenges.mechanism == _ECDSA else parameters.keys
        return hls_answer(challenges, True, keys, suite=parameters.suite, counter=counter)

    def judge(self, challenges: Challenges, found: bytes) -> HlsCheck:
        """The server's answer held against what it must be."""
        return check(challenges, False, found, [one for one in self._sets if one is not self._parameters.own])
