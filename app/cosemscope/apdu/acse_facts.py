"""What an ACSE APDU says of its association: title, challenge, mechanism, certificate, dedicated key.

Where nothing in the APDU is ciphered the facts are those of its octets alone, and are read once for all that
are alike: a head-end associates in the same words ten thousand times.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cosemscope.apdu.context import CipheredPart, Context, Opener
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find, walk
from cosemscope.apdu.names import codes
from cosemscope.apdu.opening import Opening, Verdict


class AcseFacts(NamedTuple):
    """What is said, None, 0 or "" where it is not; `base_name`: of the association object, with short names.

    `context`, `mechanism_name`, `diagnostic` are texts, `context_id` and `mechanism` numbers; `conformance`
    (24 bits) and `pdu_size` are those that the initiate proposes or agrees, None where it was not opened;
    `odd_context`, `odd_mechanism`: the object identifier, where it is none that is defined.
    """

    title: bytes | None = None
    challenge: bytes | None = None
    certificate: bytes | None = None
    dedicated_key: bytes | None = None
    mechanism: int = 0
    base_name: int | None = None
    context: str = ""
    mechanism_name: str = ""
    diagnostic: str = ""
    conformance: int | None = None
    pdu_size: int | None = None
    context_id: int = 0
    odd_context: str = ""
    odd_mechanism: str = ""


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

    def text(name: str) -> str:
        field = find(root, name)
        return field.text if field is not None else ""

    def number(*names: str) -> int | None:
        values = [said[name].value for name in names if name in said]
        return values[0] if values and isinstance(values[0], int) else None

    context, mechanism = find(root, "application-context-name"), find(root, "mechanism-name")
    return AcseFacts(
        octets(f"{who}-AP-title"),
        octets(f"{who}-authentication-value"),
        octets(f"{who}-AE-qualifier"),
        octets("dedicated-key"),
        _last_arc(mechanism),
        said["vaa-name"].value if "vaa-name" in said else None,
        text("application-context-name"),
        text("mechanism-name"),
        text("result-source-diagnostic"),
        number("proposed-conformance", "negotiated-conformance"),
        number("client-max-receive-pdu-size", "server-max-receive-pdu-size"),
        _last_arc(context),
        _odd(context, codes.CONTEXT_ARCS, codes.APPLICATION_CONTEXTS),
        _odd(mechanism, codes.MECHANISM_ARCS, codes.MECHANISMS),
    )


def _odd(name: Field | None, arcs: str, defined: Mapping[int, str]) -> str:
    """An object identifier that is none of those that begin with these arcs; "" for one of them, or none."""
    if name is None or str(name.value) in {f"{arcs}{last}" for last in defined}:
        return ""
    return name.text


def _last_arc(name: Field | None) -> int:
    """The last number of an object identifier; 0 where there is none."""
    arc = str(name.value).rpartition(".")[2] if name is not None else ""
    return int(arc) if arc.isdigit() else 0
