"""Secrets of an association, by reference: out of a key file or the system's key store, a file, or typed.

They never stand on a command line, which others see and shells remember.
"""

import argparse
import dataclasses
import getpass
import ipaddress
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

from cosemscope.analysis.keys import key_store
from cosemscope.analysis.keys.key_entry import KeyEntry, KeyFileError
from cosemscope.analysis.keys.key_store import KeyStoreError
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.live.client.access_job import AccessJob
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.meter_access import MeterAccess
from cosemscope.live.client.saved_meters import SavedMeter, load_meters, meters_file
from cosemscope.live.links.addresses import parse_address

_MOST_PASSWORD = 256
_PASSWORD = "password"
_LLS, _ECDSA, _GMAC = 1, 7, 5
_SECRETS = (2, 3, 4, 6)


class SecretWords(NamedTuple):
    """Where secrets are: the words of options, or of a saved meter; none of them is a secret itself."""

    keys: Path | None = None
    key_store: bool = False
    key_name: str = ""
    own_key_name: str = ""
    password_file: Path | None = None
    ask_password: bool = False


def add_secret_arguments(parser: argparse.ArgumentParser) -> None:
    """`--keys`, `--key-store`, `--key`, `--own-key`, `--password-file`, `--ask-password`."""
    parser.add_argument("--keys", type=Path, metavar="KEYS.TOML", help="a file with the keys of the meter")
    parser.add_argument("--key-store", action="store_true", help="take them from the system's key store")
    parser.add_argument(
        "--key",
        dest="key_name",
        default="",
        metavar="NAME",
        help="the entry of that name; by default the one for the meter's title or address, or the only one",
    )
    parser.add_argument(
        "--own-key",
        dest="own_key_name",
        default="",
        metavar="NAME",
        help="the entry with the client's private key, for hls7 (default client)",
    )
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="the first line of FILE is the password or secret"
    )
    parser.add_argument("--ask-password", action="store_true", help="ask for it at the terminal")
    parser.add_argument(
        "--meters", type=Path, metavar="METERS.TOML", help="saved meters: HOST may be the name of one"
    )


def secret_words(arguments: argparse.Namespace) -> SecretWords:
    """What the options say."""
    return SecretWords(**{name: getattr(arguments, name) for name in SecretWords._fields})


def access_of(job: AccessJob, words: SecretWords) -> MeterAccess:
    """How to associate, with the secrets that are named. Raises CommandError, which shows none of them."""
    entries = _table(words).entries
    mechanism = job.mechanism
    needs_keys = mechanism > _LLS or job.ciphered != "none"
    keys = _for_meter(entries, job, words) if needs_keys or words.key_name else None
    password = _password(words, keys, entries, mechanism)
    if mechanism in _SECRETS and password:
        keys = _with_secret(keys, password)
    if needs_keys and keys is None:
        raise CommandError(f"--auth {job.auth} needs keys: name a file with them (--keys), or --key-store")
    own = None
    if mechanism == _ECDSA:
        own = _named(entries, words.own_key_name or _suited("client", job.suite, entries))
        if own is None or own.signing_private is None:
            raise CommandError("--auth hls7 needs an entry with the client's signing_private: --own-key NAME")
    try:
        return job.access(
            password=password, keys=keys or KeySet("no keys"), own=own or KeySet("no keys"), peer=_peer(keys)
        )
    except ValueError as reason:
        raise CommandError(str(reason)) from None


def _peer(keys: KeySet | None) -> KeySet:
    """What proves the meter's signatures: its public key, also where the file has its private one."""
    return KeySet("meter", signing_public=keys.signing_point) if keys is not None else KeySet("no keys")


def _table(words: SecretWords) -> KeyTable:
    try:
        table = KeyTable.load(words.keys) if words.keys is not None else NO_KEYS
        return table + key_store.load() if words.key_store else table
    except (KeyFileError, KeyStoreError) as error:
        raise CommandError(str(error)) from None


def _suited(name: str, suite: int, entries: tuple[KeyEntry, ...]) -> str:
    """The name with ", suite 2" behind it where such an entry is there, as key files of meters have it."""
    longer = f"{name}, suite {suite}"
    return longer if any(entry.keys.label == longer for entry in entries) else name


