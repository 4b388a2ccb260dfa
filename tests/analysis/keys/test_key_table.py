"""The key table: what a file may hold, which entries are for whom, and messages that never show a key."""

import ipaddress
import os
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.keys.key_entry import KeyEntry, KeyFileError
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.security.key_sets import KeySet, point_octets
from cosemscope.capture.packets.flows import Endpoint
from cosemscope.resources import resource
from tests.helpers.traffic_samples import KEY_FILES, SAMPLES

KEY = "00112233445566778899AABBCCDDEEFF"
SECRET = "C0FFEE11C0FFEE22C0FFEE33C0FFEE44"
ONE, TWO = b"METER001", b"METER002"


def table(text: str) -> KeyTable:
    return KeyTable.parse(text, "keys.toml")


def labels(found: KeyTable, *about: Any) -> list[str]:
    return [keys.label for keys in found.select(*about).sets]


@pytest.mark.parametrize("path", [*(SAMPLES / name for name in KEY_FILES), resource("keys-example.toml")])
def test_the_key_files_that_are_shipped_load(path: Path) -> None:
    """The samples and the example of every field are what the table reads."""
    found = KeyTable.load(path)
    assert len(found) >= 3
    assert all(entry.keys.holds() for entry in found.entries)


def test_the_example_shows_every_kind_of_key() -> None:
    """The example stays complete enough to copy from."""
    text = resource("keys-example.toml").read_text(encoding="utf-8")
    for name in ("system_title", "address", "wport", "encryption", "authentication", "broadcast", "master"):
        assert f"\n{name} = " in text
    for name in ("dedicated", "hls_secret_text", "agreement_private", "signing_public"):
        assert f"\n{name} = " in text


def test_hex_is_read_as_people_write_it() -> None:
    """Spaces, colons, 0x and either case mean the same key."""
    forms = [KEY, KEY.lower(), f"0x{KEY}", ":".join(KEY[at : at + 2] for at in range(0, 32, 2)), f" {KEY} "]
    forms.append(" ".join(KEY[at : at + 4] for at in range(0, 32, 4)))
    for form in forms:
        (entry,) = table(f'[[key]]\nencryption = "{form}"').entries
        assert entry.keys.encryption == bytes.fromhex(KEY)


def test_entries_are_for_whom_they_say() -> None:
    """Every selector must fit; those that say most come first, those that say nothing last."""
    found = table(
        f'[[key]]\nname = "any"\nencryption = "{KEY}"\n'
        f'[[key]]\nname = "wport"\nwport = 1\nencryption = "{KEY}"\n'
        f'[[key]]\nname = "address"\naddress = "192.0.2.7"\nencryption = "{KEY}"\n'
        f'[[key]]\nname = "title"\nsystem_title = "{ONE.hex()}"\nencryption = "{KEY}"\n'
        f'[[key]]\nname = "other"\nsystem_title = "{TWO.hex()}"\nencryption = "{KEY}"\n'
        f'[[key]]\nname = "both"\nsystem_title = "{ONE.hex()}"\naddress = "192.0.2.7:4059"\n'
        f'encryption = "{KEY}"\n'
    )
    ends = (Endpoint("198.51.100.1", 50000), Endpoint("192.0.2.7", 4059))
    known = (ONE, b"CLIENT01")
    assert labels(found, known, ends, (16, 1)) == ["both", "title", "address", "wport", "any"]
    assert labels(found, known) == ["title", "any"]
    assert labels(found, (TWO, b"CLIENT01"), ends, (16, 17)) == ["other", "address", "any"]
    # A title that is not known rules nothing out, and comes after what fits.
    assert labels(found, (None, None), ends, (16, 1))[:2] == ["address", "both"]
    assert set(labels(found, (None, None))) == {"any", "title", "other"}
    assert found.select(known, ends, (16, 1)) is found.select(known, ends, (16, 1))


