"""An entry of the user's keys: whom it is for, and its keys, in the words that key files and the window have.

These say whom an entry is for; it must fit in all that it says, and one that says nothing is tried for all:

    system_title   8 octets in hex: the device's (or the head end's) system title
    address        an IP address, with a port or not, or a network: "198.51.100.7", "[2001:db8::7]:4059",
                   "198.51.100.0/24"
    wport          a wPort of either side, 0 to 65535

and these are keys, in hex (spaces, colons and 0x are let be):

    encryption, authentication, broadcast, dedicated, master   16 octets (suites 0 and 1) or 32 (suite 2)
    hls_secret                                of HLS mechanisms 2, 3, 4 and 6; or hls_secret_text
    signing_private, agreement_private,       scalar or DER; or PEM; or the path of such a file
    ephemeral_private
    signing_public, agreement_public          point x, y, or DER; or PEM; a certificate; or a path
    curve                                     "P-256" or "P-384", where a scalar's size deceives

`name` is what messages call it. No message, `repr` or exception of this module shows an octet of a key.
"""

import functools
import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.security.key_rings import KEY_SIZES
from cosemscope.apdu.security.key_sets import KeySet, point_octets, private_key, public_key
from cosemscope.capture.packets.flows import Endpoint

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class KeyFileError(Exception):
    """A key file that cannot be used; the message names file, line and entry, never an octet of a key."""


class KeyEntry(NamedTuple):
    """Keys and whom they are for; None: does not matter. The system title is that of `keys`."""

    keys: KeySet
    network: Network | None = None
    port: int | None = None
    wport: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any], label: str = "key", folder: Path | None = None) -> "KeyEntry":
        """An entry out of the fields of a `[[key]]` table; paths count from `folder`.

        Raises KeyFieldError, which names the field.
        """
        unknown = next((name for name in fields if name not in KNOWN_FIELDS), None)
        if unknown is not None:
            # What stands there may be a key in the wrong place.
            shown = unknown if re.fullmatch(r"[A-Za-z_]{1,24}", unknown) else "a name"
            raise KeyFieldError(unknown, f"is not known; known are {', '.join(KNOWN_FIELDS)}", shown)
        reader = _Reader(fields, folder)
        found: dict[str, Any] = {name: read(reader, name) for name, read in _KEYS.items() if name in fields}
        if "hls_secret_text" in fields:
            found["hls_secret"] = reader.text("hls_secret_text").encode()
        if not found:
            raise KeyFieldError("", "holds no key")
        title = reader.octets("system_title", (TITLE_SIZE,)) if "system_title" in fields else None
        network, port = reader.address("address") if "address" in fields else (None, None)
        wport = reader.number("wport", 0xFFFF) if "wport" in fields else None
        name = reader.text("name") if "name" in fields else _label(label, fields)
        return cls(KeySet(name, title, **found), network, port, wport)

    def text(self) -> str:
        """The `[[key]]` table that makes this entry, keys included: for key files and key stores only."""
        keys = self.keys
        name = json.dumps(keys.label, ensure_ascii=False).replace("\x7f", "\\u007f")
        lines = [f"name = {name}"]
        if keys.title is not None:
            lines.append(f'system_title = "{keys.title.hex()}"')
        if self.network is not None:
            whole = self.network.prefixlen == self.network.max_prefixlen
            host = str(self.network.network_address if whole else self.network)
            lines.append(f'address = "{_with_port(host, self.port)}"')
        if self.wport is not None:
            lines.append(f"wport = {self.wport}")
        for name in keys.holds():
            octets = _key_octets(getattr(keys, name))
            lines.append(f'{name} = "{octets.hex()}"')
        return "\n".join(["[[key]]", *lines]) + "\n"

    def rank(
        self, titles: Sequence[bytes | None], endpoints: Sequence[Endpoint], wports: Sequence[int]
    ) -> int:
        """How well it fits an association: -1 not at all; a title weighs most, then address, then wPort."""
        rank = 0
        if self.keys.title is not None:
            if self.keys.title in titles:
                rank += 4
            elif None not in titles:
                return -1
        if self.network is not None:
            if not any(self._is_at(endpoint) for endpoint in endpoints):
                return -1
            rank += 2
        if self.wport is not None:
            if self.wport not in wports:
                return -1
            rank += 1
        return rank

    def _is_at(self, endpoint: Endpoint) -> bool:
        if self.port is not None and self.port != endpoint.port:
            return False
        address = _parsed(endpoint.address)
        return self.network is not None and address is not None and address in self.network


class KeyFieldError(ValueError):
    """What is wrong with one field of an entry; `field` is its name, "" where it is the entry as a whole."""

    def __init__(self, field: str, message: str, shown: str | None = None) -> None:
        super().__init__(f"{field if shown is None else shown} {message}".strip())
        self.field = field