def _named(entries: tuple[KeyEntry, ...], name: str) -> KeySet | None:
    return next((entry.keys for entry in entries if entry.keys.label == name), None)


def _for_meter(entries: tuple[KeyEntry, ...], job: AccessJob, words: SecretWords) -> KeySet | None:
    """The keys for this meter: by name, by its title, by its address; or the only ones there are."""
    if words.key_name:
        found = _named(entries, words.key_name)
        if found is None:
            names = ", ".join(repr(entry.keys.label) for entry in entries) or "none"
            raise CommandError(f"there are no keys with the name {words.key_name!r}: there are {names}")
        return found
    if job.server_title is not None:
        titled = next((entry.keys for entry in entries if entry.keys.title == job.server_title), None)
        if titled is not None:
            return titled
    host, port = parse_address(job.address)
    for entry in entries:
        if entry.network is not None and _is_in(host, entry) and entry.port in (None, port):
            return entry.keys
    usual = _named(entries, _suited("meter", job.suite, entries))
    if usual is not None:
        return usual
    anybodys = [entry.keys for entry in entries if entry.network is None]
    if len(anybodys) > 1:
        names = ", ".join(repr(one.label) for one in anybodys)
        raise CommandError(f"which keys are the meter's? --key NAME says it: there are {names}")
    return anybodys[0] if anybodys else None


def _is_in(host: str, entry: KeyEntry) -> bool:
    try:
        return entry.network is not None and ipaddress.ip_address(host) in entry.network
    except ValueError:
        return False


def _password(
    words: SecretWords, keys: KeySet | None, entries: tuple[KeyEntry, ...], mechanism: int
) -> bytes:
    if words.password_file is not None:
        try:
            with words.password_file.open("rb") as file:
                return file.readline(_MOST_PASSWORD).rstrip(b"\r\n")
        except OSError as error:
            raise CommandError(f"{words.password_file} cannot be read: {error.strerror or error}") from None
    if words.ask_password:
        try:
            return getpass.getpass("Password of the meter: ").encode()
        except EOFError:
            raise CommandError("no password was typed: name a file with it (--password-file)") from None
    if mechanism != _LLS:
        return b""
    named = keys or _named(entries, _PASSWORD)
    if named is None and len(entries) == 1:
        named = entries[0].keys
    if named is None or named.hls_secret is None:
        raise CommandError(
            "--auth lls needs a password: --password-file FILE, --ask-password, or a key file with an entry "
            f'"{_PASSWORD}" and its hls_secret_text'
        )
    return named.hls_secret


def _with_secret(keys: KeySet | None, secret: bytes) -> KeySet:
    return dataclasses.replace(keys or KeySet("typed"), hls_secret=secret)


def saved_or_typed(job: AccessJob, words: SecretWords, file: Path | None) -> tuple[AccessJob, SecretWords]:
    """What is saved of the meter that the address names, under what was typed; as typed where none is saved.

    Raises CommandError.
    """
    try:
        saved = load_meters(file if file is not None else meters_file())
        if file is not None and not saved:
            raise CommandError(f"{file} has no saved meters")
    except MeterError as error:
        raise CommandError(str(error)) from None
    if job.address not in saved:
        return job, words
    return _under(saved[job.address], job, words)


def _under(saved: SavedMeter, job: AccessJob, words: SecretWords) -> tuple[AccessJob, SecretWords]:
    typed = {
        one.name: getattr(job, one.name)
        for one in fields(AccessJob)
        if one.name != "address" and getattr(job, one.name) != one.default
    }
    nothing, kept = SecretWords(), secrets_of(saved)
    told = {name: value for name, value in words._asdict().items() if value != getattr(nothing, name)}
    return dataclasses.replace(saved.access, **typed), kept._replace(**told)


def secrets_of(saved: SavedMeter) -> SecretWords:
    """Where the secrets of a saved meter are."""
    names = {"key": "key_name", "own-key": "own_key_name"}
    return SecretWords(
        **{names.get(name, name.replace("-", "_")): value for name, value in saved.secrets.items()}
    )
