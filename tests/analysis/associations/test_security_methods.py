"""Methods that concern security: answers to HLS challenges, keys that are transferred or agreed."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.opening import Verdict
from cosemscope.apdu.security.key_sets import KeySet, point_octets
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import CLIENT, METER, Ends, notes
from tests.helpers.protection import raw_signature
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION


def _short_names(base: int) -> Ends:
    """An association with short names, its object said to be at `base`, up to pass 2 of HLS."""
    ends = Ends()
    answer = a.initiate_response()[:-2] + base.to_bytes(2, "big")
    ends.up(a.aarq(context=2, mechanism=5, title=CLIENT, authentication=b"CtoS" * 4))
    ends.down(a.aare(answer, context=2, mechanism=5, title=METER, authentication=b"StoC" * 4))
    return ends


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize(
    ("asked", "answered"),
    [(b"\x05\x01\x04\xfa\x58\x01", b"\x0c\x01\x00"), (b"\x06\x01\x02\xfa\x58\x01", b"")],
)
def test_hls_answers_with_short_names_are_checked(right: bool, asked: bytes, answered: bytes) -> None:
    """Method 8 of the association object, read with its parameter, or written; plain or ciphered."""
    for sealed in (False, True):
        ends = _short_names(0xFA00)
        found = asked + a.octet_string(ends.own.gmac(b"StoC" * 4 if right else b"XtoC" * 4))
        look = ends.up(ends.own.glo(0x25 if asked[0] == 5 else 0x26, found) if sealed else found)
        assert ("f(StoC) of HLS-GMAC is right" if right else "f(StoC) of HLS-GMAC is wrong") in notes(look)
        if answered:
            found = answered + a.octet_string(ends.peer.gmac(b"CtoS" * 4 if right else b"XtoS" * 4))
            look = ends.down(ends.peer.glo(0x2C, found) if sealed else found)
            assert ("f(CtoS) of HLS-GMAC is right" if right else "f(CtoS) of HLS-GMAC is wrong") in notes(
                look
            )
            assert "HLS" not in notes(ends.down(found))


def test_short_names_of_other_objects_are_no_hls() -> None:
    """Another base, another name, something else read before the answer comes: nothing is checked."""
    reply = b"\x05\x01\x04\xfa\x58\x01" + a.octet_string(bytes(17))
    assert "HLS" not in notes(_short_names(0x0007).up(reply))
    ends = _short_names(0xFA00)
    assert "HLS" not in notes(ends.up(b"\x05\x01\x04\xfa\x50\x01" + a.octet_string(bytes(17))))
    assert "HLS" in notes(ends.up(reply))
    ends.up(b"\x05\x01\x02\xfa\x08")
    assert "HLS" not in notes(ends.down(b"\x0c\x01\x00" + a.octet_string(bytes(17))))
    for stop in range(len(reply)):
        assert "HLS" not in notes(_short_names(0xFA00).up(reply[:stop]))


@pytest.mark.parametrize("right", [True, False])
def test_hls_answers_are_checked(right: bool) -> None:
    """Pass 3 and 4 of HLS-GMAC in a ciphered association: right ones, and ones to another challenge."""
    ends = Ends()
    ends.associate()
    proof = ends.own.gmac(b"StoC" * 4 if right else b"other")
    sealed = ends.own.glo(0xCB, a.action_request(0xC1, 15, "0.0.40.0.0.255", 1, a.octet_string(proof)))
    look = ends.up(sealed)
    assert ("f(StoC) of HLS-GMAC is right" if right else "f(StoC) of HLS-GMAC is wrong") in notes(look)
    assert "not in this association" not in notes(look)
    counter_proof = ends.peer.gmac(b"CtoS" * 4 if right else b"other")
    sealed = ends.peer.glo(0xCF, a.action_response(0xC1, 0, a.octet_string(counter_proof)))
    look = ends.down(sealed)
    assert ("f(CtoS) of HLS-GMAC is right" if right else "f(CtoS) of HLS-GMAC is wrong") in notes(look)
    assert [note.severity for note in look.notes] == ["note" if right else "warning"]


def test_keys_that_are_transferred_hold_from_then_on() -> None:
    """Security setup's key_transfer: the master key opens the new keys, and they open what follows."""
    master, new, new_authentication = b"\x77" * 16, b"\x88" * 16, b"\x99" * 16
    keys = KeySet("meter", encryption=ENCRYPTION, authentication=AUTHENTICATION, master=master)
    for known in (keys, dataclasses.replace(keys, master=None)):
        ends = Ends(KeyTable([KeyEntry(known)]))
        ends.associate()
        data = a.array(
            *(a.structure(a.enum(number), a.octet_string(aes_key_wrap(master, key)))
              for number, key in ((0, new), (2, new_authentication)))
        )  # fmt: skip
        ends.up(ends.own.glo(0xCB, a.action_request(0xC1, 64, "0.0.43.0.0.255", 2, data)))
        look = ends.down(ends.peer.glo(0xCF, a.action_response(0xC1, 0)))
        renewed = a.Cipher(CLIENT, new, new_authentication, 0x900)
        after = ends.up(renewed.glo(0xC8, a.get_request(0xC1, 3, "1.0.1.8.0.255")))
        if known.master is None:
            assert "no master key opens it" in notes(look)
            assert after.verdict is Verdict.TAG_WRONG
        else:
            assert "a new encryption key is known" in notes(look)
            assert after.verdict is Verdict.OPENED
        text = repr((look, after, ends.association.learned)).lower()
        assert new.hex() not in text
        assert repr(new).lower() not in text


