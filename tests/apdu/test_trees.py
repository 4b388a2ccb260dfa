"""Whole trees of every kind of APDU and frame: each field with its octets, value and text, each problem.

The files in `trees` hold octets and the tree that the definition of their encoding asks for, checked by hand:
a title, the octets in hex, the info line, the fields as `tree` writes them, problems as severity, octets and
sentence. What they protect is that no octet belongs to the wrong field and no code has the wrong name.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.framed import decode_octets
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc
from cosemscope.apdu.summary import summarise
from tests.helpers.apdu_checks import check_tree, tree

_FOLDER = Path(__file__).parent / "trees"
_DECODERS: dict[str, Callable[[bytes], Decoded]] = {"framed": decode_octets, "hdlc": decode_hdlc}


def cases() -> Iterator[object]:
    """Each tree of each file: its decoder, its octets, what is expected."""
    for path in sorted(_FOLDER.glob("*.txt")):
        for case in path.read_text("utf-8").strip().split("\n\n"):
            title, octets, *expected = case.split("\n")
            assert (title[:2], octets[:2]) == ("# ", "= "), f"{path.name}: {title}"
            decode = _DECODERS.get(path.stem, decode_apdu)
            yield pytest.param(
                decode, bytes.fromhex(octets[2:].replace(" ", "")), expected, id=f"{path.stem}: {title[2:]}"
            )


@pytest.mark.parametrize(("decode", "octets", "expected"), list(cases()))
def test_trees(decode: Callable[[bytes], Decoded], octets: bytes, expected: list[str]) -> None:
    """Every field and every problem is as expected, and there are no others."""
    decoded = decode(octets)
    check_tree(decoded, octets)
    found = [line.rstrip() for line in (f"~ {summarise(decoded)}", *tree(decoded.root).split("\n"))]
    for problem in decoded.problems:
        assert problem.source == 0
        found.append(f"! {problem.severity} {problem.start}-{problem.stop} {problem.message}")
    assert found == expected


def test_the_files_are_there() -> None:
    """A file that is moved away does not go unnoticed."""
    assert {path.stem for path in _FOLDER.glob("*.txt")} == {
        "access_events",
        "acse",
        "ber",
        "ciphering",
        "compact",
        "data",
        "decoder",
        "framed",
        "get_set_action",
        "hdlc",
        "initiate",
        "short_names",
    }
