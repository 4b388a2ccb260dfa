"""How fast ciphered APDUs are opened: `python3 tests/benchmarks/security_benchmark.py`.

Opens APDUs of several sizes, each with a counter of its own so that nothing is remembered, in turns with
bare AES-GCM of the library on the same octets, in three ways: as the library checks tags of 12 octets,
which is what DLMS has; by its fastest call twice, for plaintext and for tag, the quickest way to check 12
octets; and by that call once, which cannot check them, as it knows tags of 16 octets only. The ratio in
JSON is to the quickest that does the same work. Then walks a whole ciphered association, with titles,
requests, counters and all. Needs only Python to start. Exit status 1: a plaintext was wrong.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

if TYPE_CHECKING:
    from cosemscope.apdu.context import CipheredPart

SIZES = (13, 37, 200, 1023)
#: The most time opening may take, as a multiple of bare AES-GCM's.
BAR = 1.5
KEY, AUTHENTICATION, TITLE = bytes(range(16)), bytes(range(0xD0, 0xE0)), b"CSP\x10\x00\x00\x00\x01"
#: What the tag covers beside the plaintext: security control and authentication key.
ASSOCIATED = b"\x30" + AUTHENTICATION
Way = Callable[[], list[bytes]]


@dataclass(frozen=True)
class Result:
    """APDUs of one size: microseconds each, for opening and the three ways of bare AES-GCM."""

    size: int
    opened: float
    checked: float
    twice: float
    once: float

    @property
    def bare(self) -> float:
        """The quickest bare way to open and to check a tag of 12 octets."""
        return min(self.checked, self.twice)

    @property
    def ratio(self) -> float:
        """How many times bare AES-GCM's time opening takes."""
        return self.opened / self.bare

    def text(self) -> str:
        """One line for people."""
        return (
            f"{self.size:5} octets: opened in {self.opened:.2f} us ({1e6 / self.opened:,.0f} a second); bare "
            f"AES-GCM with tags of 12 octets {self.checked:.2f} us {self._times(self.checked)}, "
            f"by its fastest call twice {self.twice:.2f} us {self._times(self.twice)}; "
            f"that call once, tags of 16 {self.once:.2f} us {self._times(self.once)}"
        )

    def _times(self, bare: float) -> str:
        ratio = self.opened / bare
        return f"({ratio:.2f} times, bar {BAR}, {'met' if ratio <= BAR else 'MISSED'})"


def measure(size: int, count: int, repeat: int) -> Result:
    """Opens `count` APDUs of `size` octets, `repeat` times in turns with the library."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from cosemscope.apdu.context import CipheredPart

    plain = b"\xc4\x01\xc1\x00\x09" + bytes(size - 5)
    aead = AESGCM(KEY)
    nonces = [TITLE + number.to_bytes(4, "big") for number in range(count)]
    sealed = [aead.encrypt(nonce, plain, ASSOCIATED) for nonce in nonces]
    parts = [
        CipheredPart(0xCC, 0x30, number, octets[:-16], octets[-16:-4]) for number, octets in enumerate(sealed)
    ]
    best = dict.fromkeys((_ours(parts), *_bare(nonces, sealed, parts)), float("inf"))
    for _ in range(repeat):
        for way in best:
            best[way] = min(best[way], _timed(way, plain, count))
    return Result(size, *(spent / count * 1e6 for spent in best.values()))


def _ours(parts: "list[CipheredPart]") -> Way:
    """Opening as the decoder does it."""
    from cosemscope.apdu.security.key_rings import KeyRing
    from cosemscope.apdu.security.key_sets import KeySet
    from cosemscope.apdu.security.opener import KeyedOpener
    from cosemscope.apdu.security.outcomes import Outcomes

    keys = KeySet("meter", encryption=KEY, authentication=AUTHENTICATION)

    def opened() -> list[bytes]:
        opener = KeyedOpener(KeyRing([keys], Outcomes()), TITLE)
        return [opener.open(part).plaintext or b"" for part in parts]

    return opened


def _bare(nonces: list[bytes], sealed: list[bytes], parts: "list[CipheredPart]") -> tuple[Way, Way, Way]:
    """The three ways of the library: tags of 12 octets, its fastest call twice, and once."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    algorithm, aead = algorithms.AES(KEY), AESGCM(KEY)

    def checked() -> list[bytes]:
        found = []
        for nonce, part in zip(nonces, parts, strict=True):
            decryptor = Cipher(algorithm, modes.GCM(nonce, part.authentication_tag, 12)).decryptor()
            decryptor.authenticate_additional_data(ASSOCIATED)
            found.append(decryptor.update(part.content) + decryptor.finalize())
        return found

    def twice() -> list[bytes]:
        found = []
        for nonce, part in zip(nonces, parts, strict=True):
            text = aead.encrypt(nonce, part.content, None)[:-16]
            if aead.encrypt(nonce, text, ASSOCIATED)[-16:-4] == part.authentication_tag:
                found.append(text)
        return found

    def once() -> list[bytes]:
        return [aead.decrypt(nonce, octets, ASSOCIATED) for nonce, octets in zip(nonces, sealed, strict=True)]

    return checked, twice, once


def _timed(way: Way, plain: bytes, count: int) -> float:
    start = time.perf_counter()
    found = way()
    spent = time.perf_counter() - start
    if found != [plain] * count:
        raise SystemExit(f"{way.__name__}: a plaintext is wrong")
    return spent


def walk(count: int) -> float:
    """APDUs a second of a ciphered association of `count` exchanges: each opened, its request found."""
    from cosemscope.analysis.associations.association import Association
    from cosemscope.analysis.associations.steps import advance
    from cosemscope.analysis.keys.key_entry import KeyEntry
    from cosemscope.analysis.keys.key_table import KeyTable
    from cosemscope.apdu.opening import Verdict
    from cosemscope.apdu.security.key_sets import KeySet
    from tests.helpers import traffic_apdus as a

    keys = KeyTable([KeyEntry(KeySet("meter", encryption=KEY, authentication=AUTHENTICATION))])
    client = a.Cipher(b"CSH\x00\x00\x00\x00\x01", KEY, AUTHENTICATION)
    meter = a.Cipher(TITLE, KEY, AUTHENTICATION)
    sent = [(a.aarq(context=3, title=client.title), 0), (a.aare(context=3, title=meter.title), 1)]
    for number in range(count):
        invoke = 0xC0 | number % 16
        sent.append((client.glo(0xC8, a.get_request(invoke, 3, "1.0.1.8.0.255")), 0))
        sent.append((meter.glo(0xCC, a.get_response(invoke, a.double_long_unsigned(number))), 1))
    association = Association(keys)
    start = time.perf_counter()
    looks = [advance(association, apdu, side) for apdu, side in sent]
    spent = time.perf_counter() - start
    if any(look.verdict is not Verdict.OPENED or look.context.request is None for look in looks[2:]):
        raise SystemExit("the walk did not open everything")
    return len(sent) / spent


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=4000, help="APDUs of each size (default 4,000)")
    parser.add_argument("--repeat", type=int, default=15, help="turns, of which the best counts (default 15)")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")
    arguments = parser.parse_args()
    equip()
    for size in SIZES:
        result = measure(size, arguments.count, arguments.repeat)
        shown = json.dumps({**asdict(result), "ratio": result.ratio}) if arguments.json else result.text()
        print(shown, flush=True)
    rate = walk(arguments.count)
    print(
        json.dumps({"walk": rate})
        if arguments.json
        else f"a ciphered association: {rate:,.0f} APDUs a second"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
