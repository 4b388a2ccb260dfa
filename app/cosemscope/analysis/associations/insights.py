"""Insights are looks and info lines of row after row, for whole captures.

    insights = Insights(analysis, keys)
    looks = insights.looks(rows)

Rows are walked in order, so that responses know their requests and values their units. Info lines are made
from brief trees, and those of APDUs that come again and again are remembered. Memory is bounded, however
long the capture.
"""

from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import AnyLook, Look, QuietLook
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.data.data_reader import fixed_teller
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from cosemscope.streams.tables.framing import Framing

#: Info lines that are remembered, and octets of their APDUs, all together and of one.
_REMEMBERED = 1 << 14
_MOST_OCTETS = 8 << 20
_LONGEST = 2048
#: Rows that are walked at once.
_WALKED = 4096
#: A response to a GET: the number 0.
_ZERO = b"\xc4\x01\xc1\x00\x11\x00"
#: Services with an invoke-id in their third octet.
_WITH_INVOKE_ID = frozenset(
    (t.GET_REQUEST, t.SET_REQUEST, t.ACTION_REQUEST, t.GET_RESPONSE, t.SET_RESPONSE, t.ACTION_RESPONSE)
)
#: Ciphered APDUs with one APDU in clear inside and nothing else.
_ENVELOPES = frozenset((*t.GLO_SERVICES, *t.DED_SERVICES, t.GENERAL_GLO, t.GENERAL_DED))


class Insights:
    """Insights into the rows of an analysis, in order; see the module. For the thread that steps."""

    def __init__(
        self, analysis: Analysis, keys: KeyTable = NO_KEYS, *, beside: Associations | None = None
    ) -> None:
        """With `beside` rows are walked once more than these associations have done, whose keys it takes."""
        self._analysis = analysis
        keys = keys if beside is None else beside.keys
        self._associations = Associations(analysis, keys, beside=beside)
        self._remembered: dict[tuple[Any, ...], str] = {}
        self._octets = 0
        self._next = 0
        #: by the identity of a look, and tag
        self._quiet_lines: dict[tuple[int, int], QuietLines] = {}

    def looks(self, rows: npt.NDArray[np.int64]) -> list[AnyLook]:
        """A look at each of these rows, ascending and after those that were asked for before."""
        found: list[AnyLook] = []
        stop = int(rows[-1]) + 1 if len(rows) else 0
        while self._next < stop:  # rows between those that are wanted may be many
            start, self._next = self._next, min(self._next + _WALKED, stop)
            looks = self._associations.walk_lightly(self._next)
            first, last = np.searchsorted(rows, (start, self._next)).tolist()
            wanted = rows[first:last]
            found += looks if len(looks) == len(wanted) else [looks[at] for at in (wanted - start).tolist()]
        return found

    def infos(self, rows: npt.NDArray[np.int64], looks: list[AnyLook]) -> list[str]:
        """The info line of each of these rows."""
        lines: list[str] = []
        for part in self._analysis.wpdus.parts(rows):
            lines += self._infos(rows[part], looks[part])
            octets = sum(one.octets for one in self._quiet_lines.values())
            if len(self._quiet_lines) > _REMEMBERED or octets > _MOST_OCTETS:
                self._quiet_lines.clear()
        return lines

    def _infos(self, rows: npt.NDArray[np.int64], looks: list[AnyLook]) -> list[str]:
        lines, tags = np.empty(len(rows), object), self._analysis.wpdus["apdu_tag"][rows]
        quiet = np.fromiter((isinstance(look, QuietLook) for look in looks), np.bool_, len(looks))
        for place in np.flatnonzero(~quiet).tolist():
            lines[place] = self._loud(rows.item(place), tags.item(place), looks[place])
        apdus = np.empty(len(rows), object)
        apdus[quiet] = np.fromiter(self._analysis.apdus_of(rows[quiet]), object)
        # Invariant: `order` has the quiet rows of each look and tag together, and `kinds` tells them apart.
        kinds = np.fromiter(map(id, looks), np.int64, len(looks)) << 8 | tags
        order = np.flatnonzero(quiet)
        order = order[np.argsort(kinds[order], kind="stable")]
        edges = np.flatnonzero(np.diff(kinds[order], prepend=-1, append=-1)).tolist()
        for same in (order[start:stop] for start, stop in pairwise(edges)):
            told = self._quiet(looks[same[0]], tags.item(same[0])).lines(apdus[same].tolist())
            lines[same] = np.fromiter(told, object, len(told))
        found: list[str] = lines.tolist()
        return found

    def _quiet(self, look: AnyLook, tag: int) -> "QuietLines":
        """The lines of quiet rows with this look and tag."""
        assert isinstance(look, QuietLook)  # the row is quiet
        key = id(look), tag
        found = self._quiet_lines.get(key)
        if found is None or found.look is not look:
            found = self._quiet_lines[key] = QuietLines(look, tag)
        return found

    def _loud(self, row: int, tag: int, known: Look) -> str:
        plain, context, opening = known.plain, known.context, known.opening
        if not plain or context.joined is not None:
            return self._told(row, known)
        # What stands around an APDU does not matter to its info line, except that it was ciphered.
        if known.is_bare(tag):
            return self._line(plain, known)
        if opening is not None and plain is opening.plaintext and tag in _ENVELOPES:
            line = self._line(plain, known)
            whole = f"{line} [{t.APDU_TAGS[tag]}]"
            if not line.startswith("BROKEN") and len(whole) <= MAX_LENGTH:
                return whole
        return self._told(row, known)

    def _line(self, apdu: bytes, known: Look) -> str:
        """The info line of an APDU in clear; that of a short one is remembered.

        Not where the request named more than the APDU can tell of: each of its blocks would cost that.
        """
        context = known.context
        references = context.request.references if context.request is not None else ()
        if not len(references) <= len(apdu) <= _LONGEST:
            return _summary(apdu, known)
        scaler_unit = context.scaler_unit
        units = tuple(map(scaler_unit, references)) if scaler_unit is not None else ()
        # Invoke-ids are in no line.
        key = (apdu[:2], apdu[3:] if apdu[0] in _WITH_INVOKE_ID else apdu[2:], references, units)
        info = self._remembered.get(key)
        if info is None:
            info = _summary(apdu, known)
            self._octets += len(apdu)
            if len(self._remembered) >= _REMEMBERED or self._octets > _MOST_OCTETS:
                self._remembered.clear()
                self._octets = len(apdu)
            self._remembered[key] = info
        return info

    def _told(self, row: int, known: Look) -> str:
        """The info line out of the whole row, with what was opened or joined."""
        framing = Framing(self._analysis.wpdus["framing"].item(row))
        context = known.context.for_brief_tree()
        return summarise(decode_framed(self._analysis.octets(row), framing, context), context)


