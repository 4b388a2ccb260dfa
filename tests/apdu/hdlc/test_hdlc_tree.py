"""Trees of HDLC frames: every octet has its field, segments are joined, what is wrong is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.context import Context
from cosemscope.apdu.fields import Decoded, Field, find, first, leaves, walk
from cosemscope.apdu.framed import Layer, decode_octets, recognise
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc, decode_llc
from cosemscope.apdu.summary import summarise
from tests.apdu.hdlc_encoder import COMMAND, GET, RESPONSE, frame, i_control, segments
from tests.helpers.apdu_checks import at, check_tree
from tests.helpers.captured import table_of
from tests.helpers.shared import shared

SNRM = bytes.fromhex("7ea0070321930f017e")
UA = bytes.fromhex("7ea01e210373c37a81801205018006018007040000000108040000000153 3b7e")
ANSWER = bytes.fromhex("c401c10006") + bytes(4)


def check_tiles(decoded: Decoded) -> None:
    """The leaves of every source tile it."""
    for number, source in enumerate(decoded.sources):
        at = 0
        for leaf in leaves(decoded.root, number):
            assert leaf.start == at, leaf
            at = leaf.stop
        assert at == len(source.data)


def named(decoded: Decoded, name: str) -> list[Field]:
    return [field for field in walk(decoded.root) if field.name == name]


def test_a_frame_without_information() -> None:
    """SNRM without parameters: addresses with their names, one check sequence."""
    decoded = decode_hdlc(SNRM)
    check_tiles(decoded)
    assert decoded.root.text == "16 to 1, SNRM, P"
    assert [child.name for child in decoded.root.children] == [
        "flag",
        "frame format",
        "destination address",
        "source address",
        "control",
        "frame check sequence",
        "flag",
    ]
    assert find(decoded.root, "destination address").text == "server 1: Management Logical Device"
    assert find(decoded.root, "source address").text == "client 16: Public Client"
    assert not decoded.problems


def test_negotiated_parameters() -> None:
    """The UA of a real meter: 128 octets and a window of one frame each way."""
    decoded = decode_hdlc(UA)
    check_tiles(decoded)
    group = first(decoded.root, "group")
    assert [(field.name, field.value) for field in group.children[2:]] == [
        ("maximum information field length, transmit", 128),
        ("maximum information field length, receive", 128),
        ("window size, transmit", 1),
        ("window size, receive", 1),
    ]
    assert not decoded.problems


def test_the_apdu_is_decoded_in_place() -> None:
    """LLC octets and APDU of an I frame, with the offsets of the frame."""
    decoded = decode_hdlc(frame(i_control(2, 3), COMMAND + GET))
    check_tiles(decoded)
    assert decoded.root.text == "16 to 1, I, N(S) 2, N(R) 3, P/F, get-request"
    apdu = first(decoded.root, "get-request")
    assert (apdu.start, apdu.stop, apdu.source) == (11, 11 + len(GET), 0)
    assert first(decoded.root, "LLC").text == "command"
    assert not decoded.problems


def test_the_vector() -> None:
    """Pasted octets that begin with a flag are an HDLC frame; the AARQ in it is decoded."""
    vectors = shared("vectors/apdu.jsonl").read_text("utf-8").splitlines()
    line = next(line for line in vectors if "stream-hdlc-aarq" in line)
    octets = bytes.fromhex(line.split('"hex": "')[1].split('"')[0])
    assert recognise(octets) is recognise(b"\x7e\x7e" + octets) is Layer.HDLC
    decoded = decode_octets(octets)
    check_tiles(decoded)
    assert decoded.root.text.endswith("AARQ")
    assert first(decoded.root, "initiateRequest") is not None
    assert not decoded.problems


@pytest.mark.parametrize("size", [3, 4, 5])
def test_segments_are_joined(size: int) -> None:
    """Frames back to back (a window above one), flags shared or not: the APDU is decoded once, at the end."""
    made = segments(RESPONSE + ANSWER, size, send=6)
    for octets in (b"".join(made), made[0] + b"".join(one[1:] for one in made[1:])):
        decoded = decode_hdlc(octets)
        check_tiles(decoded)
        assert not decoded.problems
        assert decoded.sources[1].name == "joined segments"
        assert decoded.sources[1].data == RESPONSE + ANSWER
        (apdu,) = named(decoded, "get-response")
        assert apdu.source == 1
        assert decoded.root.children[-1].text.endswith("last segment, get-response")


def test_a_segment_that_is_missing() -> None:
    """Segments out of sequence are not joined: said so, and of the first one what is there is read."""
    made = segments(RESPONSE + ANSWER, 4)
    decoded = decode_hdlc(made[0] + made[2])
    check_tiles(decoded)
    assert [field.text for field in named(decoded, "get-response")] == ["incomplete"]
    assert any("perhaps the rest of an APDU" in problem.message for problem in decoded.problems)


@pytest.mark.parametrize("lost", [None, 0, 3, 39])
def test_a_brief_tree_has_a_leaf_for_each_segment_and_tells_the_same(lost: int | None) -> None:
    """Info lines of thousands of segments need their APDU, not the addresses of each; no error is lost."""
    frames = segments(COMMAND + GET * 3, 1)
    octets = b"".join(one for number, one in enumerate(frames) if number != lost)
    whole, brief = decode_hdlc(octets), decode_hdlc(octets, Context(brief=True))
    assert summarise(brief) == summarise(whole)
    assert brief.problems == whole.problems
    check_tiles(brief)
    assert sum(not field.children for field in walk(brief.root)) < len(frames) + 60


def test_two_bodies_glued_together() -> None:
    """The frame that says 25 octets and has 36: the body that the length is of is decoded, the rest named."""
    octets = bytes.fromhex("7ea01903215833 14e6e600c001c1002a0001010000ffc001c1002a0001010000ff050090af7e")
    decoded = decode_hdlc(octets)
    check_tiles(decoded)
    messages = [problem.message for problem in decoded.problems]
    assert messages[0] == "the length field at offset 1 says 25 octets, 36 stand between the flags"
    assert "11 octets at offset 11" in messages[1]
    assert "two bodies are glued together" in messages[1]
    assert len(messages) == 2
    assert find(decoded.root, "information", "glued octets").value.hex() == "c001c1002a0001010000ff"
    assert find(decoded.root, "information", "get-request", "attribute-descriptor", "attribute-id").value == 5


def test_what_is_longer_than_its_length_field_and_has_no_llc() -> None:
    """It is no body that another is glued to: nothing is taken apart."""
    info = "010203c001c1002a0001010000ffc001c1002a0001010000ff0500"
    decoded = decode_hdlc(bytes.fromhex(f"7ea0190321583314{info}7f577e"))
    check_tiles(decoded)
    assert [field.value.hex() for field in named(decoded, "segment")] == [info]
    assert "expected LLC octets" in decoded.problems[-1].message
    assert not named(decoded, "LLC")


def test_a_wrong_check_sequence_is_named() -> None:
    """Expected and found are said, and the octets are still shown."""
    octets = bytearray(frame(i_control(0), COMMAND + GET))
    octets[-2] ^= 0xFF
    decoded = decode_hdlc(bytes(octets))
    check_tiles(decoded)
    (problem,) = decoded.problems
    found = int.from_bytes(octets[-3:-1], "little")
    wanted = found ^ 0xFF00
    assert problem.message.endswith(f"expected 0x{wanted:04X}, found 0x{found:04X}")
    assert (problem.start, problem.stop) == (len(octets) - 3, len(octets) - 1)
    assert named(decoded, "get-request")


def test_a_cut_frame_shows_its_header() -> None:
    """What is there of a cut frame is read as far as its header check sequence goes."""
    decoded = decode_hdlc(frame(i_control(1), COMMAND + GET)[:15])
    check_tiles(decoded)
    assert "octets end inside the HDLC frame" in decoded.problems[0].message
    assert first(decoded.root, "control").text == "I, N(S) 1, N(R) 0, P/F"
    assert first(decoded.root, "undecoded").stop == 15


def test_frame_reject() -> None:
    """FRMR says which control field was refused and why."""
    decoded = decode_hdlc(frame(0x97, bytes([0x10, 0x30, 0x08]), destination=b"\x21", source=b"\x03"))
    check_tiles(decoded)
    assert first(decoded.root, "reasons").text == "Z: N(R) is wrong"
    assert first(decoded.root, "rejected control field").text.startswith("I, N(S) 0")


@pytest.mark.parametrize(
    "information", [b"", b"\x81\x80", b"\x81\x80\x05", b"\x81\x80\x03\x05\x09\x01", b"\x00"]
)
def test_broken_parameters(information: bytes) -> None:
    """Parameters that break end in a problem and an undecoded field."""
    decoded = decode_hdlc(frame(0x73, information, destination=b"\x21", source=b"\x03"))
    check_tiles(decoded)
    assert decoded.problems


def test_long_addresses() -> None:
    """A server address of four octets: logical and physical device, and who is who without LLC octets."""
    decoded = decode_hdlc(frame(0x11, destination=b"\x00\x02\x7e\xfd"))
    check_tiles(decoded)
    address = find(decoded.root, "destination address")
    assert address.value == (1, 0x3F << 7 | 0x7E)
    assert "physical device 8190" in address.text
    assert (
        decode_hdlc(frame(0x11, destination=b"\x02\xfd"))
        .root.children[2]
        .text.endswith("physical device 126 (CALLING physical device)")
    )


@settings(max_examples=200)
@given(st.data())
def test_anything_is_decoded_and_tiled(data: st.DataObject) -> None:
    """Frames, damaged frames and noise: never an exception, every octet in one leaf."""
    parts = data.draw(
        st.lists(
            st.binary(max_size=20)
            | st.sampled_from(
                [SNRM, UA, *segments(RESPONSE + ANSWER, 5), frame(0x10, COMMAND + GET + GET, length=25)]
            ),
            max_size=5,
        )
    )
    octets = bytearray(b"".join(parts))
    for _ in range(data.draw(st.integers(0, 3))):
        if octets:
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    check_tiles(decode_hdlc(bytes(octets)))
    check_tiles(decode_llc(bytes(octets)))


# Real captures.


def test_every_frame_of_the_captures_is_decoded() -> None:
    """Trees of all HDLC payloads: tiled, and problems only in the two frames that are known to be wrong."""
    wrong = []
    for name in ("original_data.pcapng", "data7.pcapng", "udp-hdlc.pcap"):
        for row in table_of(shared(f"captures/{name}"))[1]:
            if row.payload[:1] == b"\x7e":
                decoded = decode_hdlc(row.payload)
                check_tiles(decoded)
                if any(problem.severity == "error" for problem in decoded.problems):
                    wrong.append((name, len(row.payload)))
    assert wrong == [("data7.pcapng", 38), ("udp-hdlc.pcap", 70)]


def test_data_units_of_iec_61334_4_32() -> None:
    """The ten datagrams that begin with 90 are recognised, named, and their APDUs decoded."""
    found = []
    for row in table_of(shared("captures/udp-hdlc.pcap"))[1]:
        if row.payload[:1] == b"\x90":
            assert recognise(row.payload) is Layer.LLC
            decoded = decode_octets(row.payload)
            check_tiles(decoded)
            assert decoded.root.name == "IEC 61334-4-32 LLC"
            found.append(decoded.root.children[-1].name)
    assert found == [
        "AARQ",
        "exception-response",
        "AARQ",
        "AARE",
        "event-notification-request",
        "set-request",
        "set-response",
        "action-request",
        "action-response",
        "RLRQ",
    ]


def test_one_octet_too_few_for_both_check_sequences() -> None:
    """Found by fuzzing: header and 3 octets, so that HCS and FCS would share one."""
    octets = bytes.fromhex("7ea848032130f068807e")
    decoded = decode_hdlc(octets)
    check_tree(decoded, octets)
    assert any("expected HCS and FCS at offset 6" in problem.message for problem in decoded.problems)


def test_a_frame_pasted_without_its_flags() -> None:
    """Octets that are a frame to the last check sequence are one, though no flag stands around them."""
    octets = frame(i_control(0), COMMAND + GET)[1:-1]
    decoded = decode_octets(octets)
    check_tree(decoded, octets)
    assert at(decoded.root, "information/get-request/attribute-descriptor").value.class_id == 3
    assert [(problem.severity, problem.message) for problem in decoded.problems] == [
        ("warning", "the frame stands without its flags (7E)")
    ]
    assert decode_octets(frame(0x93)[1:-1]).root.name == "HDLC frame"
    broken = octets[:-1] + bytes([octets[-1] ^ 1])
    assert decode_octets(broken).root.name != "HDLC frame"


@pytest.mark.parametrize(
    ("octets", "layer"),
    [
        ("90 0102 c4", Layer.LLC),
        ("90 0102", Layer.APDU),
        ("90 0102 77", Layer.APDU),
        ("91 0102 c4", Layer.APDU),
        ("77 0102 c4", Layer.APDU),
        ("90", Layer.APDU),
    ],
)
def test_what_is_a_data_unit_of_iec_61334_4_32(octets: str, layer: Layer) -> None:
    """Its first octet, and the tag of an APDU behind two addresses."""
    assert (recognise(bytes.fromhex(octets)) is Layer.LLC) == (layer is Layer.LLC)


@pytest.mark.parametrize(("tag", "name"), [(0xC0, "get-request"), (0xC4, "get-response"), (0x77, "")])
def test_a_first_segment_says_with_which_apdu_it_begins(tag: int, name: str) -> None:
    """By its tag, where that is one."""
    parts = segments(RESPONSE + bytes([tag]) + bytes(30), 12)
    decoded = decode_hdlc(b"".join(parts[:2]))
    told = [field.text for field in named(decoded, "segment")]
    assert told == [f"begins {name}" if name else ""]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_number_of_frames_is_told(count: int) -> None:
    """One by its own name, several with their number."""
    decoded = decode_hdlc((frame(0x73) + b"\x7e" * 3) * count)
    texts = {1: decoded.root.text, 2: "2 frames", 3: "3 frames"}
    assert decoded.root.text == texts[count]
    assert len(named(decoded, "HDLC frame")) == count
