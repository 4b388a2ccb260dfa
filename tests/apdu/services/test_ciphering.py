"""Protected APDUs without keys, and how an opener's answers come into the tree."""

import pytest

from cosemscope.apdu.context import CipheredPart, Context, SignedPart
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.names.tags import DED_SERVICES, GLO_SERVICES
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.envelopes import read_protected
from cosemscope.apdu.services.ciphering import looks_ciphered
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_checks import at, check_tree

_PLAIN = encode.get_response(("double-long-unsigned", 5009))
_TITLE = b"ABC12345"
_MARK = bytes(range(12))


def decoded_of(octets: bytes, context: Context | None = None) -> Decoded:
    decoded = decode_apdu(octets, context)
    check_tree(decoded, octets)
    return decoded


class Recorder:
    """An opener that notes what it is asked and answers what it was told."""

    def __init__(self, answer: Opening) -> None:
        self.answer = answer
        self.parts: list[CipheredPart] = []

    def __call__(self, part: CipheredPart) -> Opening:
        self.parts.append(part)
        return self.answer


@pytest.mark.parametrize("tag", [*GLO_SERVICES, *DED_SERVICES])
@pytest.mark.parametrize("control", [0x20, 0x30, 0x31, 0x70, 0xB0])
def test_outer_structure(tag: int, control: int) -> None:
    """Every ciphered service: control, counter, text, and a tag where one is promised."""
    mark = _MARK if control & 0x10 else b""
    decoded = decoded_of(encode.ciphered(tag, control, 0x01020304, b"secret", mark))
    assert not decoded.problems
    content = at(decoded.root, "ciphered-content")
    assert at(content, "invocation-counter").value == 0x01020304
    assert at(content, "ciphered-text").value == b"secret"
    assert ("broadcast key" in at(content, "security-control").text) == bool(control & 0x40)
    assert ("compressed" in at(content, "security-control").text) == bool(control & 0x80)
    if mark:
        assert at(content, "authentication-tag").value == _MARK


def test_long_lengths() -> None:
    """The counter is found behind lengths of one, two and three octets."""
    for size in (20, 150, 400):
        content = at(decoded_of(encode.ciphered(0xCC, 0x20, 7, bytes(size))).root, "ciphered-content")
        assert at(content, "invocation-counter").value == 7
        assert len(at(content, "ciphered-text").value) == size


def test_authenticated_only_is_plain() -> None:
    """What is only authenticated is read in place."""
    root = decoded_of(encode.ciphered(0xDB, 0x10, 7, _PLAIN, _MARK, _TITLE)).root
    assert at(root, "ciphered-content/get-response/result/data").value == 5009
    assert at(root, "ciphered-content/authentication-tag").value == _MARK


def test_an_opened_body_is_a_source_of_its_own() -> None:
    """The plaintext's tree hangs below the ciphered text and has its own offsets."""
    opener = Recorder(Opening(Verdict.OPENED, _PLAIN, 7, "key 1", _TITLE, notes=("a remark",)))
    decoded = decoded_of(encode.ciphered(0xDB, 0x30, 7, bytes(9), _MARK, _TITLE), Context(opener=opener))
    assert opener.parts == [CipheredPart(0xDB, 0x30, 7, bytes(9), _MARK, _TITLE)]
    assert decoded.sources[1] == ("decrypted", _PLAIN)
    text = at(decoded.root, "ciphered-content/ciphered-text")
    assert "opened" in text.text
    assert at(text, "get-response/result/data").value == 5009
    assert (text.children[0].start, text.children[0].stop, text.children[0].source) == (0, 9, 1)
    assert [(problem.severity, problem.message) for problem in decoded.problems] == [
        (
            "note",
            "opened, the authentication tag is right: key 1, system title ABC 4142433132333435, "
            "invocation counter 7",
        ),
        ("note", "a remark"),
    ]


