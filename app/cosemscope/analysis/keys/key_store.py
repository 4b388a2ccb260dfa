"""The operating system's key store, for users who ask for it: keys are kept there and nowhere else.

`keyring` is an optional library; without it, or without a store on this system, `why_not` says so. What is
stored is a key file's text in pieces, since some stores take about a thousand characters each. One entry says
which pieces hold: new ones are written beside the old, and only then does it name them.
"""

import importlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from cosemscope.analysis.keys.key_entry import KeyFileError
from cosemscope.analysis.keys.key_table import KeyTable

SERVICE = "Cosemscope"
_ENTRY = "keys"
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


class _Kept(NamedTuple):
    """The pieces that hold: how many, and the letter of their set, "" in stores of the first versions."""

    pieces: int = 0
    letter: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the pieces, in their order."""
        return [f"{_ENTRY} {self.letter}{number}" for number in range(self.pieces)]


def save(table: KeyTable) -> None:
    """Keep this table, in place of what was kept: where the store refuses midway, that still holds.

    Raises KeyStoreError.
    """
    keyring = _keyring()
    text = table.text()
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    if len(pieces) > _MOST:
        raise KeyStoreError("these are too many keys for a key store: keep them in a file")
    old = _kept(keyring)
    new = _Kept(len(pieces), "b" if old.letter == "a" else "a")
    for name, piece in zip(new.names, pieces, strict=True):
        _ask(keyring.set_password, SERVICE, name, piece)
    _ask(keyring.set_password, SERVICE, _ENTRY, f"{new.letter}{new.pieces}")
    _remove(keyring, old.names)


def load() -> KeyTable:
    """The table that was kept; an empty one when there is none. Raises KeyStoreError."""
    keyring = _keyring()
    pieces = [_ask(keyring.get_password, SERVICE, name) or "" for name in _kept(keyring).names]
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
    kept = _kept(keyring)
    _remove(keyring, [*kept.names, _ENTRY] if kept.pieces else [])


def _remove(keyring: Any, names: Iterable[str]) -> None:
    for name in names:
        if _ask(keyring.get_password, SERVICE, name) is not None:
            _ask(keyring.delete_password, SERVICE, name)


def _keyring() -> Any:
    reason = why_not()
    if reason:
        raise KeyStoreError(f"keys cannot be kept: {reason}")
    return importlib.import_module("keyring")


def _kept(keyring: Any) -> _Kept:
    """The pieces that hold; none where nothing was kept."""
    told = _ask(keyring.get_password, SERVICE, _ENTRY)
    if not isinstance(told, str):
        return _Kept()
    count = told.lstrip("ab")
    return _Kept(min(int(count), _MOST), told[: len(told) - len(count)]) if count.isdigit() else _Kept()


def _ask(function: Any, *words: str) -> Any:
    """Call the store; its own exceptions are not passed on, since they might quote what they were given."""
    problem = ""
    try:
        return function(*words)
    except Exception as reason:  # a store's back end may raise anything
        problem = type(reason).__name__
    raise KeyStoreError(f"the key store refused ({problem}): is it locked?")