@pytest.mark.parametrize(
    ("address", "fitting", "other"),
    [
        ("192.0.2.7", ("192.0.2.7", 1), ("192.0.2.8", 1)),
        ("192.0.2.7:4059", ("192.0.2.7", 4059), ("192.0.2.7", 4060)),
        ("192.0.2.0/24", ("192.0.2.200", 9), ("192.0.3.1", 9)),
        ("2001:db8::7", ("2001:db8::7", 1), ("2001:db8::8", 1)),
        ("[2001:db8::7]:4059", ("2001:db8::7", 4059), ("2001:db8::7", 1)),
        ("2001:db8::/32", ("2001:db8:1::1", 1), ("192.0.2.7", 1)),
    ],
)
def test_addresses(address: str, fitting: tuple[str, int], other: tuple[str, int]) -> None:
    """An address, one with its port, and networks, of both families."""
    found = table(f'[[key]]\naddress = "{address}"\nencryption = "{KEY}"')
    assert labels(found, (None,), (Endpoint(*fitting),))
    assert not labels(found, (None,), (Endpoint(*other),))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f'[[key]]\nencryption = "{SECRET}00"', 2, "16 or 32 octets in hex, it has 17"),
        (f'[[key]]\n\nauthentication = "{SECRET[:-1]}g"', 3, "other characters"),
        (f'[[key]]\nencryption = "{KEY}"\n[[key]]\nmaster = "{SECRET}22"', 4, "key 2: master"),
        (f'[[key]]\nencryptoin = "{SECRET}"', 2, "encryptoin is not known; known are name"),
        (f'[[key]]\n{SECRET} = "x"', 2, "a name is not known"),
        (f'{SECRET} = 1\n[[key]]\nencryption = "{KEY}"', 1, "belongs into a [[key]] table"),
        (f'encryption = "{SECRET}"', 1, "belongs into a [[key]] table"),
        (f'[key]\nencryption = "{SECRET}"', 0, "begun by a line [[key]]"),
        (f"[[key]]\nencryption = {SECRET}", 2, "this is no TOML"),
        (f'[[key]]\nencryption = "{SECRET}', 0, "this is no TOML"),
        (f'[[key]]\nencryption = ["{SECRET}"]', 2, "text in quotes"),
        (f'[[key]]\nencryption = "{KEY}"\nsystem_title = "{SECRET}"', 3, "8 octets in hex, it has 16"),
        (f'[[key]]\nencryption = "{KEY}"\nwport = 65536', 3, "from 0 to 65535"),
        (f'[[key]]\nencryption = "{KEY}"\nwport = "1"', 3, "from 0 to 65535"),
        (f'[[key]]\nencryption = "{KEY}"\naddress = "meter.example"', 3, "IP address"),
        (f'[[key]]\nencryption = "{KEY}"\naddress = "192.0.2.1:99999"', 3, "IP address"),
        (f'[[key]]\nsigning_private = "{SECRET}.pem"', 2, "neither hex nor PEM nor the path"),
        ('[[key]]\nsigning_public = "0102"', 2, "no public key"),
        (f'[[key]]\nagreement_private = "{SECRET}"\ncurve = "P-1"', 2, "no private key"),
        ('[[key]]\nname = "empty"', 1, "holds no key"),
        ("", 0, "holds no [[key]] table"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_without_the_key(text: str, line: int, words: str) -> None:
    """File, line, entry and field; nothing of what stands there, not even in the chain of causes."""
    with pytest.raises(KeyFileError) as raised:
        table(text)
    message = str(raised.value)
    assert words in message
    assert message.startswith(f"keys.toml, line {line}" if line else "keys.toml")
    trace = "".join(traceback.format_exception(raised.value))
    for part in (SECRET, SECRET.lower(), SECRET[4:20]):
        assert part not in trace.replace(text, "")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, a folder, not text: each gets its sentence."""
    for name, words in (("missing.toml", "does not exist"), (".", "cannot be read")):
        with pytest.raises(KeyFileError, match=words):
            KeyTable.load(tmp_path / name)
    (tmp_path / "binary").write_bytes(bytes.fromhex(SECRET) * 3)
    with pytest.raises(KeyFileError, match="not UTF-8") as raised:
        KeyTable.load(tmp_path / "binary")
    assert raised.value.__context__ is None
    with (tmp_path / "large").open("wb") as file:
        file.truncate((16 << 20) + 1)
    with pytest.raises(KeyFileError, match="larger than 16 MiB"):
        KeyTable.load(tmp_path / "large")


def test_elliptic_keys_from_files_and_text(tmp_path: Path) -> None:
    """Scalars, points, PEM in the text, and files beside the key file."""
    key = ec.derive_private_key(77, ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "private.pem").write_bytes(pem)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.der").write_bytes(public)
    (tmp_path / "keys.toml").write_text(
        '[[key]]\nsigning_private = "private.pem"\nsigning_public = "public.der"\n'
        f"[[key]]\nagreement_private = '''{pem.decode()}'''\n"
        f'agreement_public = "{point_octets(key.public_key()).hex()}"\n'
        '[[key]]\nephemeral_private = "4d"\ncurve = "P-384"\n',
        encoding="utf-8",
    )
    first, second, third = (entry.keys for entry in KeyTable.load(tmp_path / "keys.toml").entries)
    numbers = key.public_key().public_numbers()
    for public_key in (first.signing_point, second.agreement_point, first.signing_public):
        assert public_key is not None
        assert public_key.public_numbers() == numbers
    assert third.ephemeral_private is not None
    assert third.ephemeral_private.curve.name == "secp384r1"


_OCTETS = st.sampled_from([16, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
_ENTRIES = st.builds(
    lambda label, title, keys, network, port, wport: KeyEntry(
        KeySet(label, title, **keys), network, port if network else None, wport
    ),
    st.text(min_size=1, max_size=20).filter(lambda text: text.strip() == text != ""),
    st.one_of(st.none(), st.binary(min_size=8, max_size=8)),
    st.dictionaries(
        st.sampled_from(["encryption", "authentication", "broadcast", "dedicated", "master"]),
        _OCTETS,
        min_size=1,
    ),
    st.one_of(st.none(), st.ip_addresses().map(lambda one: ipaddress.ip_network(one))),
    st.one_of(st.none(), st.integers(0, 65535)),
    st.one_of(st.none(), st.integers(0, 65535)),
)


@given(st.lists(_ENTRIES, min_size=1, max_size=4))
def test_a_table_becomes_text_and_again_a_table(entries: list[KeyEntry]) -> None:
    """What is put into a key store comes back as it was."""
    again = KeyTable.parse(KeyTable(entries).text()).entries
    assert [(one.network, one.port, one.wport) for one in again] == [
        (one.network, one.port, one.wport) for one in entries
    ]
    for one, other in zip(again, entries, strict=True):
        names = ("label", "title", *other.keys.holds())
        assert [getattr(one.keys, name) for name in names] == [getattr(other.keys, name) for name in names]


def test_elliptic_keys_become_text_and_again_keys() -> None:
    """Private and public keys too."""
    key = ec.derive_private_key(99, ec.SECP384R1())
    entry = KeyEntry(KeySet("meter", signing_private=key, agreement_public=key.public_key()))
    (again,) = KeyTable.parse(KeyTable([entry]).text()).entries
    assert again.keys.signing_private is not None
    assert again.keys.signing_private.private_numbers() == key.private_numbers()
    assert again.keys.agreement_public is not None
    assert again.keys.agreement_public.public_numbers() == key.public_key().public_numbers()


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_refused(text: str) -> None:
    """No key file raises anything else than its own error."""
    for start in ("", "[[key]]\n", f'[[key]]\nencryption = "{KEY}"\n'):
        with suppress(KeyFileError):
            table(start + text)


def test_tables_show_no_keys() -> None:
    """Neither a table nor its entries give a key away."""
    found = table(f'[[key]]\nencryption = "{SECRET}"\nauthentication = "{SECRET}"')
    shown = f"{found!r} {found.entries!r} {found.select()!r} {found.select().sets!r} {found.context()!r}"
    assert "encryption" in shown
    for form in (SECRET, SECRET.lower(), repr(bytes.fromhex(SECRET))):
        assert form not in shown


def test_ten_thousand_entries_are_selected_by_title() -> None:
    """A utility's whole key list: selecting one meter's keys looks at that meter's entries."""
    entries = [
        KeyEntry(KeySet(str(one), one.to_bytes(8, "big"), encryption=os.urandom(16))) for one in range(10_000)
    ]
    found = KeyTable(entries)
    assert labels(found, ((4711).to_bytes(8, "big"), b"CLIENT01")) == ["4711"]
    assert len(NO_KEYS) == 0


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_a_device_without_end_is_refused_in_a_sentence() -> None:
    """Its size says nothing: reading stops at the bound."""
    with pytest.raises(KeyFileError, match="larger than 16 MiB"):
        KeyTable.load("/dev/zero")