@pytest.mark.parametrize(
    ("number", "name"), [(0, "encryption"), (1, "broadcast"), (3, "master"), (9, "key 9")]
)
def test_keys_that_nobody_can_unwrap_are_named(number: int, name: str) -> None:
    """By what they are for, else by their number."""
    ends = Ends(KeyTable([KeyEntry(KeySet("meter", encryption=ENCRYPTION, authentication=AUTHENTICATION))]))
    ends.associate()
    wrapped = aes_key_wrap(b"\x77" * 16, b"\x88" * 16)
    data = a.array(a.structure(a.enum(number), a.octet_string(wrapped)))
    ends.up(ends.own.glo(0xCB, a.action_request(0xC1, 64, "0.0.43.0.0.255", 2, data)))
    look = ends.down(ends.peer.glo(0xCF, a.action_response(0xC1, 0)))
    assert f"the new {name} key is wrapped: no master key opens it" in notes(look)


@pytest.mark.parametrize("given_by", ["client", "server"])
def test_keys_that_are_agreed_hold_from_then_on(given_by: str) -> None:
    """Security setup's key_agreement: one ephemeral private key is enough."""
    curve = ec.SECP256R1()
    client, server, signer = (ec.derive_private_key(number, curve) for number in (101, 202, 303))
    own = client if given_by == "client" else server
    keys = KeySet("meter", encryption=ENCRYPTION, authentication=AUTHENTICATION, ephemeral_private=own)
    ends = Ends(KeyTable([KeyEntry(keys)]))
    ends.associate()

    def data(key: ec.EllipticCurvePrivateKey) -> bytes:
        point = point_octets(key.public_key())
        return a.array(a.structure(a.enum(0), a.octet_string(point + raw_signature(signer, point))))

    ends.up(ends.own.glo(0xCB, a.action_request(0xC1, 64, "0.0.43.0.0.255", 3, data(client))))
    look = ends.down(ends.peer.glo(0xCF, a.action_response(0xC1, 0, data(server))))
    assert "a new encryption key is known" in notes(look)
    from tests.apdu.security.test_key_agreement import kdf

    new = kdf(curve, client.exchange(ec.ECDH(), server.public_key()), CLIENT, METER)
    after = ends.up(
        a.Cipher(CLIENT, new, AUTHENTICATION, 0x900).glo(0xC8, a.get_request(1, 3, "1.0.1.8.0.255"))
    )
    assert after.verdict is Verdict.OPENED
