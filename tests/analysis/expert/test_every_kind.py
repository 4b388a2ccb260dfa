"""Every kind of expert items from a capture made for it: that item, and nothing else of its group."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.records import RecordBatch
from cosemscope.capture.source import RecordSource
from cosemscope.streams.tables.expert_items import KINDS, ExpertItems, Group, Severity
from tests.apdu.hdlc_encoder import COMMAND, GET, frame, i_control
from tests.helpers import column_scenarios
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import CLIENT as CLIENT_TITLE
from tests.helpers.association_ends import KEYS, METER
from tests.helpers.files import Pcapng
from tests.helpers.protection import raw_signature
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION
from tests.helpers.wire import CLIENT, FIN, SERVER, Tcp, Wire, get_request, wpdu

ONE, TWO, THREE = get_request(1), get_request(2), get_request(3)
ENERGY = "1.0.1.8.0.255"
SIGNER = ec.derive_private_key(303, ec.SECP256R1())


class Talk:
    """A connection on which APDUs are said, and the keys that the reader of the capture has."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.tcp = Tcp(self.wire).handshake()
        self.own = a.Cipher(CLIENT_TITLE, ENCRYPTION, AUTHENTICATION, 0x100)
        self.peer = a.Cipher(METER, ENCRYPTION, AUTHENTICATION, 0x200)
        self.keys = NO_KEYS

    def up(self, apdu: bytes) -> None:
        self.tcp.say(0, wpdu(apdu, 16, 1))

    def down(self, apdu: bytes) -> None:
        self.tcp.say(1, wpdu(apdu, 1, 16))

    def associate(self, keys: KeyTable = KEYS, initiate: bytes = b"", *, sealed: bool = True) -> None:
        """A ciphered association with HLS by GMAC; the reader has `keys`."""
        self.keys = keys
        initiate = initiate or a.initiate_request()
        begin = self.own.glo(0x21, initiate) if sealed else initiate
        self.up(a.aarq(begin, context=3, mechanism=5, title=CLIENT_TITLE, authentication=b"CtoS" * 4))
        answer = self.peer.glo(0x28, a.initiate_response())
        self.down(a.aare(answer, context=3, mechanism=5, title=METER, authentication=b"StoC" * 4))

    def hls(self, challenge: bytes) -> None:
        """Pass 3: the client's answer to the meter's challenge."""
        proof = a.octet_string(self.own.gmac(challenge))
        self.up(self.own.glo(0xCB, a.action_request(0xC1, 15, "0.0.40.0.0.255", 1, proof)))

    def blocks(self, *numbers: int) -> None:
        """A GET by blocks with these numbers."""
        self.up(a.get_request(0xC1, 7, "1.0.99.1.0.255"))
        for number in numbers:
            self.down(a.get_block(0xC1, False, number, b"ab"))

    def transfer_key(self, master: bytes | None) -> None:
        """A new key, wrapped with a master key; the reader has `master`."""
        keys = KeySet("meter", encryption=ENCRYPTION, authentication=AUTHENTICATION, master=master)
        self.associate(KeyTable([KeyEntry(keys)]))
        wrapped = a.octet_string(aes_key_wrap(b"\x77" * 16, b"\x88" * 16))
        data = a.array(a.structure(a.enum(0), wrapped))
        self.up(self.own.glo(0xCB, a.action_request(0xC1, 64, "0.0.43.0.0.255", 2, data)))
        self.down(self.peer.glo(0xCF, a.action_response(0xC1, 0)))

    def signed(self, signature: Callable[[bytes], bytes]) -> None:
        """A general-signing APDU; the reader has the signer's public key."""
        content = a.get_request(0xC1, 3, ENERGY)
        envelope = b"\x01\x00" + a.sized(CLIENT_TITLE) + a.sized(METER) + b"\x00\x00"
        text = envelope + a.sized(content)
        self.up(b"\xdf" + text + a.sized(signature(envelope + content)))
        signer = KeySet("signer", CLIENT_TITLE, signing_public=SIGNER.public_key())
        self.keys = KeyTable([KeyEntry(signer)])


def key_table(**keys: bytes | None) -> KeyTable:
    return KeyTable([KeyEntry(KeySet("test", **{"encryption": ENCRYPTION, **keys}))])


GOOD = frame(i_control(0), COMMAND + GET)
#: A frame that says 25 octets and has 36: two bodies.
GLUED = bytes.fromhex("7ea0190321583314e6e600c001c1002a0001010000ffc001c1002a0001010000ff050090af7e")
BAD = GOOD[:-4] + bytes([GOOD[-4] ^ 1]) + GOOD[-3:]


def swapped(octets: bytes) -> bytes:
    return struct.pack("<4H", *struct.unpack(">4H", octets[:8])) + octets[8:]


