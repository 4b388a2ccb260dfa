"""All tables of a fleet by their names, that of captures last, and the rows of a capture in each."""

from collections.abc import Callable
from typing import Any

from cosemscope.analysis.fleet.rows.fleet_captures import CAPTURES
from cosemscope.analysis.fleet.rows.fleet_columns import FleetTable
from cosemscope.analysis.fleet.rows.fleet_exchanges import (
    ASSOCIATIONS,
    EXCHANGES,
    association_rows,
    exchange_rows,
)
from cosemscope.analysis.fleet.rows.fleet_items import ITEMS, ItemRows
from cosemscope.analysis.fleet.rows.fleet_sessions import SESSIONS, SessionRows
from cosemscope.analysis.fleet.rows.fleet_values import VALUES, ValueRows
from cosemscope.analysis.fleet.rows.taken_capture import TakenCapture

#: Tables of which a capture has any number of rows, and what makes these.
TOLD: tuple[tuple[FleetTable[Any], Callable[[TakenCapture], Any]], ...] = (
    (SESSIONS, SessionRows),
    (ASSOCIATIONS, association_rows),
    (EXCHANGES, exchange_rows),
    (ITEMS, ItemRows),
    (VALUES, ValueRows),
)
TABLES: dict[str, FleetTable[Any]] = {table.name: table for table, _ in TOLD} | {CAPTURES.name: CAPTURES}
