"""Display filters that a person keeps: those with a name, and those used lately, as they are remembered."""

import json
from collections.abc import Mapping

#: How many used filters are remembered.
_USED = 30


class SavedFilters:
    """`named` has saved filters by name, in the order in which they were saved, `used` the latest first."""

    def __init__(self) -> None:
        self.named: dict[str, str] = {}
        self.used: list[str] = []

    def note(self, text: str) -> None:
        """`text` was used."""
        if text.strip():
            self.used = [text, *(other for other in self.used if other != text)][:_USED]

    def save(self, name: str, text: str) -> None:
        """Keep `text` under `name`; what had the name before goes."""
        self.named[name] = text

    def forget(self, name: str) -> None:
        """Take a saved filter away."""
        self.named.pop(name, None)

    def packed(self) -> bytes:
        """All of them, to be remembered; b"" for none."""
        if not (self.named or self.used):
            return b""
        return json.dumps({"named": self.named, "used": self.used}).encode()

    def unpack(self, packed: bytes) -> None:
        """Take back what was remembered; what does not fit counts as nothing."""
        self.named, self.used = {}, []
        try:
            kept = json.loads(packed)
        except ValueError:
            return
        if isinstance(kept, Mapping):
            named, used = kept.get("named"), kept.get("used")
            if isinstance(named, Mapping):
                self.named = {name: text for name, text in named.items() if isinstance(text, str)}
            if isinstance(used, list):
                self.used = [text for text in used if isinstance(text, str)][:_USED]
