"""Every shared vector, value by value as its meaning says."""

import json
from typing import Any

import pytest

from cosemscope.apdu.context import Context
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.framed import decode_octets, decode_wpdu
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from tests.apdu.vector_expectations import BROKEN, CIPHERED, EXPECTED, ODD
from tests.helpers.apdu_checks import at, check_tree
from tests.helpers.shared import shared


def _vectors() -> list[dict[str, Any]]:
    return [json.loads(line) for line in shared("vectors/apdu.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def vectors() -> dict[str, dict[str, Any]]:
    return {vector["name"]: vector for vector in _vectors() if vector["layer"] != "stream"}


@pytest.fixture(scope="module")
def trees(vectors: dict[str, dict[str, Any]]) -> dict[str, Decoded]:
    decoders = {"apdu": decode_apdu, "wpdu": decode_wpdu}
    return {name: decoders[vector["layer"]](bytes.fromhex(vector["hex"])) for name, vector in vectors.items()}


def test_every_vector_is_expected(vectors: dict[str, dict[str, Any]]) -> None:
    """No vector is only decoded: each has its values here."""
    assert set(vectors) == set(EXPECTED) | set(CIPHERED)


def test_leaves_tile_every_vector(vectors: dict[str, dict[str, Any]], trees: dict[str, Decoded]) -> None:
    """Every octet of every vector belongs to one leaf."""
    for name, decoded in trees.items():
        check_tree(decoded, bytes.fromhex(vectors[name]["hex"]))


@pytest.mark.parametrize("name", EXPECTED)
def test_values(name: str, trees: dict[str, Decoded]) -> None:
    """The values that the vector's meaning gives stand where they should."""
    root = trees[name].root
    for path, expected in EXPECTED[name].items():
        if path.endswith("~"):
            assert expected in at(root, path[:-1]).text, path
        elif path.endswith("="):
            assert at(root, path[:-1]).name == expected
        elif path == "undecoded" and expected is None:
            assert at(root, path).stop == root.stop
        else:
            assert at(root, path).value == expected, path


@pytest.mark.parametrize("name", CIPHERED)
def test_ciphered_structure(name: str, trees: dict[str, Decoded]) -> None:
    """Header, ciphered text and authentication tag of protected APDUs, without any key."""
    path, apdu, control, counter = CIPHERED[name]
    field = at(trees[name].root, path)
    assert field.name == apdu
    content = at(field, "ciphered-content")
    assert at(content, "security-control").value == control
    assert at(content, "invocation-counter").value == counter
    mark = 12 if control & 0x10 else 0
    text = at(content, "ciphered-text")
    assert text.stop - text.start == at(content, "length").value - 5 - mark
    assert len(text.value) == text.stop - text.start
    if mark:
        assert len(at(content, "authentication-tag").value) == 12


def test_problems(vectors: dict[str, dict[str, Any]], trees: dict[str, Decoded]) -> None:
    """Sound vectors have no problem; broken ones name the offset and what was expected there."""
    for name, decoded in trees.items():
        errors = [problem for problem in decoded.problems if problem.severity == "error"]
        if name in BROKEN:
            offset, message = BROKEN[name]
            assert errors[0].start == offset, name
            assert message in errors[0].message
        elif name in ODD:
            assert not errors
            assert ODD[name] in decoded.problems[0].message
        else:
            assert not decoded.problems, name
    wrong = {name for name, vector in vectors.items() if vector["expect"] in ("error", "incomplete")}
    assert wrong == set(BROKEN)


def test_info_lines(trees: dict[str, Decoded]) -> None:
    """Every vector has an info line of bounded length; broken ones begin with it."""
    for name, decoded in trees.items():
        line = summarise(decoded)
        assert 0 < len(line) <= MAX_LENGTH
        assert line.startswith("BROKEN") == (name in BROKEN), (name, line)


def test_layers_are_recognised(vectors: dict[str, dict[str, Any]], trees: dict[str, Decoded]) -> None:
    """Octets of unknown origin give the same tree as those whose layer is known."""
    for name, vector in vectors.items():
        if vector["expect"] != "incomplete":
            decoded = decode_octets(bytes.fromhex(vector["hex"]))
            # An APDU may be a value of Data as well, which a note says.
            noted = tuple(one for one in decoded.problems if "without an APDU" not in one.message)
            assert decoded._replace(problems=noted) == (
                trees[name] if vector["layer"] == "wpdu" else decode_apdu(bytes.fromhex(vector["hex"]))
            ), name


def test_plaintexts_hang_below_their_ciphered_text(vectors: dict[str, dict[str, Any]]) -> None:
    """What keyed vectors hold inside decodes whole, in a byte source of its own, wherever it is ciphered."""
    seen = 0
    for name, vector in vectors.items():
        if "plain" not in vector or name not in CIPHERED:
            continue
        plain = bytes.fromhex(vector["plain"])
        context = Context(opener=lambda part, plain=plain: Opening(Verdict.OPENED, plain))
        octets = bytes.fromhex(vector["hex"])
        decoded = (decode_wpdu if vector["layer"] == "wpdu" else decode_apdu)(octets, context)
        check_tree(decoded, octets)
        text = at(decoded.root, CIPHERED[name][0] + "/ciphered-content/ciphered-text")
        assert decoded.sources[text.children[0].source].data == plain
        assert text.children[0].name == apdu_name(plain[0])
        errors = [problem for problem in decoded.problems if problem.severity == "error"]
        assert len(errors) == (name in BROKEN), (name, errors)
        seen += 1
    assert seen > 40
