"""Places come back in their order, from whoever keeps them."""

from cosemscope.gui.base.settings import Option, Settings
from cosemscope.gui.frame.places import KeptPlace, Places

FIRST, SECOND = Option("test/first", b"", "One place"), Option("test/second", b"", "Another place")


def test_what_was_remembered_is_taken_back_in_order(qapp, settings: Settings):
    """The next window's places get what this one's told, those kept first at first."""
    told: list[tuple[str, bytes]] = []

    def place(option: Option[bytes], state: bytes) -> KeptPlace:
        return KeptPlace(option, lambda: state, lambda kept: told.append((option.key, kept)))

    places = Places(settings)
    places.keep(place(FIRST, b"one"), place(SECOND, b"two"))
    assert told == [("test/first", b""), ("test/second", b"")]
    places.remember()
    told.clear()
    Places(settings).keep(place(SECOND, b""), place(FIRST, b""))
    assert told == [("test/second", b"two"), ("test/first", b"one")]
