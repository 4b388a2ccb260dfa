"""Mutants that change nothing, judged one by one in `judged.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.places import Mutant

#: Module inside the package, its line before and after.
_Key = tuple[str, str, str]


@dataclass(frozen=True)
class Judgement:
    """The mutants that were judged to change nothing, with the reasons."""

    package: Path
    reasons: dict[_Key, str]

    @classmethod
    def read(cls, package: Path, path: Path) -> "Judgement":
        """The judgement in a file; raises ValueError where an entry lacks a part or stands there twice."""
        reasons: dict[_Key, str] = {}
        for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", ()):
            try:
                key = (entry["module"], entry["was"], entry["becomes"])
                reason = entry["because"]
            except KeyError as part:
                raise ValueError(f"{path}: an entry lacks {part}: {entry}") from None
            if key in reasons:
                raise ValueError(f"{path}: judged twice: {key}")
            reasons[key] = reason
        return cls(package, reasons)

    def of(self, mutant: Mutant) -> str | None:
        """Why a mutant changes nothing; None where nobody judged so."""
        module = mutant.module.relative_to(self.package).as_posix()
        return self.reasons.get((module, mutant.was, mutant.becomes))

    def stale(self) -> list[_Key]:
        """The entries whose line is no longer in its module."""
        texts: dict[str, set[str]] = {}
        for module, _, _ in self.reasons:
            path = self.package / module
            lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
            texts[module] = {line.strip() for line in lines}
        return [key for key in self.reasons if key[1] not in texts[key[0]]]