def test_a_failure_is_a_shown_result() -> None:
    """What could not be opened stays octets, with the verdict and why."""
    opener = Recorder(Opening(Verdict.TAG_WRONG, notes=("no key gives this tag",)))
    decoded = decoded_of(encode.ciphered(0xC8, 0x30, 7, bytes(9), _MARK), Context(opener=opener))
    assert at(decoded.root, "ciphered-content/ciphered-text").text == "9 octets, tag-wrong"
    assert decoded.root.text.endswith(": tag-wrong")
    assert decoded.problems[0].severity == "warning"


def test_a_plaintext_of_another_service_is_said() -> None:
    """glo-get-request that opens to something else than a get-request was opened with a wrong key."""
    opener = Recorder(Opening(Verdict.UNTAGGED, b"\x99\x01"))
    decoded = decoded_of(encode.ciphered(0xC8, 0x20, 7, b"\0\0"), Context(opener=opener))
    assert "expected get-request inside glo-get-request" in decoded.problems[0].message


def test_titles_come_from_the_association() -> None:
    """The user-information of an AARQ is opened with the title that the AARQ itself gives."""
    opener = Recorder(Opening(Verdict.OPENED, encode.initiate_request()))
    octets = encode.aarq(
        encode.element(0xA6, encode.element(0x04, _TITLE)),
        context=3,
        user_information=encode.ciphered(0x21, 0x30, 1, bytes(14), _MARK),
    )
    decoded = decoded_of(octets, Context(opener=opener))
    assert opener.parts[0].system_title == _TITLE
    path = "user-information/octet-string/glo-initiateRequest/ciphered-content/ciphered-text/initiateRequest"
    assert at(decoded.root, path)


_HEADER = (b"\0\1", b"ORIGIN01", b"RECEIVER", b"", b"\x07")


@pytest.mark.parametrize(
    ("key_info", "choice", "text"),
    [
        (None, None, "not given"),
        (b"\0\1", 0, "global-broadcast-encryption-key"),
        (b"\1\0" + encode.octet_string(bytes(24)), 1, "wrapped with the master-key"),
        (b"\2" + encode.octet_string(b"\2") + encode.octet_string(b""), 2, "agreed: static unified"),
    ],
)
def test_general_ciphering(key_info: bytes | None, choice: int | None, text: str) -> None:
    """Header and every form of key-info; the opener is told all of it."""
    opener = Recorder(Opening(Verdict.OPENED, _PLAIN))
    octets = encode.general_ciphering(_HEADER, key_info, 0x30, 9, bytes(9), _MARK)
    decoded = decoded_of(octets, Context(opener=opener))
    assert at(decoded.root, "key-info").text.startswith(text)
    assert at(decoded.root, "ciphered-content/ciphered-text/get-response/result/data").value == 5009
    (part,) = opener.parts
    assert part.system_title == b"ORIGIN01"
    assert part.envelope is not None
    assert part.envelope[:5] == _HEADER
    assert part.envelope.octets == b"".join(map(encode.octet_string, _HEADER))
    assert (part.envelope.key_info.choice if part.envelope.key_info else None) == choice


def test_general_signing_is_verified_by_the_caller() -> None:
    """The verifier is given header, content and signature; its verdict is shown with the signature."""
    seen: list[SignedPart] = []

    def verifier(part: SignedPart) -> Opening:
        seen.append(part)
        return Opening(Verdict.SIGNATURE_WRONG, notes=("other key",))

    header = b"".join(map(encode.octet_string, _HEADER))
    octets = b"\xdf" + header + encode.octet_string(_PLAIN) + encode.octet_string(bytes(64))
    decoded = decoded_of(octets, Context(verifier=verifier))
    assert at(decoded.root, "content/get-response/result/data").value == 5009
    assert seen[0].content == _PLAIN
    assert seen[0].signed == header + encode.octet_string(_PLAIN)
    assert at(decoded.root, "signature").text.startswith("signature-wrong")


