"""Fuzzing of the decoder: `python3 tests/fuzz_apdu.py --inputs 10000000`, or `--seconds 60`.

Mutates vectors (those beside the checkout where they are, and generated APDUs) and checks that no input
raises, that the leaves tile it, and that neither the tree nor the time grows out of bounds. A part of them is
taken into an association besides, with keys for what is sealed. Ends with 1 and the input in hex when one
raises.
"""

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]
if __package__ in (None, ""):
    sys.path.insert(0, str(_CHECKOUT))
    from tests.helpers.equipment import equip

    equip()

from cosemscope.analysis.associations.association import Association  # noqa: E402
from cosemscope.analysis.associations.steps import advance  # noqa: E402
from cosemscope.analysis.keys.key_table import KeyEntry, KeyTable  # noqa: E402
from cosemscope.apdu.context import CipheredPart, Context, Reference, Request  # noqa: E402
from cosemscope.apdu.decoder import decode_apdu  # noqa: E402
from cosemscope.apdu.framed import decode_octets, decode_wpdu  # noqa: E402
from cosemscope.apdu.opening import Opening, Verdict  # noqa: E402
from cosemscope.apdu.plain import plain_tree  # noqa: E402
from cosemscope.apdu.security.key_sets import KeySet  # noqa: E402
from cosemscope.apdu.summary import MAX_LENGTH, summarise  # noqa: E402
from tests.apdu.hdlc_encoder import RESPONSE, frame  # noqa: E402
from tests.helpers import apdu_encoder as encode  # noqa: E402
from tests.helpers import traffic_apdus as sealed  # noqa: E402
from tests.helpers.apdu_checks import check_tree  # noqa: E402

#: No input of this size may take longer than this, in seconds.
SLOWEST = 2.0
#: Inputs that one association takes, and out of how many one is taken.
_LIFE, _TAKEN = 64, 4
_TITLE, _KEY, _AUTHENTICATION = b"CSP\x10\x00\x00\x00\x01", bytes(range(16)), bytes(range(0xD0, 0xE0))
_TAGS = [tag for tag in range(256) if decode_apdu(bytes([tag, 0])).root.name[:7] != "unknown"]
_INTERESTING = (0x00, 0x01, 0x02, 0x09, 0x0C, 0x13, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x88, 0xFF)


def corpus() -> list[bytes]:
    """What is mutated: the shared vectors where they are, and APDUs of the encoder."""
    folder = Path(os.environ.get("COSEMSCOPE_SHARED", _CHECKOUT.parent / "shared"))
    path = folder / "vectors" / "apdu.jsonl"
    found = []
    if path.exists():
        lines = path.read_text().splitlines()
        found = [
            bytes.fromhex(vector[key])
            for vector in map(json.loads, lines)
            for key in ("hex", "plain")
            if key in vector
        ]
    else:
        print(f"fuzz: no vectors at {path}: generated APDUs only", file=sys.stderr)
    return found + generated()


def generated() -> list[bytes]:
    """APDUs of the encoder: what the vectors have few of."""
    clock = (8, bytes.fromhex("0000010000ff"), 2)
    profile = (7, bytes.fromhex("0100630100ff"), 2)
    moment = bytes.fromhex("07ea04040604042b00fe9801")
    rows = [("structure", [("octet-string", moment), ("double-long-unsigned", 7), ("enum", 30)])] * 4
    plain = encode.get_response(("array", rows))
    return [
        plain,
        encode.get_request(profile, encode.selection(2, ("structure", [("double-long-unsigned", 1)] * 4))),
        encode.get_request_list([(clock, None), (profile, None)]),
        encode.get_response_block(True, 1, plain[4:]),
        encode.set_request(clock, ("octet-string", moment)),
        encode.access_request(
            [(1, clock, b""), (4, profile, encode.selection(1, ("null-data", None)))], rows[:2]
        ),
        encode.access_response(rows, [(1, 0), (3, 2)], moment),
        encode.event_notification(clock, ("date-time", moment), moment),
        encode.get_response(("bit-string", "10110")),
        frame(0x30, RESPONSE + plain[:60], segmented=True) + frame(0x32, plain[60:]) + frame(0x93),
        bytes.fromhex("900101") + plain,
        bytes.fromhex("c401c100") + encode.compact_array(b"\x02\x02\x01\x00\x02\x11\x09", bytes(40)),
        encode.block_transfer(True, 1, plain),
        encode.ciphered(0xCC, 0x10, 5, plain, bytes(12)),
        encode.ciphered(0xDB, 0x30, 5, plain, bytes(12), b"ABC12345"),
        encode.gateway(False, 1, b"12", encode.gateway(True, 2, b"", plain)),
        encode.aarq(
            encode.element(0xA6, encode.element(0x04, b"ABC12345"), indefinite=True),
            user_information=encode.initiate_request(key=bytes(16), quality=3),
            long=True,
        ),
        encode.aare(
            0, 14, user_information=encode.ciphered(0x28, 0x30, 1, bytes(14), bytes(12)), indefinite=True
        ),
    ]


