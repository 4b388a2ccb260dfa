"""How fast APDUs are made, read and exchanged: `python3 tests/benchmarks/application_benchmark.py`.

Encoding and parsing go in turns with the decoder's tree of the same octets; the ratio is what of the tree's
time they take. Then a client association reads a register from a played meter again and again, in clear and
ciphered with HLS-GMAC: the client's own CPU time an exchange, and how many times that of encoding its request
and parsing its answer. Needs only Python to start. Exit status 1: an exchange took longer than its bar.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

#: The client's own microseconds an exchange: half of what 2,000 in clear and 1,000 ciphered a second leave.
BARS = {"clear": 250.0, "ciphered": 500.0}


def _spent(work: Callable[[], Any], count: int) -> float:
    """Microseconds of CPU time a turn."""
    start = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - start) / count * 1e6


def codec(count: int) -> dict[str, dict[str, float]]:
    """A GET and its answers: encode, parse, and the decoder's tree."""
    from cosemscope.apdu.context import Reference
    from cosemscope.apdu.decoder import decode_apdu
    from cosemscope.application.encoding.apdus import encode, parse
    from cosemscope.application.encoding.data_values import array, double_long_unsigned, structure
    from cosemscope.application.encoding.get_set_action import GetRequestNormal, GetResponseNormal

    register = Reference(3, bytes.fromhex("0100010800ff"), 2)
    rows = array(structure(double_long_unsigned(row), double_long_unsigned(row)) for row in range(50))
    apdus = {
        "GET request": GetRequestNormal(0xC1, register),
        "GET response": GetResponseNormal(0xC1, double_long_unsigned(5)),
        "50 rows": GetResponseNormal(0xC1, rows),
    }
    measured = {}
    for name, value in apdus.items():
        octets = encode(value)
        encoded = _spent(lambda value=value: encode(value), count)
        parsed = _spent(lambda octets=octets: parse(octets), count)
        tree = _spent(lambda octets=octets: decode_apdu(octets), count)
        measured[name] = {
            "encode": encoded,
            "parse": parsed,
            "tree": tree,
            "ratio": (encoded + parsed) / tree,
        }
    return measured


def exchanges(count: int, ciphered: bool) -> float:
    """The client's own microseconds an exchange with a played meter."""
    from cosemscope.apdu.context import Reference
    from cosemscope.apdu.security.key_sets import KeySet
    from cosemscope.application.client.association_parameters import AssociationParameters
    from cosemscope.application.client.client_events import RequestAnswered, TransmitApdu
    from cosemscope.application.client.service_operations import get
    from cosemscope.application.encoding.data_values import double_long_unsigned
    from cosemscope.application.protection.sealing import CipheringForm
    from tests.application.played_meter import PlayedMeter
    from tests.application.played_session import PlayedSession

    keys = KeySet("meter", encryption=bytes(range(16)), authentication=bytes(16))
    how: dict[str, Any] = {"mechanism": 5, "keys": keys, "form": CipheringForm.GLOBAL} if ciphered else {}
    client = {**how, "challenge": b"challenge", "title": b"CLI\0\0\0\0\1"} if ciphered else {}
    session = PlayedSession(AssociationParameters(**client), PlayedMeter(**how))
    session.associate()
    register = Reference(3, bytes.fromhex("0100010800ff"), 2)
    session.meter.values[register] = double_long_unsigned(5)
    spent = 0.0
    for turn in range(count):
        start = time.process_time()
        _, (sent,) = session.client.request(get(register), turn)
        spent += time.process_time() - start
        assert isinstance(sent, TransmitApdu)
        (answer,) = session.meter.answer(sent.octets)
        start = time.process_time()
        (told,) = session.client.receive(answer, turn)
        spent += time.process_time() - start
        if not isinstance(told, RequestAnswered):
            raise SystemExit(f"no answer was told: {told}")
    return spent / count * 1e6


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="turns (default 5,000)")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")
    arguments = parser.parse_args()
    equip()
    measured = codec(arguments.count)
    for name, figures in measured.items():
        words = ", ".join(f"{key} {value:.2f}" for key, value in figures.items())
        shown = (
            json.dumps({"apdu": name, **figures})
            if arguments.json
            else f"{name}: {words} (us; ratio to tree)"
        )
        print(shown, flush=True)
    bare = measured["GET request"]["encode"] + measured["GET response"]["parse"]
    late = False
    for name, bar in BARS.items():
        spent = exchanges(arguments.count, name == "ciphered")
        late = late or spent > bar
        result = {"exchange": name, "client": spent, "ratio": spent / bare, "bar": bar}
        rate = f"{1e6 / spent:,.0f} a second, {spent / bare:.1f} times its codec"
        told = f"{name}: {spent:.1f} us an exchange ({rate}); bar {bar:g} us"
        print(json.dumps(result) if arguments.json else told, flush=True)
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