# Fields.


class _Reader:
    """Reads the fields of one `[[key]]` table; raises KeyFieldError, which never shows what stands there."""

    def __init__(self, fields: Mapping[str, Any], folder: Path | None) -> None:
        self._fields = fields
        self._folder = folder

    def text(self, name: str) -> str:
        value = self._fields[name]
        if not isinstance(value, str) or not value.strip():
            raise KeyFieldError(name, "must be text in quotes")
        return value.strip()

    def number(self, name: str, most: int) -> int:
        value = self._fields[name]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise KeyFieldError(name, f"must be a number from 0 to {most}")
        return value

    def octets(self, name: str, sizes: Sequence[int] = ()) -> bytes:
        found = hex_octets(self.text(name))
        wanted = " or ".join(map(str, sizes)) or "some"
        if found is None:
            raise KeyFieldError(name, f"must be {wanted} octets in hex; other characters stand there")
        if sizes and len(found) not in sizes:
            raise KeyFieldError(name, f"must be {wanted} octets in hex, it has {len(found)}")
        return found

    def symmetric(self, name: str) -> bytes:
        return self.octets(name, (KEY_SIZES[0], KEY_SIZES[-1]))

    def private(self, name: str) -> Any:
        curve = self.text("curve") if "curve" in self._fields else ""
        return self._elliptic(name, lambda octets: private_key(octets, curve))

    def public(self, name: str) -> Any:
        return self._elliptic(name, public_key)

    def _elliptic(self, name: str, read: Callable[[bytes], Any]) -> Any:
        text = self.text(name)
        octets = text.encode() if "-----BEGIN" in text else hex_octets(text, odd=True)
        if octets is None:
            octets = self._file(name, text)
        problem = ""
        try:
            return read(octets)
        except ValueError as reason:
            problem = str(reason)
        raise KeyFieldError(name, problem)

    def _file(self, name: str, text: str) -> bytes:
        path = (self._folder or Path()) / text
        try:
            if len(text) < 1024 and path.stat().st_size <= 1 << 16:
                octets = path.read_bytes()
                return (
                    octets
                    if b"-----BEGIN" in octets
                    else hex_octets(octets.decode("latin-1"), odd=True) or octets
                )
        except (OSError, ValueError):
            pass
        raise KeyFieldError(name, "is neither hex nor PEM nor the path of a file that can be read")

    def address(self, name: str) -> tuple[Network, int | None]:
        text = self.text(name)
        match = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?|([^:]+):(\d{1,5})|(.+)", text)
        host, port = text, None
        if match is not None:
            host = match[1] or match[3] or match[5]
            port = match[2] or match[4]
        try:
            network = ipaddress.ip_network(host, strict=False)
        except ValueError:
            network = None
        if network is None or (port is not None and int(port) > 0xFFFF):
            raise KeyFieldError(
                name, 'must be an IP address ("198.51.100.7"), with a port or not, or a network'
            )
        return network, int(port) if port is not None else None


_KEYS: dict[str, Callable[[_Reader, str], Any]] = {
    **dict.fromkeys(("encryption", "authentication", "broadcast", "dedicated", "master"), _Reader.symmetric),
    "hls_secret": _Reader.octets,
    **dict.fromkeys(("signing_private", "agreement_private", "ephemeral_private"), _Reader.private),
    **dict.fromkeys(("signing_public", "agreement_public"), _Reader.public),
}
KNOWN_FIELDS = ("name", "system_title", "address", "wport", *_KEYS, "hls_secret_text", "curve")


def _key_octets(key: Any) -> bytes:
    """A key as the file takes it: octets, DER of a private key, point of a public one."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return point_octets(key) if isinstance(key, ec.EllipticCurvePublicKey) else bytes(key)


def _with_port(host: str, port: int | None) -> str:
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _label(label: str, fields: Mapping[str, Any]) -> str:
    """What messages call an entry without a name: its number, and whom it is for."""
    told = [str(fields[name]) for name in ("system_title", "address") if name in fields]
    if "wport" in fields:
        told.append(f"wPort {fields['wport']}")
    return f"{label} ({', '.join(told)})" if told else label


def hex_octets(text: str, *, odd: bool = False) -> bytes | None:
    """Octets in hex; None when it is none. `odd`: a leading zero may be left out, as in numbers."""
    digits = re.sub(r"[\s:\-_]", "", text.strip())
    digits = digits[2:] if digits[:2] in ("0x", "0X") else digits
    if not digits or not re.fullmatch(r"[0-9A-Fa-f]+", digits) or (len(digits) % 2 and not odd):
        return None
    return bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))


@functools.lru_cache(4096)
def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
