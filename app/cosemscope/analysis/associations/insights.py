"""Insights are looks and info lines of row after row, for whole captures.

    insights = Insights(analysis, keys)
    looks = insights.looks(rows)

Rows are walked in order, so that responses know their requests and values their units. Info lines are made
from brief trees, and those of APDUs that come again and again are remembered. Memory is bounded, however
long the capture.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.context import Context
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from cosemscope.streams.tables.framing import Framing

#: Info lines that are remembered, and octets of their APDUs, all together and of one.
_REMEMBERED = 1 << 14
_MOST_OCTETS = 8 << 20
_LONGEST = 2048
#: Ciphered APDUs with one APDU in clear inside and nothing else.
_ENVELOPES = frozenset((*t.GLO_SERVICES, *t.DED_SERVICES, t.GENERAL_GLO, t.GENERAL_DED))


class Insights:
    """Insights into the rows of an analysis, in order; see the module. For the thread that steps."""

    def __init__(self, analysis: Analysis, keys: KeyTable = NO_KEYS) -> None:
        self._analysis = analysis
        self._associations = Associations(analysis, keys)
        self._remembered: dict[tuple[Any, ...], str] = {}
        self._octets = 0
        self._next = 0

    def looks(self, rows: npt.NDArray[np.int64]) -> list[Look]:
        """A look at each of these rows, ascending and after those that were asked for before."""
        if not len(rows):
            return []
        start, self._next = self._next, int(rows[-1]) + 1
        looks = [look for _, look in self._associations.walk(self._next)]
        return looks if len(looks) == len(rows) else [looks[row] for row in (rows - start).tolist()]

    def infos(self, rows: npt.NDArray[np.int64], looks: list[Look]) -> list[str]:
        """The info line of each of these rows."""
        tags = self._analysis.wpdus["apdu_tag"][rows].tolist()
        return [self._info(*row) for row in zip(rows.tolist(), tags, looks, strict=True)]

    def _info(self, row: int, tag: int, known: Look) -> str:
        plain, context, opening = known.plain, known.context, known.opening
        if not plain or context.joined is not None:
            return self._told(row, known)
        # What stands around an APDU does not matter to its info line, except that it was ciphered.
        if opening is None and known.inner < 0 and plain[0] == tag:
            return self._line(plain, context)
        if opening is not None and plain is opening.plaintext and tag in _ENVELOPES:
            line = self._line(plain, context)
            whole = f"{line} [{t.APDU_TAGS[tag]}]"
            if not line.startswith("BROKEN") and len(whole) <= MAX_LENGTH:
                return whole
        return self._told(row, known)

    def _line(self, apdu: bytes, context: Context) -> str:
        """The info line of an APDU in clear; that of a short one is remembered."""
        if len(apdu) > _LONGEST:
            return _summary(apdu, context)
        references = context.request.references if context.request is not None else ()
        scaler_unit = context.scaler_unit
        units = tuple(map(scaler_unit, references)) if scaler_unit is not None else ()
        key = (apdu, references, units)
        info = self._remembered.get(key)
        if info is None:
            info = _summary(apdu, context)
            self._octets += len(apdu)
            if len(self._remembered) >= _REMEMBERED or self._octets > _MOST_OCTETS:
                self._remembered.clear()
                self._octets = len(apdu)
            self._remembered[key] = info
        return info

    def _told(self, row: int, known: Look) -> str:
        """The info line out of the whole row, with what was opened or joined."""
        framing = Framing(self._analysis.wpdus["framing"].item(row))
        brief = _brief(known.context)
        return summarise(decode_framed(self._analysis.octets(row), framing, brief), brief)


def _summary(apdu: bytes, context: Context) -> str:
    brief = _brief(context)
    return summarise(decode_apdu(apdu, brief), brief)


def _brief(context: Context) -> Context:
    return Context(
        context.request, context.opener, context.verifier, context.scaler_unit, context.joined, brief=True
    )
