"""The system's key store, by a stand-in for the library: kept, found, forgotten, refused in words."""

import sys
import types

import pytest

from cosemscope.analysis.keys import key_store
from cosemscope.analysis.keys.key_table import KeyTable

SECRET = "C0FFEE11C0FFEE22C0FFEE33C0FFEE44"


class Library(types.ModuleType):
    """A keyring of one store that is a dictionary, and takes no long values."""

    def __init__(self, priority: float = 5, fails: bool = False) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.priority = priority
        self.fails = fails

    def get_keyring(self) -> "Library":
        return self

    def set_password(self, service: str, name: str, value: str) -> None:
        if self.fails or len(value) > 1200:
            raise RuntimeError(f"refused {value}")
        self.kept[service, name] = value

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


def use(monkeypatch: pytest.MonkeyPatch, library: Library) -> Library:
    monkeypatch.setitem(sys.modules, "keyring", library)
    return library


def table(entries: int) -> KeyTable:
    return KeyTable.parse(
        "\n".join(f'[[key]]\nname = "{one}"\nencryption = "{SECRET}"' for one in range(entries))
    )


def test_keys_are_kept_found_again_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many entries go in pieces; fewer ones take the place of more; forgetting leaves nothing."""
    library = use(monkeypatch, Library())
    assert key_store.why_not() == ""
    assert len(key_store.load()) == 0
    key_store.save(table(60))
    assert len(library.kept) > 3
    assert key_store.load().text() == table(60).text()
    key_store.save(table(1))
    assert key_store.load().text() == table(1).text()
    assert len(library.kept) == 2
    key_store.forget()
    assert library.kept == {}


@pytest.mark.parametrize("after", range(6))
def test_a_store_that_refuses_midway_keeps_the_old_keys(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """A refusal at any step of saving loses neither the old keys nor the new ones."""
    library = use(monkeypatch, Library())
    key_store.save(table(20))
    steps = [0]

    def refuse_later(service: str, name: str, value: str) -> None:
        steps[0] += 1
        if steps[0] > after:
            raise RuntimeError(value)
        library.kept[service, name] = value

    monkeypatch.setattr(library, "set_password", refuse_later)
    try:
        key_store.save(table(30))
    except key_store.KeyStoreError:
        assert key_store.load().text() == table(20).text()
    else:
        assert key_store.load().text() == table(30).text()


def test_keys_of_the_first_versions_are_found_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store whose entry is a bare number of pieces is read, and cleared by the next save."""
    library = use(monkeypatch, Library())
    library.kept["Cosemscope", "keys"] = "1"
    library.kept["Cosemscope", "keys 0"] = table(1).text()
    assert key_store.load().text() == table(1).text()
    key_store.save(table(2))
    assert key_store.load().text() == table(2).text()
    assert ("Cosemscope", "keys 0") not in library.kept


def test_without_the_library_or_a_store_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Optional means that its absence is a sentence."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "not installed" in key_store.why_not()
    with pytest.raises(key_store.KeyStoreError, match="not installed"):
        key_store.save(table(1))
    use(monkeypatch, Library(priority=0))
    assert "no key store" in key_store.why_not()


def test_a_store_that_refuses_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A back end's exception may quote what it was given: it is not passed on, not even as a cause."""
    use(monkeypatch, Library(fails=True))
    with pytest.raises(key_store.KeyStoreError, match="refused") as raised:
        key_store.save(table(1))
    assert SECRET not in str(raised.value)
    assert raised.value.__context__ is None
    library = use(monkeypatch, Library())
    library.kept["Cosemscope", "keys"] = "1"
    library.kept["Cosemscope", "keys 0"] = f"damaged {SECRET}"
    with pytest.raises(key_store.KeyStoreError, match="no TOML") as raised:
        key_store.load()
    assert SECRET not in str(raised.value)