def protected() -> list[bytes]:
    """APDUs sealed with the keys that the associations have, and what makes an association."""
    end = sealed.Cipher(_TITLE, _KEY, _AUTHENTICATION)
    read, result = sealed.get_request(0xC1, 3, "1.0.1.8.0.255"), sealed.get_response(0xC1, sealed.unsigned(1))
    initiate = b"\x01\x01\x10" + _KEY + sealed.initiate_request()[2:]
    security_setup = sealed.action_request(
        0xC1,
        64,
        "0.0.43.0.0.255",
        2,
        sealed.array(sealed.structure(sealed.enum(0), sealed.octet_string(bytes(24)))),
    )
    proof = sealed.octet_string(end.gmac(b"StoC" * 4))
    found = [
        sealed.aarq(
            end.glo(0x21, initiate), context=3, mechanism=5, title=_TITLE, authentication=b"CtoS" * 4
        ),
        sealed.aare(
            end.glo(0x28, sealed.initiate_response()),
            context=3,
            mechanism=5,
            title=_TITLE,
            authentication=b"StoC" * 4,
        ),
        sealed.action_request(0xC1, 15, "0.0.40.0.0.255", 1, proof),
        b"\x05\x01\x04\xfa\x58\x01" + proof,
        security_setup,
        sealed.action_response(0xC1),
        sealed.RLRE,
    ]
    for control in (0x10, 0x20, 0x30):
        found += [
            end.glo(tag, plain, control) for tag, plain in ((0xC8, read), (0xCC, result), (0xD4, result))
        ]
        found += [end.general_glo(result, control), end.glo(0xCB, security_setup, control)]
    return found


def mutate(source: random.Random, octets: bytes, others: list[bytes]) -> bytes:
    """A few changes: octets, lengths, cuts, doublings, splices."""
    changed = bytearray(octets)
    for _ in range(source.choice((0, 1, 1, 1, 2, 3, 8))):
        at = source.randrange(len(changed) + 1)
        kind = source.randrange(8)
        if kind == 0 and changed:
            changed[at % len(changed)] = source.randrange(256)
        elif kind == 1 and changed:
            changed[at % len(changed)] = source.choice(_INTERESTING)
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            changed[at:at] = source.randbytes(source.randrange(1, 6))
        elif kind == 4:
            changed[at:at] = changed[at : at + source.randrange(1, 40)] * source.choice((1, 2, 20))
        elif kind == 5:
            other = source.choice(others)
            changed[at:] = other[source.randrange(len(other) + 1) :]
        elif kind == 6 and changed:
            changed[at % len(changed)] ^= 1 << source.randrange(8)
        else:
            changed[at : at + source.randrange(1, 5)] = b""
    if source.random() < 0.05 and changed:
        changed[0] = source.choice(_TAGS)
    return bytes(changed[:4096])


def _contexts(others: list[bytes]) -> list[Context | None]:
    references = tuple(Reference(kind, bytes.fromhex("0100010800ff"), 2) for kind in (3, 7, 8, 20))
    plain = others[0]

    def opener(part: CipheredPart) -> Opening:
        return Opening(Verdict.OPENED, others[part.invocation_counter % len(others)], notes=("tried",))

    return [
        None,
        Context(opener=opener),
        Context(request=Request(references, with_list=True), scaler_unit=lambda reference: (-1, 30)),
        Context(request=Request(references[1:2]), joined=plain),
        Context(brief=True),
    ]


def run(inputs: int, seconds: float, seed: int) -> int:
    """Fuzz until `inputs` inputs or `seconds` are over, whichever is first; 0 when all was well."""
    source = random.Random(seed)
    seeds = corpus() + protected()
    keys = KeyTable(
        [KeyEntry(KeySet("the key", encryption=_KEY, authentication=_AUTHENTICATION, master=_KEY))]
    )
    association = Association(keys)
    contexts = _contexts(seeds)
    started = time.perf_counter()
    slowest = 0.0
    done = broken = 0
    while done < inputs and time.perf_counter() - started < seconds:
        octets = mutate(source, source.choice(seeds), seeds)
        context = contexts[done % 5] if done % 3 == 0 else None
        decode = (decode_apdu, decode_apdu, decode_wpdu, decode_octets)[source.randrange(4)]
        began = time.perf_counter()
        try:
            if done % _TAKEN == 0:
                association = Association(keys) if done % (_TAKEN * _LIFE) == 0 else association
                context, decode = advance(association, octets, source.randrange(2)).context, decode_apdu
            decoded = decode(octets, context)
            took = time.perf_counter() - began
            check_tree(decoded, octets)
            if done % 16 == 0:
                plain_tree(decoded)
                assert len(summarise(decoded, context)) <= MAX_LENGTH
            assert took < SLOWEST, f"{took:.1f} s"
        except Exception as error:
            print(f"fuzz: {type(error).__name__}: {error}\nfuzz: {decode.__name__} of {octets.hex()}")
            raise
        slowest = max(slowest, took)
        broken += bool(decoded.problems)
        done += 1
    elapsed = time.perf_counter() - started
    print(
        f"fuzz: {done} inputs in {elapsed:.0f} s, seed {seed}: no exception, every octet in one leaf; "
        f"{broken} with problems, slowest {slowest * 1000:.1f} ms"
    )
    return 0


def main() -> int:
    """Read the command line and fuzz."""
    parser = argparse.ArgumentParser(description="Fuzz the APDU decoder.")
    parser.add_argument("--inputs", type=int, default=sys.maxsize, help="stop after this many inputs")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--seed", type=int, default=None, help="of the mutations; default: of the clock")
    given = parser.parse_args()
    if given.inputs == sys.maxsize and given.seconds == float("inf"):
        given.seconds = 60.0
    seed = given.seed if given.seed is not None else int(time.time())
    return run(given.inputs, given.seconds, seed)


if __name__ == "__main__":
    sys.exit(main())
