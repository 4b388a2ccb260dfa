"""What is known of a whole capture once its WPDUs are paired, worked out once until there is more traffic.

    facts = capture_facts(analysis)
    facts.statuses, facts.own_times, ...

Fields, checks and commands read the same columns; each is worked out when somebody asks for it first.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.connection_ends import ConnectionEnds
from cosemscope.analysis.exchanges.statuses import statuses
from cosemscope.analysis.outcomes.association_details import (
    AssociationDetails,
    association_details,
    details_of,
)
from cosemscope.analysis.outcomes.association_security import AssociationSecurity, association_security
from cosemscope.analysis.outcomes.association_table import AssociationTable, association_table
from cosemscope.analysis.outcomes.block_times import BlockTimes, block_times
from cosemscope.analysis.outcomes.connection_outcomes import ConnectionOutcomes, connection_outcomes
from cosemscope.analysis.outcomes.packet_order import PacketOrder
from cosemscope.analysis.outcomes.resent_segments import Resent, resent
from cosemscope.analysis.outcomes.round_trips import OwnTimes, RoundTrips, own_times, round_trips
from cosemscope.apdu.context import RefusedItem
from cosemscope.capture.columns import Array, stable_order

Numbers = npt.NDArray[np.int64]


class CaptureFacts:
    """Facts of a capture as of now, by exchange, stream or association."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._growing = analysis.pair()
        self.table = self._growing.as_of_now()
        self.of: Array = self.table.of["exchange"].copy()
        self.count = len(self.table)
        self._packets = len(analysis.packets)
        self._details: dict[int, AssociationDetails] = {}

    def is_current(self) -> bool:
        """Whether no traffic has come since."""
        analysis = self._analysis
        same = self._growing is analysis.exchanges and len(self.of) == len(analysis.first_look)
        return same and self._packets == len(analysis.packets)

    @cached_property
    def ends(self) -> ConnectionEnds:
        """The FIN and RST packets of all streams."""
        analysis = self._analysis
        return ConnectionEnds(analysis.packets, analysis.packet_streams, analysis.streams)

    @cached_property
    def last_time(self) -> int:
        """The time of the capture's last packet, ns since the epoch; 0 of an empty one."""
        return int(self._analysis.packets["time"][self._packets - 1]) if self._packets else 0

    @property
    def known_statuses(self) -> npt.NDArray[np.uint8] | None:
        """The statuses, if somebody has asked for them already."""
        return self.__dict__.get("statuses")

    @cached_property
    def statuses(self) -> npt.NDArray[np.uint8]:
        """The ExchangeStatus of each exchange, uint8[n]."""
        return statuses(self.table, self._analysis.wpdus, self.ends, self.last_time, self._analysis.patience)

    @cached_property
    def objects(self) -> dict[str, Array]:
        """`class_id` (-1 none), `obis`, `member` of what each exchange is about.

        Of a list that is the first item, or the first that was refused, as far as a walk has found that.
        """
        found = {name: self.table[name].copy() for name in ("class_id", "obis", "member")}
        for row, items in list(self._analysis.refused.items()):
            exchange = int(self.of[row]) if row < len(self.of) else -1
            reference = items[0].reference if items else None
            if reference is None or exchange < 0 or self.table["last_response"][exchange] != row:
                continue
            found["class_id"][exchange], found["member"][exchange] = reference.class_id, reference.member
            found["obis"][exchange] = int.from_bytes(reference.instance, "big")
        return found

    def refused_items(self, exchange: int) -> tuple[RefusedItem, ...]:
        """The items of a list that an exchange asked for and that were refused, as far as a walk has come."""
        return self._analysis.refused.get(int(self.table["last_response"][exchange]), ())

    # Timing.

    @cached_property
    def packet_order(self) -> PacketOrder:
        """The packets of each stream behind one another."""
        analysis = self._analysis
        return PacketOrder(analysis.packets, analysis.packet_streams, analysis.streams)

    @cached_property
    def round_trips(self) -> RoundTrips:
        """The round trips between the point of capture and both ends of each stream."""
        return round_trips(self.packet_order, self._analysis.streams, self._analysis.expert_items)

    @cached_property
    def own_times(self) -> OwnTimes:
        """The answerer's share of each response time."""
        return own_times(self.table, self.round_trips, self.resent.asked_until)

    @cached_property
    def resent(self) -> Resent:
        """What was sent again in each exchange, and what that cost."""
        analysis = self._analysis
        return resent(self.packet_order, analysis.expert_items, analysis.wpdus, self.table, self.round_trips)

    def block_times(self, exchanges: Numbers) -> BlockTimes:
        """The times within these exchanges, ascending; of those without blocks there are none."""
        exchanges = exchanges[self.table["blocks"][exchanges] > 0]
        stops, rows = self.rows_of(exchanges)
        owner = np.repeat(exchanges, np.diff(stops, prepend=0))
        return block_times(self._analysis.wpdus, self._analysis.first_look, owner, rows)

    # Associations.

    @cached_property
    def associations(self) -> AssociationTable:
        """The associations."""
        return association_table(self._analysis, self.table, self.statuses, self.ends, self.last_time)

    @cached_property
    def details(self) -> list[AssociationDetails]:
        """What AARQ and AARE of each association say. Raises CaptureError and OSError."""
        found = details_of(self._analysis, self.table, self.associations, np.arange(len(self.associations)))
        self._details = dict(enumerate(found))
        return found

    def detail(self, association: int) -> AssociationDetails:
        """What its AARQ and AARE say; read once. Raises CaptureError and OSError."""
        known = self._details.get(association)
        if known is None:
            known = association_details(self._analysis, self.table, self.associations, association)
            self._details[association] = known
        return known

    @cached_property
    def association_security(self) -> AssociationSecurity:
        """The security of each association."""
        analysis, associations = self._analysis, self.associations
        of = np.where(self.of >= 0, np.append(associations.of, -1)[self.of], -1)
        from_client = analysis.sent_by_client(slice(0, len(of)))
        return association_security(len(associations), of, analysis.first_look, analysis.hls, from_client)

    @cached_property
    def outcomes(self) -> ConnectionOutcomes:
        """The outcome of each stream, and its first cause."""
        return connection_outcomes(self._analysis, self.table, self.statuses, self.associations, self.ends)

    # WPDUs.

    @cached_property
    def _sorted(self) -> tuple[Numbers, Numbers]:
        """WPDU rows with the rows of each exchange together, and where those of each begin."""
        order = stable_order(self.of)
        return order, np.searchsorted(self.of[order], np.arange(self.count + 1))

    def exchanges_of(self, rows: Numbers) -> Numbers:
        """The exchanges that these WPDU rows are part of, once each, ascending."""
        used = np.zeros(self.count, np.bool_)
        of = self.of[rows]
        used[of[of >= 0]] = True
        return np.flatnonzero(used)

    def rows_of(self, exchanges: Numbers) -> tuple[Numbers, Numbers]:
        """Stops and values of `Several`: the WPDU rows of each of these exchanges, in their order."""
        order, starts = self._sorted
        counts = starts[exchanges + 1] - starts[exchanges]
        stops = np.cumsum(counts)
        within = np.arange(int(stops[-1]) if len(stops) else 0) - np.repeat(stops - counts, counts)
        return stops, order[np.repeat(starts[exchanges], counts) + within]


_NAME = "facts"


def known_facts(analysis: Analysis) -> CaptureFacts | None:
    """The facts that were worked out last, of what the capture was then; None before. Costs nothing."""
    known = analysis.derived.get(_NAME)
    return known if isinstance(known, CaptureFacts) else None


def capture_facts(analysis: Analysis) -> CaptureFacts:
    """The facts of an analysis as of now."""
    known = analysis.derived.get(_NAME)
    if not isinstance(known, CaptureFacts) or not known.is_current():
        analysis.derived.pop(_NAME, None)  # before the next are made
        known = CaptureFacts(analysis)
        analysis.derived[_NAME] = known
    return known
