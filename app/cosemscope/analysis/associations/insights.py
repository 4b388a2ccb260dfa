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

from cosemscope.analysis.associations.association import AnyLook, Look, QuietLook
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.context import Context, Request
from cosemscope.apdu.data.data_reader import fixed_text
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets

#: Info lines that are remembered, and octets of their APDUs, all together and of one.
_REMEMBERED = 1 << 14
_MOST_OCTETS = 8 << 20
_LONGEST = 2048
#: Octets of a GET request without selective access.
_BARE_GET = 13
#: Services with an invoke-id in their third octet.
_WITH_INVOKE_ID = frozenset(
    (t.GET_REQUEST, t.SET_REQUEST, t.ACTION_REQUEST, t.GET_RESPONSE, t.SET_RESPONSE, t.ACTION_RESPONSE)
)
#: Ciphered APDUs with one APDU in clear inside and nothing else.
_ENVELOPES = frozenset((*t.GLO_SERVICES, *t.DED_SERVICES, t.GENERAL_GLO, t.GENERAL_DED))


#: By the identity of a request: the request itself, and words.
_OfRequests = dict[int, tuple[Any, str | None]]
_NOTHING = None, None


class Insights:
    """Insights into the rows of an analysis, in order; see the module. For the thread that steps."""

    def __init__(self, analysis: Analysis, keys: KeyTable = NO_KEYS) -> None:
        self._analysis = analysis
        self._associations = Associations(analysis, keys)
        self._remembered: dict[tuple[Any, ...], tuple[Request | None, str]] = {}
        self._octets = 0
        self._next = 0
        #: lines of bare GETs, and beginnings of the lines of values that answer a request
        self._request_lines: _OfRequests = {}
        self._beginnings: _OfRequests = {}

    def looks(self, rows: npt.NDArray[np.int64]) -> list[AnyLook]:
        """A look at each of these rows, ascending and after those that were asked for before."""
        if not len(rows):
            return []
        start, self._next = self._next, int(rows[-1]) + 1
        looks = self._associations.walk_lightly(self._next)
        return looks if len(looks) == len(rows) else [looks[row] for row in (rows - start).tolist()]

    def infos(self, rows: npt.NDArray[np.int64], looks: list[AnyLook]) -> list[str]:
        """The info line of each of these rows."""
        if not len(rows):
            return []
        wpdus, lines, quiet, loud = self._analysis.wpdus, self._request_lines, self._quiet, self._loud
        octets = self._analysis.octets_of(rows)
        tags, framings = (wpdus[name][rows].tolist() for name in ("apdu_tag", "framing"))
        bare = ((wpdus["apdu_tag"][rows] == t.GET_REQUEST) & (wpdus["length"][rows] == _BARE_GET)).tolist()
        infos = []
        for row, tag, framing, is_bare, look, whole in zip(
            rows.tolist(), tags, framings, bare, looks, octets, strict=True
        ):
            if isinstance(look, Look):
                infos.append(loud(row, tag, look))
                continue
            # A GET without selective access says nothing but its object, which its request is.
            known, info = lines.get(id(look.request), _NOTHING) if is_bare else _NOTHING
            if info is None or known is not look.request:
                info = quiet(apdu_octets(whole, framing), look)
                if is_bare:
                    _keep(lines, look.request, info)
            infos.append(info)
        return infos

    def _quiet(self, apdu: bytes, look: QuietLook) -> str:
        """The info line of a request or response for one attribute.

        Of responses to the same request only the values differ, and with them the ends of their lines.
        """
        request, scaler_unit = look
        if apdu[0] != t.GET_RESPONSE or apdu[3] != 0:
            return self._quiet_line(apdu, look)
        reference = request.references[0] if request is not None and request.references else None
        value = fixed_text(apdu[4:], reference, scaler_unit)
        if value is None:
            return self._quiet_line(apdu, look)
        known, beginning = self._beginnings.get(id(request), (self, None))  # of whom nothing was asked
        if known is not request:
            line = self._quiet_line(apdu, look)
            beginning = line.removesuffix(value) if line.endswith(f" = {value}") else None
            _keep(self._beginnings, request, beginning)
        if beginning is None or len(beginning) + len(value) > MAX_LENGTH:
            return self._quiet_line(apdu, look)
        return beginning + value

    def _loud(self, row: int, tag: int, known: Look) -> str:
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
        """The info line of an APDU in clear; that of a short one is remembered.

        Not where the request named more than the APDU can tell of: each of its blocks would cost that.
        """
        references = context.request.references if context.request is not None else ()
        if not len(references) <= len(apdu) <= _LONGEST:
            return _summary(apdu, context)
        scaler_unit = context.scaler_unit
        units = tuple(map(scaler_unit, references)) if scaler_unit is not None else ()
        # Invoke-ids are in no line.
        key = (apdu[:2], apdu[3:] if apdu[0] in _WITH_INVOKE_ID else apdu[2:], references, units)
        _, info = self._remembered.get(key, _NOTHING)
        return info or self._remember(key, None, apdu, context)

    def _quiet_line(self, apdu: bytes, look: QuietLook) -> str:
        """The same by the identity of its request: where it comes again, nothing of that is read."""
        request, scaler_unit = look
        if len(apdu) > _LONGEST:
            return _summary(apdu, look.context)
        key = id(request), scaler_unit, apdu[:2], apdu[3:]
        known, info = self._remembered.get(key, _NOTHING)
        if info is None or known is not request:
            return self._remember(key, request, apdu, look.context)
        return info

    def _remember(self, key: tuple[Any, ...], request: Request | None, apdu: bytes, context: Context) -> str:
        info = _summary(apdu, context)
        self._octets += len(apdu)
        if len(self._remembered) >= _REMEMBERED or self._octets > _MOST_OCTETS:
            self._remembered.clear()
            self._octets = len(apdu)
        self._remembered[key] = request, info
        return info

    def _told(self, row: int, known: Look) -> str:
        """The info line out of the whole row, with what was opened or joined."""
        framing = Framing(self._analysis.wpdus["framing"].item(row))
        brief = _brief(known.context)
        return summarise(decode_framed(self._analysis.octets(row), framing, brief), brief)


def _keep(lines: _OfRequests, request: Request | None, line: str | None) -> None:
    if len(lines) >= _REMEMBERED:
        lines.clear()
    lines[id(request)] = request, line


def _summary(apdu: bytes, context: Context) -> str:
    brief = _brief(context)
    return summarise(decode_apdu(apdu, brief), brief)


def _brief(context: Context) -> Context:
    return Context(
        context.request, context.opener, context.verifier, context.scaler_unit, context.joined, brief=True
    )