def _retransmission(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.packet(0, 0, ONE)


def _out_of_order(talk: Talk) -> None:
    talk.tcp.packet(0, len(ONE), TWO, identification=201)
    talk.tcp.packet(0, 0, ONE, identification=200)


def _conflict(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.packet(0, 0, bytes([*ONE[:-1], ONE[-1] ^ 1]))


def _hole(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.packet(0, 2 * len(ONE), THREE)
    talk.tcp.packet(1, 0, ack=3 * len(ONE))


def _captured_twice(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.packet(0, 0, ONE, identification=talk.tcp.identification[0], flags=0x18, wait=1_000)


def _not_exchanged(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.say(1, wpdu(b"\xc4\x01\xc1\x00\x00", 16, 1))


def _wrong_version(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.say(0, wpdu(ONE[8:], version=2))
    talk.tcp.say(0, TWO)


def _stray(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.packet(0, 1 << 25, THREE)
    talk.tcp.packet(0, len(ONE), TWO)


def _snap_length(talk: Talk) -> None:
    talk.wire.snap = 40 + len(ONE) - 2
    talk.tcp.say(0, ONE)


def _keep_alive(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.packet(1, 0)
    talk.tcp.packet(0, len(ONE) - 1, ONE[-1:])


def _skipped(talk: Talk) -> None:
    talk.tcp.say(0, ONE)
    talk.tcp.say(0, b"\xff" * 20 + TWO)
    talk.tcp.say(0, THREE)


def _cut(count: int) -> Callable[[Talk], None]:
    def say(talk: Talk) -> None:
        talk.tcp.say(0, ONE)
        talk.tcp.say(0, TWO[:count])
        talk.tcp.packet(0, talk.tcp.sent[0], flags=FIN)

    return say


def _datagram(*octets: bytes) -> Callable[[Talk], None]:
    def say(talk: Talk) -> None:
        talk.wire.packets.clear()
        talk.wire.udp(CLIENT, SERVER, get_request(7))
        talk.wire.udp(CLIENT, SERVER, b"".join(octets))

    return say


def _first_fragment(talk: Talk) -> None:
    _datagram(ONE)(talk)
    first = bytearray(talk.wire.packets.pop()[1][:-5])  # fragments but the last have a multiple of 8 octets
    first[2:4] = len(first).to_bytes(2, "big")
    first[6] |= 0x20
    talk.wire.add(bytes(first))


def _segments(*octets: bytes) -> Callable[[Talk], None]:
    def say(talk: Talk) -> None:
        for some in octets:
            talk.tcp.say(0, some)

    return say


def _frames(*frames: bytes) -> Callable[[Talk], None]:
    return _segments(GOOD + b"".join(frames))


#: A GET in clear where ciphered text should stand, and any authentication tag.
_GET_AND_TAG = a.get_request(0xC1, 3, ENERGY) + bytes(12)


def _up(*apdus: bytes) -> Callable[[Talk], None]:
    def say(talk: Talk) -> None:
        for apdu in apdus:
            talk.up(apdu)

    return say


def _says(step: Callable[[Talk], object], keys: KeyTable = KEYS) -> Callable[[Talk], None]:
    """A ciphered association, and then a step."""

    def say(talk: Talk) -> None:
        talk.associate(keys)
        step(talk)

    return say


def _counter_repeated(talk: Talk) -> None:
    talk.associate()
    again = talk.own.glo(0xC8, a.get_request(0xC1, 3, ENERGY))
    talk.up(again)
    talk.up(again)


def _counter_jump(talk: Talk) -> None:
    talk.associate()
    for _ in range(2):
        talk.up(talk.own.glo(0xC8, a.get_request(0xC1, 3, ENERGY)))
    talk.own = a.Cipher(CLIENT_TITLE, ENCRYPTION, AUTHENTICATION, 0x900)
    talk.up(talk.own.glo(0xC8, a.get_request(0xC1, 3, ENERGY)))


def _general(control: int = 0x30, keys: KeyTable = KEYS, inner: int = 0) -> Callable[[Talk], None]:
    """One general-glo-ciphering APDU, or with `inner` a glo- service of that tag."""

    def say(talk: Talk) -> None:
        talk.keys = keys
        request = a.get_request(0xC1, 3, ENERGY)
        if inner:
            talk.associate()
            talk.up(talk.own.glo(inner, request, control))
        else:
            talk.up(talk.own.general_glo(request, control))

    return say


def _no_title(talk: Talk) -> None:
    talk.keys = KEYS
    talk.up(talk.own.glo(0xC8, a.get_request(0xC1, 3, ENERGY)))


def _wrong_tag(talk: Talk) -> None:
    talk.keys = KEYS
    sealed = talk.own.general_glo(a.get_request(0xC1, 3, ENERGY))
    talk.up(sealed[:-1] + bytes([sealed[-1] ^ 1]))


def _large_blocks(talk: Talk) -> None:
    talk.up(a.get_request(0xC1, 7, "1.0.99.1.0.255"))
    for number in range(1, 270):
        talk.down(a.get_block(0xC1, False, number, bytes(64_000)))


def _window_order(talk: Talk) -> None:
    talk.up(a.get_request(0xC1, 7, "1.0.99.1.0.255"))
    for number in (1, 3):
        talk.down(bytes([0xE0, 0x40, 0, number, 0, 0]) + a.sized(b"abc"))


INITIATE_WITH_KEY = b"\x01\x01\x10" + b"\x55" * 16 + a.initiate_request()[2:]

#: What makes an item of each kind that packets alone can make.
SCENARIOS: dict[str, Callable[[Talk], None]] = {
    **column_scenarios.SCENARIOS,
    "hdlc-on-wrapper-port": _frames(GOOD),
    "retransmission": _retransmission,
    "out-of-order": _out_of_order,
    "conflict": _conflict,
    "hole": _hole,
    "stray-segment": _stray,
    "captured-twice": _captured_twice,
    "wrong-version": _wrong_version,
    "wports-not-exchanged": _not_exchanged,
    "snap-length": _snap_length,
    "fragment-missing": _first_fragment,
    "keep-alive": _keep_alive,
    "skipped-octets": _skipped,
    "cut-header": _cut(5),
    "truncated": _cut(15),
    "trailing-octets": _datagram(ONE, b"xyz"),
    "several-wpdus": _datagram(ONE, TWO),
    "no-frame": _frames(b"noise", GOOD),
    "cut-frame": _frames(GOOD[:12]),
    "incomplete-apdu": _frames(frame(i_control(1), COMMAND + GET[:8], segmented=True)),
    "damaged-frame": _frames(BAD, GOOD),
    "resynchronised": _skipped,
    "shared-segment": _segments(ONE + TWO),
    "transport-refuses": _segments(ONE, wpdu(TWO[8:], 16, 0)),
    "no-llc": _frames(frame(i_control(1), GET)),
    "ill-formed-frame": _segments(b"\x90\x01\x10" + GET, b"\x91\x01\x10" + GET),
    "glued-apdus": _frames(GLUED),
    "no-data": _segments(ONE, wpdu(b"")),
    "swapped-header": _segments(swapped(ONE)),
    "ill-formed-apdu": _up(a.get_request(0xC1, 3, ENERGY)[:-3]),
    "odd-apdu": _up(COMMAND + a.get_request(0xC1, 3, ENERGY)),
    "unknown-tag": _up(a.get_request(0xC1, 3, ENERGY), b"\x99\x01\x02"),
    "surplus-octets": _up(a.get_request(0xC1, 3, ENERGY) + b"\x00\x00"),
    "undefined-code": _up(a.get_error(0xC1, 99)),
    "counter-repeated": _counter_repeated,
    "counter-jump": _counter_jump,
    "ciphered-cut": _up(ONE[8:], b"\xc8\x20\x30\x00"),
    "key-in-clear": lambda talk: talk.associate(KEYS, INITIATE_WITH_KEY, sealed=False),
    "hls-right": _says(lambda talk: talk.hls(b"StoC" * 4)),
    "hls-wrong": _says(lambda talk: talk.hls(b"other")),
    "hls-unproven": _says(lambda talk: talk.hls(b"StoC" * 4), key_table(authentication=None)),
    "key-wrapped": lambda talk: talk.transfer_key(None),
    "key-learned": lambda talk: talk.transfer_key(b"\x77" * 16),
    "block-repeated": lambda talk: talk.blocks(1, 2, 2),
    "block-missing": lambda talk: talk.blocks(1, 3),
    "block-order": _window_order,
    "blocks-too-large": _large_blocks,
    "unknown-suite": _up(b"\xc8" + a.sized(b"\x37" + bytes(40))),
    "other-apdu-inside": _general(inner=0xC9),
    "key-unfit": _general(a.Cipher.ENCRYPTED, key_table(encryption=b"\x01" * 16)),
    "tag-wrong": _wrong_tag,
    "already-plain": _up(
        b"\xdb" + a.sized(b"TST\0\0\0\0\1") + a.sized(bytes.fromhex("3000000010") + _GET_AND_TAG)
    ),
    "opened": _general(),
    "opened-untagged": _general(a.Cipher.ENCRYPTED),
    "opened-unauthenticated": _general(keys=key_table(authentication=None)),
    "no-key": _general(keys=NO_KEYS),
    "no-title": _no_title,
    "verified": lambda talk: talk.signed(lambda text: raw_signature(SIGNER, text)),
    "signature-wrong": lambda talk: talk.signed(lambda text: raw_signature(SIGNER, text + b"!")),
}


def _wires(talk: Talk, folder: Path) -> RecordSource:
    return open_capture(talk.wire.capture(folder / "made.pcap"))


def _damaged_file(folder: Path) -> RecordSource:
    talk = Talk()
    talk.tcp.say(0, ONE)
    path = talk.wire.capture(folder / "made.pcap")
    path.write_bytes(path.read_bytes() + b"xyz")
    return open_capture(path)


def _other_link(folder: Path) -> RecordSource:
    section = Pcapng()
    path = folder / "made.pcapng"
    path.write_bytes(section.section() + section.interface(147) + section.enhanced(1, bytes(60)))
    return open_capture(path)


def _removed_file(folder: Path) -> RecordSource:
    for number in (1, 3):
        talk = Talk()
        talk.tcp.say(0, ONE)
        talk.wire.capture(folder / f"made_{number:05}_20260101000000.pcap")
    return CaptureSequence(folder / "made_00001_20260101000000.pcap")


class _Turning(CaptureSequence):
    """A ring that removes its first file as soon as the second one has been read."""

    def read(self, max_records: int = 65_536) -> RecordBatch | None:
        first, batch = self.path, super().read(max_records)
        if self.path != first:
            first.unlink()
        return batch


def _removed_octets(folder: Path) -> RecordSource:
    for number in (1, 2):
        talk = Talk()
        talk.tcp.say(0, ONE)
        talk.wire.capture(folder / f"made_{number:05}_20260101000000.pcap")
    return _Turning(folder / "made_00001_20260101000000.pcap")


def _dropped(folder: Path) -> RecordSource:
    section = Pcapng()
    lost = section.statistics(0, 2, (5, section.number(7, 8)))
    path = folder / "made.pcapng"
    path.write_bytes(section.section() + section.interface(101) + section.enhanced(1, bytes(60)) + lost)
    return open_capture(path)


def _fragment(folder: Path) -> RecordSource:
    talk = Talk()
    talk.tcp.say(0, ONE[:20])  # fragments but the last have a multiple of 8 octets
    first = bytearray(talk.wire.packets.pop()[1])
    first[6] |= 0x20
    talk.wire.add(bytes(first))
    return open_capture(talk.wire.capture(folder / "made.pcap"))


def _not_opened(folder: Path) -> RecordSource:
    talk = Talk()
    talk.tcp.say(0, ONE)
    packet = bytearray(talk.wire.packets.pop()[1])
    packet[9] = 50
    talk.wire.add(bytes(packet))
    return open_capture(talk.wire.capture(folder / "made.pcap"))


#: What makes an item of the kinds that are of the file.
FILES: dict[str, Callable[[Path], RecordSource]] = {
    "damaged-file": _damaged_file,
    "link-not-opened": _other_link,
    "encapsulation-not-opened": _not_opened,
    "files-removed": _removed_file,
    "octets-removed": _removed_octets,
    "dropped-packets": _dropped,
    "fragments-missing": _fragment,
}


def _made(reader: RecordSource, keys: KeyTable = NO_KEYS) -> Analysis:
    with reader:
        analysis = Analysis(reader).run()
        assert find_items(Associations(analysis, keys))
    return analysis


def _kinds(items: ExpertItems, group: Group, word: str) -> set[str]:
    """The words of the items of a group, chat left out that is not looked for."""
    kinds = [items.kind(row) for row in range(len(items))]
    return {
        kind.word
        for kind in kinds
        if kind.group is group and (kind.severity > Severity.CHAT or kind.word == word)
    }


@pytest.mark.parametrize("word", SCENARIOS)
def test_a_made_capture_has_its_item_and_no_other_of_its_group(word: str, tmp_path: Path) -> None:
    """Protects against items that are not found, and against one fault said in two ways."""
    talk = Talk()
    SCENARIOS[word](talk)
    items = _made(_wires(talk, tmp_path), talk.keys).expert_items
    assert _kinds(items, KINDS[word].group, word) == {word, *ALSO.get(word, ())}


@pytest.mark.parametrize("word", FILES)
def test_a_made_file_has_its_item_and_no_other_of_its_group(word: str, tmp_path: Path) -> None:
    """The same for what is wrong with the capture file itself."""
    items = _made(FILES[word](tmp_path)).expert_items
    assert _kinds(items, Group.FILE, word) == {word}


#: Items of the same group that cannot but come along: a search for a header has something to pass over.
ALSO = {
    **column_scenarios.ALSO,
    "skipped-octets": ("resynchronised",),
    "resynchronised": ("skipped-octets",),
    "conflict": ("retransmission",),
    "wrong-version": ("skipped-octets", "resynchronised"),
}


def test_every_kind_is_made_by_a_test() -> None:
    """A kind that nothing makes is a promise that nobody keeps; a new one needs its capture here."""
    assert {*SCENARIOS, *FILES} == set(KINDS)
