"""A `Sealer` protects the APDUs of one sender, service by service or in envelopes, with one key.

The invocation counter is a value that the caller keeps: no two APDUs under one key may ever have the same.
Source: IEC 62056-5-3, cryptographic protection of xDLMS APDUs; security suites 0 to 2.
"""

from enum import StrEnum

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cosemscope.apdu.names.tags import DED_SERVICES, GLO_SERVICES, apdu_name
from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.suites import SUITES, TAG_SIZE
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.protected_apdus import (
    AUTHENTICATED,
    ENCRYPTED,
    CipheredService,
    GeneralDedCiphering,
    GeneralGloCiphering,
    ProtectedContent,
)

BROADCAST = 0x40
LAST_COUNTER = 2**32 - 1


class SealError(ValueError):
    """An APDU that cannot be sealed: the sentence says what is missing, and shows no key."""


class CipheringForm(StrEnum):
    """The form of a protected APDU: service by service or in an envelope, global or dedicated key."""

    GLOBAL = "service-specific, global key"
    DEDICATED = "service-specific, dedicated key"
    GENERAL_GLOBAL = "general-glo-ciphering"
    GENERAL_DEDICATED = "general-ded-ciphering"

    @property
    def dedicated(self) -> bool:
        """Whether the key is the dedicated one."""
        return self in (CipheringForm.DEDICATED, CipheringForm.GENERAL_DEDICATED)

    @property
    def general(self) -> bool:
        """Whether it is an envelope for any APDU."""
        return self in (CipheringForm.GENERAL_GLOBAL, CipheringForm.GENERAL_DEDICATED)


_GLO_TAGS = {inner: tag for tag, inner in GLO_SERVICES.items()}
_DED_TAGS = {inner: tag for tag, inner in DED_SERVICES.items()}


class ContentSealer:
    """Protects octets with one key, as AES-GCM of a suite does; knows no envelopes.

    Raises SealError where a key is missing or not of the suite's size, or the system title not of eight
    octets.
    """

    def __init__(
        self,
        key: bytes | None,
        authentication: bytes | None,
        title: bytes,
        suite: int,
        *,
        authenticated: bool = True,
        encrypted: bool = True,
        broadcast: bool = False,
    ) -> None:
        if not 0 <= suite < len(SUITES):
            raise SealError(f"there is no security suite {suite}: 0, 1 and 2 are defined")
        size = SUITES[suite].key_size
        if key is None or len(key) != size:
            raise SealError(f"suite {suite} needs an encryption key of {size} octets, {_found(key)} given")
        if authenticated and (authentication is None or len(authentication) != size):
            found = _found(authentication)
            raise SealError(f"suite {suite} needs an authentication key of {size} octets, {found} given")
        if len(title) != TITLE_SIZE:
            raise SealError(f"the sender's system title needs {TITLE_SIZE} octets, {len(title)} are given")
        if not authenticated and not encrypted:
            raise SealError("protection without authentication and encryption is none")
        protection = AUTHENTICATED * authenticated | ENCRYPTED * encrypted
        self.control = suite | protection | BROADCAST * broadcast
        self._encrypt = AESGCM(key).encrypt
        self._title = title
        self._head = bytes((self.control,)) + (authentication or b"") if authenticated else b""

    def protect(self, apdu: bytes, counter: int, header: bytes = b"") -> ProtectedContent:
        """An APDU protected; `header` is what general-ciphering authenticates besides (its five fields)."""
        if not 0 <= counter <= LAST_COUNTER:
            raise SealError("the invocation counter has run out: the key has to be changed")
        nonce = self._title + counter.to_bytes(4, "big")
        control = self.control
        if not control & AUTHENTICATED:
            return ProtectedContent(control, counter, self._encrypt(nonce, apdu, None)[: len(apdu)])
        if not control & ENCRYPTED:
            mark = self._encrypt(nonce, b"", self._head + header + apdu)[:TAG_SIZE]
            return ProtectedContent(control, counter, apdu, mark)
        sealed = self._encrypt(nonce, apdu, self._head + header)
        size = len(apdu)
        return ProtectedContent(control, counter, sealed[:size], sealed[size : size + TAG_SIZE])


def _found(key: bytes | None) -> str:
    return "none is" if key is None else f"one of {len(key)} is"


class Sealer:
    """Seals the APDUs of the holder of `title` in one form with the keys of a set."""

    def __init__(
        self,
        keys: KeySet,
        title: bytes,
        suite: int = 0,
        form: CipheringForm = CipheringForm.GLOBAL,
        *,
        authenticated: bool = True,
        encrypted: bool = True,
        broadcast: bool = False,
    ) -> None:
        key = keys.dedicated if form.dedicated else keys.broadcast if broadcast else keys.encryption
        self.form = form
        self._title = title
        self._content = ContentSealer(
            key,
            keys.authentication,
            title,
            suite,
            authenticated=authenticated,
            encrypted=encrypted,
            broadcast=broadcast,
        )
        self._tags = _DED_TAGS if form.dedicated else _GLO_TAGS

    @property
    def control(self) -> int:
        """The security control octet of what it seals."""
        return self._content.control

    @property
    def overhead(self) -> int:
        """Octets that an APDU grows by at most: tag, lengths, title, header, authentication tag."""
        tag = TAG_SIZE if self.control & AUTHENTICATED else 0
        return 1 + 5 + 5 + tag + (1 + TITLE_SIZE if self.form.general else 0)

    def seals(self, tag: int) -> bool:
        """Whether an APDU with this first octet has a ciphered form here."""
        return self.form.general or tag in self._tags

    def seal(self, apdu: bytes, counter: int) -> bytes:
        """The sealed form of an APDU; raises SealError where a service has no ciphered form."""
        content = self._content.protect(apdu, counter)
        if self.form is CipheringForm.GENERAL_GLOBAL:
            return encode(GeneralGloCiphering(self._title, content))
        if self.form is CipheringForm.GENERAL_DEDICATED:
            return encode(GeneralDedCiphering(self._title, content))
        tag = self._tags.get(apdu[0]) if apdu else None
        if tag is None:
            name = apdu_name(apdu[0]) if apdu else "an empty APDU"
            raise SealError(f"{name} has no {self.form} form: general ciphering seals any APDU")
        return encode(CipheredService(tag, content))
