"""The operating system's key store, for users who ask for it: keys are kept there and nowhere else.

`keyring` is an optional library; without it, or without a store on this system, `why_not` says so. What is
stored is a key file's text in pieces, since some stores take about a thousand characters each.
"""

import importlib
from typing import Any

from cosemscope.analysis.keys.key_table import KeyFileError, KeyTable

SERVICE = "Cosemscope"
_COUNT = "keys"
_PIECE = 1000
_MOST = 4096


class KeyStoreError(Exception):
    """The key store did not do what it was asked to; the message says why, and shows no key."""


def why_not() -> str:
    """Why keys cannot be kept in this system's key store; "" where they can."""
    try:
        keyring = importlib.import_module("keyring")
        priority = float(keyring.get_keyring().priority)
    except ImportError:
        return "the library keyring is not installed (pip install 'cosemscope[keyring]')"
    except Exception as reason:  # whatever a store's back end raises
        return f"this system's key store cannot be used ({type(reason).__name__})"
    return "" if priority >= 1 else "this system has no key store that keyring can use"


def save(table: KeyTable) -> None:
    """Keep this table, in place of what was kept. Raises KeyStoreError."""
    keyring = _keyring()
    text = table.text()
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    if len(pieces) > _MOST:
        raise KeyStoreError("these are too many keys for a key store: keep them in a file")
    forget()
    for number, piece in enumerate(pieces):
        _ask(keyring.set_password, SERVICE, f"{_COUNT} {number}", piece)
    _ask(keyring.set_password, SERVICE, _COUNT, str(len(pieces)))


def load() -> KeyTable:
    """The table that was kept; an empty one when there is none. Raises KeyStoreError."""
    keyring = _keyring()
    pieces = [
        _ask(keyring.get_password, SERVICE, f"{_COUNT} {number}") or "" for number in range(_kept(keyring))
    ]
    if not pieces:
        return KeyTable()
    problem = ""
    try:
        return KeyTable.parse("".join(pieces), "the key store")
    except KeyFileError as reason:
        problem = str(reason)
    raise KeyStoreError(problem)


def forget() -> None:
    """Remove what was kept. Raises KeyStoreError."""
    keyring = _keyring()
    count = _kept(keyring)
    names = [f"{_COUNT} {number}" for number in range(count)]
    for name in [*names, _COUNT] if count else ():
        if _ask(keyring.get_password, SERVICE, name) is not None:
            _ask(keyring.delete_password, SERVICE, name)


def _keyring() -> Any:
    reason = why_not()
    if reason:
        raise KeyStoreError(f"keys cannot be kept: {reason}")
    return importlib.import_module("keyring")


def _kept(keyring: Any) -> int:
    """Number of pieces."""
    count = _ask(keyring.get_password, SERVICE, _COUNT)
    return min(int(count), _MOST) if isinstance(count, str) and count.isdigit() else 0


def _ask(function: Any, *words: str) -> Any:
    """Call the store; its own exceptions are not passed on, since they might quote what they were given."""
    problem = ""
    try:
        return function(*words)
    except Exception as reason:  # a store's back end may raise anything
        problem = type(reason).__name__
    raise KeyStoreError(f"the key store refused ({problem}): is it locked?")
