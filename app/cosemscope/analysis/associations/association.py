"""The state of one association: titles, challenges, keys it brought along, requests, blocks, counters.

An `Association` belongs to one pair of wPorts on one stream and is never shared: two associations on one
connection are two objects. `steps.advance` takes it from APDU to APDU and gives a `Look` at each. All memory
is bounded, and `copy` is cheap.
"""

from typing import Any, NamedTuple

from cosemscope.analysis.associations.association_notes import Note
from cosemscope.analysis.associations.blocks import BlockWindow, Transfer
from cosemscope.analysis.associations.scalers import Scalers
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.acse_facts import AcseFacts
from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.hls import Challenges
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.capture.packets.flows import Endpoint

_MAX_REQUESTS = 64
_MAX_TRANSFERS = 16
_MAX_LEARNED = 8
_MAX_COUNTERS = 32
_MAX_BEHIND_GATEWAY = 64


class Look(NamedTuple):
    """All that is known of one APDU in its association.

    `inner` is the tag of the APDU once opened or joined (-1: none), `context` what the decoder needs for its
    tree. `openings` are the attempts to open what is ciphered in it, the outermost first. `plain` is the
    innermost APDU that could be reached: opened, joined, without prefixes and envelopes. `acse`: what an AARQ
    or AARE says.
    """

    inner: int
    context: Context
    openings: tuple[Opening, ...] = ()
    notes: tuple[Note, ...] = ()
    plain: bytes = b""
    acse: AcseFacts | None = None

    @property
    def request(self) -> Request | None:
        """The request that it is, or answers."""
        return self.context.request

    @property
    def opening(self) -> Opening | None:
        """The outermost attempt; None where nothing is ciphered."""
        return self.openings[0] if self.openings else None

    def is_bare(self, tag: int) -> bool:
        """Whether nothing stands around the innermost APDU, which begins with the `tag` of the WPDU's."""
        return self.inner < 0 and not self.openings and self.plain[:1] == bytes((tag & 0xFF,))

    @property
    def verdict(self) -> Verdict:
        """The verdict on the innermost attempt; CLEAR where nothing is ciphered."""
        return self.openings[-1].verdict if self.openings else Verdict.CLEAR


class QuietLook(NamedTuple):
    """What is known of a GET or SET for one attribute that says all in clear: see `Look`.

    `request`: what it asks or answers; `scaler_unit`: what its value is shown with, where that is known.
    """

    request: Request | None
    scaler_unit: tuple[int, int] | None = None

    @property
    def reference(self) -> Reference | None:
        """The attribute."""
        return self.request.references[0] if self.request is not None and self.request.references else None

    @property
    def context(self) -> Context:
        """What the decoder needs for its tree."""
        return Context(self.request, scaler_unit=lambda reference: self.scaler_unit)


AnyLook = Look | QuietLook


class Place(NamedTuple):
    """The place of an association: endpoints and wPorts, near (the stream's client) before far."""

    endpoints: tuple[Endpoint, ...] = ()
    wports: tuple[int, ...] = ()


class Pending(NamedTuple):
    """A request that waits for its response: what it asked for, and what its ACTION proposed.

    `quiet` is the look at a response by whose first octets all is said, where it was made already.
    """

    request: Request
    parameters: Any = None
    quiet: QuietLook | None = None


class Counter(NamedTuple):
    """Invocation counters of one title and key: the last one, and how far it was from the one before."""

    last: int
    step: int


