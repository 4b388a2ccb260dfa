"""Both ends of an association, for tests that go through it APDU by APDU."""

from cosemscope.analysis.associations.association import Association, Look, Place
from cosemscope.analysis.associations.steps import advance
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.key_sets import KeySet
from tests.helpers import traffic_apdus as a
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION

KEYS = KeyTable([KeyEntry(KeySet("test", encryption=ENCRYPTION, authentication=AUTHENTICATION))])
CLIENT = b"CSH\x00\x00\x00\x00\x01"
METER = b"CSP\x10\x00\x00\x00\x01"
ENERGY = Reference(3, bytes((1, 0, 1, 8, 0, 255)), 2)


def facts(look: Look) -> tuple[object, ...]:
    """What must be the same however one came to a look."""
    return (look.verdict, look.inner, look.openings, look.context.request, look.context.joined, look.notes)


def notes(look: Look) -> str:
    return " | ".join(note.message for note in look.notes)


class Ends:
    """Both ends of an association: what they say goes into it, and comes back as looks."""

    def __init__(self, keys: KeyTable = KEYS, own: int = 0x100, peer: int = 0x200) -> None:
        self.association = Association(keys, Place())
        self.own = a.Cipher(CLIENT, ENCRYPTION, AUTHENTICATION, own)
        self.peer = a.Cipher(METER, ENCRYPTION, AUTHENTICATION, peer)

    def up(self, apdu: bytes) -> Look:
        return advance(self.association, apdu, 0)

    def down(self, apdu: bytes) -> Look:
        return advance(self.association, apdu, 1)

    def associate(self, initiate: bytes = b"", mechanism: int = 5) -> tuple[Look, Look]:
        sealed = self.own.glo(0x21, initiate or a.initiate_request())
        request = a.aarq(sealed, context=3, mechanism=mechanism, title=CLIENT, authentication=b"CtoS" * 4)
        answer = a.aare(
            self.peer.glo(0x28, a.initiate_response()),
            context=3,
            mechanism=mechanism,
            title=METER,
            authentication=b"StoC" * 4,
        )
        return self.up(request), self.down(answer)
