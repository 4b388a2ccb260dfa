"""How a client associates with a meter, as people say it: mechanism, password, keys, title, ciphering.

`MeterAccess` becomes the parameters of one association; what has to be made by chance (the challenge, the
dedicated key) is made then. No secret of it shows in `repr`.
"""

import secrets
from dataclasses import dataclass, field

from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.suites import SUITES
from cosemscope.application.client.association_parameters import (
    LOGICAL_NAME_CONFORMANCE,
    AssociationParameters,
    GatewayPath,
)
from cosemscope.application.protection.sealing import CipheringForm

#: Words for mechanisms, by their numbers (IEC 62056-5-3, authentication mechanisms).
MECHANISM_WORDS = ("none", "lls", "hls2", "hls3", "hls4", "hls5", "hls6", "hls7")
#: Words for the forms of ciphered APDUs.
CIPHERING_WORDS: dict[str, CipheringForm | None] = {
    "none": None,
    "global": CipheringForm.GLOBAL,
    "dedicated": CipheringForm.DEDICATED,
    "general-global": CipheringForm.GENERAL_GLOBAL,
    "general-dedicated": CipheringForm.GENERAL_DEDICATED,
}
_CHALLENGE, _ECDSA_CHALLENGE = 16, 32
_ECDSA = 7
#: The system title of a client that was given none.
DEFAULT_TITLE = b"CSMCLNT\x01"


@dataclass(frozen=True)
class MeterAccess:
    """Who asks, and how. `mechanism` 0 none, 1 LLS, 2 to 7 HLS; times in seconds.

    `keys` are those that both ends have, `own` has the client's private keys and `peer` the meter's public
    ones (HLS 7). `ciphering` None: in clear. `counter` is the invocation counter to begin with; None: the one
    that the counter book says. `title` is the client's system title, eight octets.
    """

    mechanism: int = 0
    password: bytes = field(default=b"", repr=False)
    keys: KeySet = field(default_factory=lambda: KeySet("no keys"))
    own: KeySet = field(default_factory=lambda: KeySet("no keys"))
    peer: KeySet = field(default_factory=lambda: KeySet("no keys"))
    title: bytes = DEFAULT_TITLE
    server_title: bytes | None = None
    suite: int = 0
    ciphering: CipheringForm | None = None
    counter: int | None = None
    conformance: int = LOGICAL_NAME_CONFORMANCE
    max_pdu_size: int = 0xFFFF
    user: int | None = None
    timeout: float = 10.0
    parallel: int = 1
    window: int = 1
    gateway: GatewayPath | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.mechanism < len(MECHANISM_WORDS):
            raise ValueError(f"there is no mechanism {self.mechanism}: 0 to {len(MECHANISM_WORDS) - 1} are")
        if len(self.title) != TITLE_SIZE:
            raise ValueError(f"a system title has {TITLE_SIZE} octets, this has {len(self.title)}")

    @property
    def counts(self) -> bool:
        """Whether an invocation counter is used: APDUs are ciphered, or the mechanism is HLS 5."""
        return self.ciphering is not None or self.mechanism == 5

    def parameters(self, counter: int = 0) -> AssociationParameters:
        """The parameters of one association that begins with this invocation counter."""
        form = self.ciphering
        size = SUITES[self.suite].key_size if 0 <= self.suite < len(SUITES) else 0
        long = _ECDSA_CHALLENGE if self.mechanism == _ECDSA else _CHALLENGE
        return AssociationParameters(
            mechanism=self.mechanism,
            password=self.password,
            challenge=secrets.token_bytes(long) if self.mechanism > 1 else b"",
            keys=self.keys,
            own=self.own,
            peer=self.peer,
            title=self.title,
            server_title=self.server_title,
            suite=self.suite,
            form=form,
            dedicated_key=secrets.token_bytes(size) if form is not None and form.dedicated else None,
            counter=counter,
            conformance=self.conformance,
            max_pdu_size=self.max_pdu_size,
            user=self.user,
            response_timeout=self.timeout,
            window=self.window,
            parallel=self.parallel,
            gateway=self.gateway,
        )
