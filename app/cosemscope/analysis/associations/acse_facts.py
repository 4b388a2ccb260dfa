"""What an ACSE APDU says of its association: title, challenge, mechanism, certificate, dedicated key.

Where nothing in the APDU is ciphered the facts are those of its octets alone, and are read once for all that
are alike: a head-end associates in the same words ten thousand times.
"""

from functools import lru_cache
from typing import NamedTuple

from cosemscope.apdu.context import CipheredPart, Context, Opener
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find, walk
from cosemscope.apdu.opening import Opening, Verdict


class AcseFacts(NamedTuple):
    """What is said, None or 0 where it is not; `base_name`: of the association object, with short names."""

    title: bytes | None = None
    challenge: bytes | None = None
    certificate: bytes | None = None
    dedicated_key: bytes | None = None
    mechanism: int = 0
    base_name: int | None = None


def acse_facts(apdu: bytes, who: str, opener: Opener) -> AcseFacts:
    """The facts of an APDU by `who`, "calling" or "responding"; `opener` opens a ciphered initiate in it."""
    facts = _in_clear(apdu, who)
    return facts or _facts(decode_apdu(apdu, Context(opener=opener)).root, who)


@lru_cache(256)
def _in_clear(apdu: bytes, who: str) -> AcseFacts | None:
    """The facts of an APDU in which nothing is ciphered; None of any other."""
    ciphered: list[CipheredPart] = []

    def opener(part: CipheredPart) -> Opening:
        ciphered.append(part)
        return Opening(Verdict.NO_KEY)

    root = decode_apdu(apdu, Context(opener=opener)).root
    return None if ciphered else _facts(root, who)


def _facts(root: Field, who: str) -> AcseFacts:
    said: dict[str, Field] = {}
    for field in walk(root):
        said.setdefault(field.name, field)

    def octets(name: str) -> bytes | None:
        value = said[name].value if name in said else None
        return value if isinstance(value, bytes) else None

    mechanism = find(root, "mechanism-name")
    number = str(mechanism.value).rpartition(".")[2] if mechanism is not None else ""
    return AcseFacts(
        octets(f"{who}-AP-title"),
        octets(f"{who}-authentication-value"),
        octets(f"{who}-AE-qualifier"),
        octets("dedicated-key"),
        int(number) if number.isdigit() else 0,
        said["vaa-name"].value if "vaa-name" in said else None,
    )
