"""Object identifiers with a wrong octet, and pushes that are unlike their lists: read on, and named."""

from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.expert.run import find_items
from cosemscope.streams.tables.expert_items import Severity
from tests.helpers import traffic_apdus as a
from tests.helpers.planted_faults import Plot
from tests.helpers.wire import Wire, analyse, wpdu

CONTEXT, MECHANISM = bytes.fromhex("608574050801"), bytes.fromhex("608574050802")


def said(plot: Plot, folder: Path) -> list[tuple[str, int, str]]:
    """Word, packet number and sentence of the items that are worse than chat."""
    associations = Associations(analyse(plot.wire, folder))
    find_items(associations, workers=1)
    items = associations.analysis.expert_items
    return [
        (items.kind(row).word, int(items["packet"][row]) + 1, items.message(row))
        for row in range(len(items))
        if items.kind(row).severity > Severity.CHAT
    ]


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("side", ["AARQ", "AARE"])
@pytest.mark.parametrize(("word", "arcs"), [("unknown-context", CONTEXT), ("unknown-mechanism", MECHANISM)])
def test_a_wrong_octet_of_an_object_identifier_is_named(
    word: str, arcs: bytes, side: str, place: int, tmp_path: Path
) -> None:
    """Wherever it is, in either APDU, once; the association is read on."""
    apdus = {
        "AARQ": a.aarq(mechanism=5, authentication=b"CtoS" * 4),
        "AARE": a.aare(mechanism=5, authentication=b"StoC" * 4, diagnostic=14),
    }
    wrong = bytearray(apdus[side])
    wrong[wrong.index(arcs) + place] ^= 1
    apdus[side] = bytes(wrong)
    plot = Plot(Wire(), 1)
    plot.tcp.handshake()
    plot.up(apdus["AARQ"])
    plot.down(apdus["AARE"])
    plot.release()
    ((found, packet, sentence),) = said(plot, tmp_path)
    assert (found, packet) == (word, 4 if side == "AARQ" else 5)
    known = "LN referencing, no ciphering" if arcs == CONTEXT else "HLS-GMAC"
    assert sentence.endswith(f": an octet of it is wrong, it is read as {known}")


@pytest.mark.parametrize("objects", [2, 150])
@pytest.mark.parametrize(("more", "alarmed"), [(-1, False), (0, False), (1, True)])
def test_a_push_is_held_against_the_list_in_it(
    objects: int, more: int, alarmed: bool, tmp_path: Path
) -> None:
    """The list may name its own place or leave it out: beyond that there are as many values as objects."""
    energy = a.octet_string(a.obis("1.0.1.8.0.255"))
    entry = a.structure(a.long_unsigned(3), energy, a.integer(2), a.long_unsigned(0))
    body = a.structure(a.array(*[entry] * objects), *[a.double_long_unsigned(7)] * (objects + more))
    plot = Plot(Wire(), 1)
    plot.wire.udp(plot.meter, plot.client, wpdu(a.data_notification(1, b"", body), 1, 64))
    sentence = f"the push has {objects + 2} values, the list in it {objects} objects"
    assert said(plot, tmp_path) == ([("push-unlike-setup", 1, sentence)] if alarmed else [])