def test_an_undefined_tag_over_ciphered_content() -> None:
    """A ciphered body under tag 00 is flagged, taken apart, and offered to the opener."""
    opener = Recorder(Opening(Verdict.OPENED, _PLAIN))
    decoded = decoded_of(b"\0" + encode.ciphered(0xCC, 0x30, 7, bytes(9), _MARK)[1:], Context(opener=opener))
    assert decoded.problems[0].severity == "error"
    assert opener.parts[0].tag == 0
    path = "ciphered-content/ciphered-text/get-response/result/data"
    assert at(decoded.root, path).value == 5009


def test_a_length_beyond_the_end() -> None:
    """Ciphered content that is cut is a problem at its length."""
    octets = encode.ciphered(0xDB, 0x30, 7, bytes(30), _MARK, _TITLE)[:-4]
    decoded = decoded_of(octets)
    assert decoded.problems[0].start == 10
    assert "says 47 octets, 43 remain" in decoded.problems[0].message


@pytest.mark.parametrize(
    ("control", "left", "fields"),
    [
        (0x30, "", {"security-control": "suite 0, encrypted and authenticated"}),
        (0x31, "0001ab", {"invocation-counter": "cut: 3 of 4 octets"}),
        (0x21, "0001ab33", {"invocation-counter": "109363"}),
        (0x20, "0001ab33ff", {"invocation-counter": "109363", "ciphered-text": "cut"}),
        (0x10, "0001ab33ff", {"invocation-counter": "109363", "text": "cut"}),
        (0x00, "c00181", {"text": "cut"}),
    ],
)
def test_the_beginning_of_what_is_cut(control: int, left: str, fields: dict[str, str]) -> None:
    """Security control, counter and what follows are read as far as they go; there is nothing to open."""
    opener = Recorder(Opening(Verdict.OPENED, _PLAIN))
    octets = bytes.fromhex(f"c8 40 {control:02x} {left}")
    decoded = decoded_of(octets, Context(opener=opener))
    content = at(decoded.root, "ciphered-content")
    assert not opener.parts
    for name, text in fields.items():
        assert text in at(content, name).text or text == str(at(content, name).value)
    names = {field.name for field in content.children} - {"length", "security-control"}
    assert names == fields.keys() - {"security-control"}
    assert f"{0x40 - 1 - len(left) // 2} octets are missing" in content.text


def test_text_too_short_for_its_tag() -> None:
    """An authentication tag that does not fit is a problem, not a negative size."""
    decoded = decoded_of(encode.ciphered(0xC8, 0x30, 7, b"abc"))
    assert "expected an authentication tag of 12 octets" in decoded.problems[0].message
    assert at(decoded.root, "ciphered-content/ciphered-text").value == b"abc"


# An unknown tag before ciphered content.


@pytest.mark.parametrize(
    ("octets", "ciphered"),
    [
        (b"\x06\x20" + bytes(5), True),
        (b"\x05\x20" + bytes(4), False),
        (b"\x06\x20" + bytes(4), False),
        (b"\x06\x20" + bytes(6), False),
        (b"\x7f\x10" + bytes(126), True),
        (b"\x80\x10" + bytes(127), False),
        (b"\x81\x80\x12" + bytes(127), True),
        (b"\x82\x00\x06\x32" + bytes(5), True),
        (b"\x84\x00\x00\x00\x06\x30" + bytes(5), True),
        (b"\x85\x00\x00\x00\x00\x06\x30" + bytes(5), False),
        (b"\x06\x00" + bytes(5), False),
        (b"\x06\xc0" + bytes(5), False),
        (b"\x06\x22" + bytes(5), True),
        (b"\x06\x23" + bytes(5), False),
        (b"\x06", False),
        (b"", False),
    ],
)
def test_what_looks_like_the_content_of_a_ciphered_service(octets: bytes, ciphered: bool) -> None:
    """A length that is right to the octet, a suite that there is, protection; the opener agrees."""
    assert looks_ciphered(octets) == ciphered
    for tag in (0x00, 0x40, 0xFF):
        part = read_protected(bytes((tag,)) + octets)
        assert (part is not None) == ciphered
