"""The sample captures: remade to the octet, described, small, and sound."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.traffic_samples import CAPTURES, KEY_FILES, SAMPLES, make
from tests.helpers.tshark import tshark

FILES = sorted([*CAPTURES, *KEY_FILES])


def test_every_sample_is_made_again_to_the_octet(tmp_path: Path) -> None:
    """What the project ships is what its generator makes: nobody edits or captures a sample by hand."""
    make(tmp_path)
    shipped = {path.name for path in SAMPLES.iterdir()} - {"README.md"}
    assert shipped == set(FILES)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes(), name


def test_samples_are_small_and_described() -> None:
    """They travel in every installer, and the README says what is in each."""
    assert sum((SAMPLES / name).stat().st_size for name in FILES) < 300_000
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in FILES if f"`{name}`" not in text] == []
    for name, made in CAPTURES.items():
        (line,) = (line for line in text.splitlines() if line.startswith(f"| `{name}`"))
        assert f"| {len(made().packets())} " in line


@pytest.mark.parametrize("name", sorted(KEY_FILES))
def test_key_files_hold_keys_of_the_right_size(name: str) -> None:
    """Each key is for one system title, in hex, as the key table wants it."""
    keys = tomllib.loads((SAMPLES / name).read_text(encoding="utf-8"))["key"]
    assert len({key["system_title"] for key in keys}) == len(keys) >= 3
    for key in keys:
        assert [
            len(bytes.fromhex(key[field])) for field in ("system_title", "encryption", "authentication")
        ] == [
            8,
            16,
            16,
        ]


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_tshark_sees_sound_packets(name: str) -> None:
    """Checksums and lengths are right, as another program sees them."""
    assert tshark(SAMPLES / name, "-Y", "ip.checksum.status == 0 || tcp.checksum.status == 0") == []
    assert tshark(SAMPLES / name, "-Y", "udp.checksum.status == 0 || _ws.malformed") == []


def test_the_first_look_has_one_flaw() -> None:
    """Its one retransmission is there; nothing else about its TCP is out of order."""
    flagged = tshark(
        SAMPLES / "first-look.pcapng", "-Y", "tcp.analysis.flags", "-T", "fields",
        "-e", "tcp.analysis.retransmission",
    )  # fmt: skip
    assert flagged == ["1"]


def test_what_the_first_look_promises() -> None:
    """Rich in services: the start page's sample must show what Cosemscope can do."""
    truth = CAPTURES["first-look.pcapng"]().truth
    wanted = {
        0x60, 0x61, 0x62, 0x63, 0xC0, 0xC4, 0xC1, 0xC5, 0xC2, 0xC8, 0xC9, 0xCB, 0xCC, 0xCD, 0xCF,
        0xD8, 0xD9, 0xDA, 0xDB, 0x0F,
    }  # fmt: skip
    assert wanted - set(truth.apdu_tags) == set()
    assert truth.retransmissions == 1
    assert Counter(one.protocol for one in truth.wpdus)["udp"] == 6
    assert len({(one.source_wport, one.destination_wport) for one in truth.wpdus}) == 4