class QuietLines:
    """Info lines of quiet rows with this look and tag, which differ by what stands behind the invoke-id.

    A value of a fixed size is put behind the beginning that all lines of values with the look have. Other
    lines are remembered; `octets` are those of their APDUs.
    """

    def __init__(self, look: QuietLook, tag: int) -> None:
        self.look = look
        self.octets = 0
        self._known: dict[bytes, str] = {}
        self._tells_values = tag == t.GET_RESPONSE
        self._tell = fixed_teller(look.reference, look.scaler_unit)

    def lines(self, apdus: list[bytes]) -> list[str]:
        """The info line of each of these APDUs."""
        known, made = self._known, self._made
        return [known.get(apdu[3:]) or made(apdu) for apdu in apdus]

    def _made(self, apdu: bytes) -> str:
        said = apdu[3:]
        if self._tells_values and said[:1] == b"\0":
            value = self._tell(said, 1)
            if value is not None and self._beginning and len(self._beginning) + len(value) <= MAX_LENGTH:
                return self._beginning + value
        line = _summary(apdu, self.look)
        if len(apdu) <= _LONGEST:
            self._known[said] = line
            self.octets += len(apdu)
        return line

    @cached_property
    def _beginning(self) -> str:
        """The beginning of the lines of values: that of a 0; "" where they do not end with the value."""
        line, value = _summary(_ZERO, self.look), self._tell(_ZERO, 4)
        return line.removesuffix(f"{value}") if line.endswith(f" = {value}") else ""


def _summary(apdu: bytes, look: AnyLook) -> str:
    """The info line of an APDU in clear, out of a brief tree."""
    context = look.context.for_brief_tree()
    return summarise(decode_apdu(apdu, context), context)
