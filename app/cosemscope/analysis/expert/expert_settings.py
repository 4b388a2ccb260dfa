"""Settings of expert information, out of a TOML file: other severities, kinds switched off, the threshold.

[severity]
not-released = "warning"
ports-reused = "off"

[threshold]
answer = 2.5        # seconds without an answer that count as late, and as none
"""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert import run  # noqa: F401 -- declares all kinds
from cosemscope.streams.tables.expert_items import KINDS, Severity, rate

_SECOND = 1_000_000_000
_OFF = "off"
_MOST = 1 << 20
_LEVELS: dict[str, Severity | None] = {**{severity.word: severity for severity in Severity}, _OFF: None}


class ExpertSettingsError(Exception):
    """Why a file holds no settings of expert information, in a sentence."""


class ExpertSettings(NamedTuple):
    """What a file says: severities by kind, None for off; `patience` in ns, None where it says nothing."""

    severities: dict[str, Severity | None]
    patience: int | None = None

    def apply(self, analysis: Analysis) -> None:
        """Rate the kinds so from now on, and give the analysis its threshold."""
        for word, severity in self.severities.items():
            rate(word, severity)
        if self.patience is not None:
            analysis.patience = self.patience


def load_expert_settings(path: str | Path) -> ExpertSettings:
    """Read a file of settings. Raises ExpertSettingsError."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MOST + 1)
        if len(text) > _MOST:
            raise ExpertSettingsError(f"{path}: a file of settings has at most {_MOST:,} octets.")
        told = tomllib.loads(text.decode())
    except OSError as error:
        raise ExpertSettingsError(f"{path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExpertSettingsError(f"{path} is no TOML file: {error}.") from None
    unknown = sorted(told.keys() - {"severity", "threshold"})
    if unknown:
        raise ExpertSettingsError(f"{path}: [{unknown[0]}] is not known; [severity] and [threshold] are.")
    severities = _table(path, told, "severity")
    return ExpertSettings(
        {word: _level(path, word, level) for word, level in severities.items()},
        _patience(path, _table(path, told, "threshold")),
    )


def _table(path: str | Path, told: dict[str, Any], name: str) -> dict[str, Any]:
    table = told.get(name, {})
    if not isinstance(table, dict):
        raise ExpertSettingsError(f"{path}: {name} is a table, as in [{name}].")
    return table


def _level(path: str | Path, word: str, level: Any) -> Severity | None:
    if word not in KINDS:
        near = get_close_matches(word, KINDS, 1)
        hint = f"; perhaps {near[0]} is meant" if near else ""
        raise ExpertSettingsError(f"{path}: there is no kind {word} of expert items{hint}.")
    if level not in _LEVELS:
        raise ExpertSettingsError(f"{path}: {word} is {', '.join(_LEVELS)}, not {level!r}.")
    return _LEVELS[level]


def _patience(path: str | Path, table: dict[str, Any]) -> int | None:
    unknown = sorted(table.keys() - {"answer"})
    if unknown:
        raise ExpertSettingsError(f"{path}: there is no threshold {unknown[0]}; answer is one.")
    seconds = table.get("answer")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 1e6:
        raise ExpertSettingsError(f"{path}: the threshold answer is a number of seconds, not {seconds!r}.")
    return int(seconds * _SECOND)