class Association:
    """The state of one association; see the module. Sides are 0 (the stream's client, "near") and 1."""

    def __init__(self, keys: KeyTable, place: Place = Place()) -> None:
        self.keys = keys
        self.place = place
        self.titles: tuple[bytes | None, bytes | None] = (None, None)
        self.challenges: tuple[bytes | None, bytes | None] = (None, None)
        self.mechanism = 0
        self.base_name = 0  # of the association object where names are short; 0: not told
        self.client_side = 0
        self.learned: tuple[KeySet, ...] = ()
        self._ring: KeyRing | None = None
        self._openers: tuple[KeyedOpener, KeyedOpener] | None = None
        self.requests: dict[int, Pending] = {}
        self.transfers: dict[tuple[int, int, int], Transfer] = {}
        self.windows: dict[int, BlockWindow] = {}
        self.counters: dict[tuple[bytes, str], Counter] = {}
        self.behind: dict[bytes, Association] = {}
        #: of the meter, which other associations may share; `attached`: by which side and title it was found
        self.scalers = Scalers()
        self.attached: tuple[int, bytes | None] | None = None
        #: the WPDU row that is taken next, where there are rows; and the number of rows that were taken
        self.row = self.taken = 0

    @property
    def octets_in_hand(self) -> int:
        """Octets of blocks that wait for the others."""
        octets = sum(one.size for one in self.transfers.values())
        octets += sum(one.size for one in self.windows.values())
        return octets + sum(one.octets_in_hand for one in self.behind.values())

    def copy(self) -> "Association":
        """The same state again, to be gone on with apart from this one."""
        other = Association.__new__(Association)
        other.__dict__.update(self.__dict__)
        other.requests = dict(self.requests)
        other.transfers = dict(self.transfers)
        other.windows = dict(self.windows)
        other.counters = dict(self.counters)
        other.behind = {prefix: one.copy() for prefix, one in self.behind.items()}
        return other

    def set_apart(self) -> None:
        """From now on what it learns of scalers is its own, and not its meter's."""
        self.scalers = self.scalers.apart()
        for one in self.behind.values():
            one.set_apart()

    def behind_gateway(self, device: bytes) -> "Association":
        """The association with this device (network and address) behind the gateway: a state of its own."""
        one = self.behind.pop(device, None) or Association(self.keys, self.place)
        if len(self.behind) >= _MAX_BEHIND_GATEWAY:
            self.behind.pop(next(iter(self.behind)))
        self.behind[device] = one
        one.row = self.row
        return one

    def ring(self) -> KeyRing:
        """The keys to try."""
        if self._ring is None:
            ring = self.keys.select(self.titles, self.place.endpoints, self.place.wports)
            self._ring = ring.extended(self.learned) if self.learned else ring
        return self._ring

    def opener(self, side: int) -> KeyedOpener:
        """Opens what this side sends."""
        if self._openers is None:
            ring, (near, far) = self.ring(), self.titles
            self._openers = KeyedOpener(ring, near, far), KeyedOpener(ring, far, near)
        return self._openers[side]

    def opener_for(self, title: bytes, side: int) -> KeyedOpener:
        """Opens what somebody with another title sends by this side, as a concentrator passes it on."""
        titles = (title, self.titles[1 - side])
        ring = self.keys.select(titles, self.place.endpoints, self.place.wports)
        return KeyedOpener(ring.extended(self.learned) if self.learned else ring, *titles)

    def learn_title(self, side: int, title: bytes | None) -> None:
        """This side is called so."""
        if title is None or len(title) != TITLE_SIZE or self.titles[side] == title:
            return
        self.titles = (title, self.titles[1]) if side == 0 else (self.titles[0], title)
        self._select_anew()

    def learn_key(self, keys: KeySet) -> None:
        """A key that the association brought along; the latest is tried first."""
        self.learned = (keys, *self.learned)[:_MAX_LEARNED]
        self._select_anew()

    def ask(self, invoke: int, pending: Pending) -> None:
        """A request waits for its response; what had this invoke-id before is over."""
        self._make_room(invoke)
        self.requests[invoke] = pending

    def answer_at_once(self, side: int, service: int, invoke: int) -> None:
        """A request of this side had its response at once: it leaves no trace but what it ended."""
        self._make_room(invoke)
        self.end_transfer(side, service, invoke)

    def _make_room(self, invoke: int) -> None:
        self.requests.pop(invoke, None)
        if len(self.requests) >= _MAX_REQUESTS:
            self.requests.pop(next(iter(self.requests)))

    def end_transfer(self, side: int, service: int, invoke: int) -> None:
        """A request of this side begins: the transfer of an earlier response to it is over."""
        if self.transfers:
            self.transfers.pop((1 - side, service + 4, invoke), None)

    def transfer(self, key: tuple[int, int, int], transfer: Transfer | None) -> None:
        """How far the transfer with this side, tag and invoke-id is; None: it is over."""
        self.transfers.pop(key, None)
        if transfer is not None:
            if len(self.transfers) >= _MAX_TRANSFERS:
                self.transfers.pop(next(iter(self.transfers)))
            self.transfers[key] = transfer

    def count(self, key: tuple[bytes, str], counter: Counter) -> None:
        """The invocation counters of this title and kind of key have come so far."""
        self.counters.pop(key, None)
        if len(self.counters) >= _MAX_COUNTERS:
            self.counters.pop(next(iter(self.counters)))
        self.counters[key] = counter

    def hls(self) -> Challenges:
        """The titles and challenges of AARQ and AARE, for HLS authentication."""
        client, server = self.client_side, 1 - self.client_side
        return Challenges(
            self.mechanism,
            self.titles[client],
            self.titles[server],
            self.challenges[client],
            self.challenges[server],
        )

    def begin(self, side: int) -> None:
        """An AARQ comes from this side: what was agreed before is over, except keys that were transferred."""
        self.titles = self.challenges = (None, None)
        self.mechanism, self.base_name, self.client_side = 0, 0, side
        self.requests.clear()
        self.transfers.clear()
        self.windows.clear()
        self.end()

    def end(self) -> None:
        """The association is released: its dedicated key is no more."""
        self.learned = tuple(keys for keys in self.learned if keys.dedicated is None)
        self.counters = {key: known for key, known in self.counters.items() if key[1] != "dedicated"}
        self._select_anew()

    def _select_anew(self) -> None:
        """Other keys may be the ones to try."""
        self._ring = self._openers = None
