"""Insights are looks and info lines of row after row, for whole captures.

    insights = Insights(analysis, keys)
    looks = insights.looks(rows)

Rows are walked in order, so that responses know their requests and values their units. Info lines are made
from brief trees, and those of APDUs that come again and again are remembered. Memory is bounded, however
long the capture.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import AnyLook, Look, QuietLook
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.context import Context
from cosemscope.apdu.data.data_reader import fixed_teller
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from cosemscope.streams.tables.framing import Framing

#: Info lines that are remembered, and octets of their APDUs, all together and of one.
_REMEMBERED = 1 << 14
_MOST_OCTETS = 8 << 20
_LONGEST = 2048
#: Requests by their tags.
_ASKS = np.zeros(257, np.bool_)
_ASKS[[t.GET_REQUEST, t.SET_REQUEST]] = True
#: Services with an invoke-id in their third octet.
_WITH_INVOKE_ID = frozenset(
    (t.GET_REQUEST, t.SET_REQUEST, t.ACTION_REQUEST, t.GET_RESPONSE, t.SET_RESPONSE, t.ACTION_RESPONSE)
)
#: Ciphered APDUs with one APDU in clear inside and nothing else.
_ENVELOPES = frozenset((*t.GLO_SERVICES, *t.DED_SERVICES, t.GENERAL_GLO, t.GENERAL_DED))


_NOTHING = None, None
#: A response to a GET: the number 0.
_ZERO = b"\xc4\x01\xc1\x00\x11\x00"
#: A look, how the lines of values begin that have it ("" where they do not end with the value), and what
#: tells the texts of values.
_Begun = tuple[QuietLook, str, Callable[[bytes, int], str | None]]


class Insights:
    """Insights into the rows of an analysis, in order; see the module. For the thread that steps."""

    def __init__(self, analysis: Analysis, keys: KeyTable = NO_KEYS) -> None:
        self._analysis = analysis
        self._associations = Associations(analysis, keys)
        self._remembered: dict[tuple[Any, ...], tuple[QuietLook | None, str]] = {}
        self._octets = 0
        self._next = 0
        #: by the identity of a look
        self._values: dict[int, _Begun] = {}

    def looks(self, rows: npt.NDArray[np.int64]) -> list[AnyLook]:
        """A look at each of these rows, ascending and after those that were asked for before."""
        if not len(rows):
            return []
        start, self._next = self._next, int(rows[-1]) + 1
        looks = self._associations.walk_lightly(self._next)
        return looks if len(looks) == len(rows) else [looks[row] for row in (rows - start).tolist()]

    def infos(self, rows: npt.NDArray[np.int64], looks: list[AnyLook]) -> list[str]:
        """The info line of each of these rows."""
        parts = self._analysis.wpdus.parts(rows)
        return [line for part in parts for line in self._infos(rows[part], looks[part])]

    def _infos(self, rows: npt.NDArray[np.int64], looks: list[AnyLook]) -> list[str]:
        tags = self._analysis.wpdus["apdu_tag"][rows]
        quiet = np.fromiter((isinstance(look, QuietLook) for look in looks), np.bool_, len(looks))
        asks = quiet & _ASKS[tags]
        answers = quiet & ~asks
        lines, apdus = np.empty(len(rows), object), np.empty(len(rows), object)
        looked = np.fromiter(looks, object, len(looks))
        apdus[quiet] = np.fromiter(self._analysis.apdus_of(rows[quiet]), object)
        loud = map(self._loud, rows[~quiet].tolist(), tags[~quiet].tolist(), looked[~quiet].tolist())
        lines[~quiet] = np.fromiter(loud, object)
        lines[asks] = np.fromiter(self._asked(apdus[asks].tolist(), looked[asks].tolist()), object)
        told = map(self._answered, apdus[answers].tolist(), looked[answers].tolist())
        lines[answers] = np.fromiter(told, object)
        found: list[str] = lines.tolist()
        return found

    def _asked(self, apdus: list[bytes], looks: list[QuietLook]) -> Iterator[str]:
        """The info lines of requests for one attribute, whose octets say all: equal ones are told once."""
        once = dict(zip(apdus, looks, strict=True))
        lines = {apdu: self._known(_key(apdu, look), look, apdu, look) for apdu, look in once.items()}
        return map(lines.__getitem__, apdus)

    def _answered(self, apdu: bytes, look: QuietLook) -> str:
        """The info line of a response for one attribute.

        Of responses with the same look only the values differ, and with them the ends of their lines.
        """
        service, result = apdu[:2], apdu[3:]
        known, info = self._remembered.get((id(look), service, result), _NOTHING)
        if info is not None and known is look:
            return info
        begun = self._values.get(id(look))
        if begun is None or begun[0] is not look:
            begun = self._begun(look)
        _, beginning, tell = begun
        value = tell(result, 1) if service == _ZERO[:2] and result[:1] == _ZERO[3:4] else None
        if value is None or not beginning or len(beginning) + len(value) > MAX_LENGTH:
            return self._known(_key(apdu, look), look, apdu, look)
        return beginning + value

    def _begun(self, look: QuietLook) -> _Begun:
        """The beginning that lines of values with this look have: that of a 0."""
        tell = fixed_teller(look.reference, look.scaler_unit)
        line, value = _summary(_ZERO, look.context), tell(_ZERO, 4)
        beginning = line.removesuffix(f"{value}") if line.endswith(f" = {value}") else ""
        if len(self._values) >= _REMEMBERED:
            self._values.clear()
        begun = self._values[id(look)] = look, beginning, tell
        return begun

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
            return _summary(apdu, context)
        scaler_unit = context.scaler_unit
        units = tuple(map(scaler_unit, references)) if scaler_unit is not None else ()
        # Invoke-ids are in no line.
        key = (apdu[:2], apdu[3:] if apdu[0] in _WITH_INVOKE_ID else apdu[2:], references, units)
        return self._known(key, None, apdu, known)

    def _known(self, key: tuple[Any, ...], of: QuietLook | None, apdu: bytes, look: AnyLook) -> str:
        """The info line under this key: remembered where it is `of` the same look, else made."""
        known, info = self._remembered.get(key, _NOTHING)
        if info is None or known is not of:
            info = _summary(apdu, look.context)
            if len(apdu) <= _LONGEST:
                self._octets += len(apdu)
                if len(self._remembered) >= _REMEMBERED or self._octets > _MOST_OCTETS:
                    self._remembered.clear()
                    self._octets = len(apdu)
                self._remembered[key] = of, info
        return info

    def _told(self, row: int, known: Look) -> str:
        """The info line out of the whole row, with what was opened or joined."""
        framing = Framing(self._analysis.wpdus["framing"].item(row))
        brief = _brief(known.context)
        return summarise(decode_framed(self._analysis.octets(row), framing, brief), brief)


def _key(apdu: bytes, look: QuietLook) -> tuple[int, bytes, bytes]:
    """What has the same key and the same look has the same line: invoke-ids are in none."""
    return id(look), apdu[:2], apdu[3:]


def _summary(apdu: bytes, context: Context) -> str:
    brief = _brief(context)
    return summarise(decode_apdu(apdu, brief), brief)


def _brief(context: Context) -> Context:
    return Context(
        context.request, context.opener, context.verifier, context.scaler_unit, context.joined, brief=True
    )
