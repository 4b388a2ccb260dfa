"""The table of exchanges: a row each, filled batch by batch in the order in which WPDUs were captured.

A row has the asker's object and invoke-id, the WPDU rows of request and responses, four times, octets and
blocks. How an exchange ended is not here: that depends on what comes after it (see `statuses`).
"""

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cosemscope.analysis.exchanges.exception_owners import ExceptionOwners
from cosemscope.analysis.exchanges.exchange_roles import Role
from cosemscope.analysis.exchanges.general_transfers import BlockPart, GeneralTransfers
from cosemscope.analysis.exchanges.pairing import PairedRows, Pairer, Pairing
from cosemscope.apdu.first_look import ApduKind
from cosemscope.capture.columns import Array, Columns, stable_order
from cosemscope.streams.tables.wpdu_table import Mark

#: EXCHANGE columns. `stream`, `pair`: rows of their tables; `side`, `role`: direction and Role of the first
#: WPDU; `service`, `class_id`, `obis`, `member`, `invoke_id`, `security`: its first look; `result`,
#: `answer`: result and service of the last response, -1 none; `request`, `last_request`, `response`,
#: `last_response`: WPDU rows, -1 none (`request` also where an answer came first: it was not captured);
#: `whole_request`: the row in which the first request stands whole, that of its last general block if it
#: came in such; `requests`, `responses`: WPDUs; `blocks`: blocks of a transfer, without
#: those that came again or late; `told_blocks`: those of responses; `asked_to`, `told_to`: the highest number
#: of either side so far, -1 none, not of general-block-transfers; `request_octets`,
#: `response_octets`: of APDUs; `request_start`, `request_end`: first and last octet of the first request,
#: `response_start`, `response_end`: first octet of the first response and last octet of the last one, in ns
#: since the epoch, 0 where there is none; `unconfirmed`: no answer is wanted; `final`: the last response has
#: come; `cut`: octets or blocks lack, so that nobody knows its result, unless it says that it failed, nor
#: when it ended; `given_up`: the asker went on without it, under the same invoke-id.
EXCHANGE_FIELDS: dict[str, str] = {
    "stream": "u4",
    "pair": "u4",
    "side": "u1",
    "role": "u1",
    "service": "i2",
    "class_id": "i4",
    "obis": "u8",
    "member": "i2",
    "invoke_id": "i4",
    "security": "i2",
    "result": "i2",
    "answer": "i2",
    "request": "i8",
    "whole_request": "i8",
    "last_request": "i8",
    "response": "i8",
    "last_response": "i8",
    "requests": "u4",
    "responses": "u4",
    "blocks": "u4",
    "told_blocks": "u4",
    "asked_to": "i8",
    "told_to": "i8",
    "request_octets": "i8",
    "response_octets": "i8",
    "request_start": "i8",
    "request_end": "i8",
    "response_start": "i8",
    "response_end": "i8",
    "unconfirmed": "?",
    "final": "?",
    "cut": "?",
    "given_up": "?",
}
_NO_ROWS = dict.fromkeys(
    (
        *("request", "whole_request", "last_request", "response", "last_response", "result", "answer"),
        *("asked_to", "told_to"),
    ),
    -1,
)
_ANSWERS = (Role.PART, Role.FINAL)
#: First-look columns that name what an exchange is about: from the first WPDU.
_ABOUT = ("service", "class_id", "obis", "member", "invoke_id", "security")


class Exchanges(Columns):
    """The exchanges of a capture in the order in which they began; `of["exchange"]`: that of each WPDU.

    `owners` knows which requests the exceptions answer, `transfers` the general-block-transfers, of rows
    before they are added.
    """

    def __init__(
        self, owners: ExceptionOwners | None = None, transfers: GeneralTransfers | None = None
    ) -> None:
        super().__init__(EXCHANGE_FIELDS)
        self.owners = owners or ExceptionOwners()
        self.transfers = transfers or GeneralTransfers()
        #: of each pair the one that stands for it, as of the last WPDUs that were added
        self.same = np.zeros(0, np.uint32)
        self.of = Columns({"exchange": "i4"})
        self._pairer = Pairer()
        #: of each pair whether the near side is the client, as of the last WPDUs that were added
        self.near = np.zeros(0, np.bool_)
        # Of each pair whether its senders tell what asks and what answers.
        self._sided = np.zeros(0, np.bool_)
        # Of each pair the place of its last WPDU that was added.
        self._reached = np.zeros(0, np.int64)

    def as_of_now(self) -> Self:
        """The exchanges that there are, and the WPDUs that are theirs."""
        # Whoever adds more adds exchanges before the rows that are theirs: so rows are taken first.
        rows = self.of.as_of_now()
        table = super().as_of_now()
        table.of = rows
        return table

    def are_late(self, pair: NDArray[np.uint32], place: NDArray[np.uint32]) -> bool:
        """Whether any of these WPDU rows was captured before one of its pair that is already here."""
        known = np.flatnonzero(pair < len(self._reached))
        return bool((place[known] < self._reached[pair[known]]).any())

    def are_joined(self, same: NDArray[np.uint32]) -> bool:
        """Whether other pairs are taken for the same now than those of the WPDUs that are here."""
        return not np.array_equal(self.same, same[: len(self.same)])

    def are_turned(self, near: NDArray[np.bool_]) -> bool:
        """Whether another side is taken for the client now where that tells what the WPDUs here are.

        `near`: whether the near side is, by pair.
        """
        sided = np.flatnonzero(self._sided)
        return not np.array_equal(self.near[sided], near[sided])

    def add(self, wpdus: Mapping[str, Array], paired: PairedRows) -> None:
        """Add these WPDU rows, by last packet ascending; `wpdus`: columns of theirs."""
        look, pair, _, _, rows = paired
        found = self._pairer.add(paired, lambda mask: self.owners.lanes(rows[mask], pair[mask]))
        sided = pair[found.roles.sided].astype(np.int64)
        missing = int(sided.max(initial=-1)) + 1 - len(self._sided)
        self._sided = np.append(self._sided, np.zeros(max(missing, 0), np.bool_))
        self._sided[sided] = True
        begins = np.flatnonzero(found.begins)
        about = {name: look[name][begins] for name in _ABOUT}
        self.extend(
            len(begins),
            stream=wpdus["stream"][begins],
            pair=pair[begins],
            side=wpdus["direction"][begins],
            role=found.roles.role[begins],
            unconfirmed=look["kind"][begins] == ApduKind.UNCONFIRMED,
            **about,
            **_NO_ROWS,
        )
        exchange = self._owned(found, look, rows)
        self._reach(pair, wpdus["last_packet"])
        self["given_up"][found.given_up] = True
        role, there = found.roles.role, (exchange >= 0) & (look["part"] != BlockPart.AGAIN)
        answers = there & found.roles.answers
        asks = there & ~answers & (role != Role.ACKNOWLEDGE)
        self._take(("request", "last_request", "requests", "request_octets"), asks, exchange, wpdus, rows)
        self._take(
            ("response", "last_response", "responses", "response_octets"), answers, exchange, wpdus, rows
        )
        left = look["left"][look["left"] >= 0]
        asked = self.of["exchange"][left]
        self["given_up"][asked[self["request"][asked] == left]] = True
        self._ask_up_to(np.flatnonzero(asks & (role == Role.MEMBER)), exchange, look, wpdus)
        self._count_blocks(found, exchange, look, there)
        self._end(found, exchange, look, wpdus["marks"])

    def _owned(self, found: Pairing, look: Mapping[str, Array], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The exchange of each of these rows, with those that go with others; `of` has them then too."""
        missing = int(rows.max()) + 1 - len(self.of) if len(rows) else 0
        if missing > 0:
            self.of.extend(missing, exchange=-1)
        of, exchange = self.of["exchange"], found.exchange.copy()
        of[rows] = exchange
        with_others = np.flatnonzero((look["part"] > BlockPart.FIRST) & (look["transfer"] >= 0))
        exchange[with_others] = of[rows[with_others]] = of[look["transfer"][with_others]]
        return exchange

    def _ask_up_to(
        self,
        members: NDArray[np.intp],
        exchange: NDArray[np.int64],
        look: Mapping[str, Array],
        wpdus: Mapping[str, Array],
    ) -> None:
        """A request that comes in general blocks has been asked with the last one of these."""
        members = members[look["transfer"][members] == self["request"][exchange[members]]]
        owners = exchange[members]
        self["request_end"][owners] = wpdus["time"][members]
        whole = look["whole"][members]
        self["whole_request"][owners[whole >= 0]] = whole[whole >= 0]

    def _count_blocks(
        self,
        found: Pairing,
        exchange: NDArray[np.int64],
        look: Mapping[str, Array],
        there: NDArray[np.bool_],
    ) -> None:
        """Count the blocks that are here for the first time: of a side's own those above all before them."""
        general = there & ((look["part"] == BlockPart.FIRST) | (look["part"] == BlockPart.MEMBER))
        np.add.at(self["blocks"], exchange[general], 1)
        rows = np.flatnonzero(there & found.roles.block & (look["part"] == BlockPart.NONE))
        if not len(rows):
            return
        # Invariant: `rows` has the blocks of each side of an exchange together, `heads` begin them; `high` is
        # the highest number before and with each, and grows from each side to the next by more than numbers.
        key = exchange[rows] * 2 + found.roles.answers[rows]
        order = stable_order(key)
        rows, key = rows[order], key[order]
        heads = np.flatnonzero(np.diff(key, prepend=-1))
        owners, told = key[heads] // 2, key[heads] % 2 > 0
        known = np.where(told, self["told_to"][owners], self["asked_to"][owners])
        sizes = np.diff(np.append(heads, len(rows)))
        beyond = np.repeat(np.arange(len(heads)) << 33, sizes)
        number = look["block"][rows].astype(np.int64)
        high = np.maximum.accumulate(np.maximum(number, np.repeat(known, sizes)) + beyond) - beyond
        before = np.append(-1, high[:-1])
        before[heads] = known
        fresh = rows[(number > before) | (number < 0)]
        np.add.at(self["blocks"], exchange[fresh], 1)
        np.add.at(self["told_blocks"], exchange[fresh[found.roles.answers[fresh]]], 1)
        last = high[np.append(heads[1:], len(rows)) - 1]
        self["told_to"][owners[told]], self["asked_to"][owners[~told]] = last[told], last[~told]

    def _end(
        self, found: Pairing, exchange: NDArray[np.int64], look: Mapping[str, Array], marks: Array
    ) -> None:
        """Last answers have come: their results, and whether something lacks."""
        final = np.flatnonzero((exchange >= 0) & (found.roles.role == Role.FINAL))
        ended = exchange[final]
        self["final"][ended] = True
        self["result"][ended], self["answer"][ended] = look["result"][final], look["service"][final]
        # A last block with a higher number than there are blocks says that some of them are missing.
        block = found.roles.block[final] & (look["part"][final] == BlockPart.NONE)
        lacks = block & (look["block"][final] > self["told_blocks"][ended]) & (self["request"][ended] >= 0)
        lacks |= (look["part"][final] == BlockPart.FIRST) & (look["whole"][final] < 0)
        lacks |= (marks[final] & Mark.TRUNCATED) > 0
        # Blocks of general-block-transfers that lack octets may be any of them.
        members = np.flatnonzero((exchange >= 0) & found.roles.answers & (found.roles.role == Role.MEMBER))
        members = members[(marks[members] & Mark.TRUNCATED) > 0]
        members = members[self["final"][exchange[members]]]
        cut = np.append(ended[lacks], exchange[members])
        self["cut"][cut] = True
        answered = exchange[(exchange >= 0) & found.roles.answers]
        self["response_end"][answered[self["cut"][answered]]] = 0
        self["result"][cut[self["result"][cut] == 0]] = -1

    def first_rows(self, part: slice | NDArray[np.int64] = slice(None)) -> NDArray[np.int64]:
        """The WPDU row with which each of these exchanges began, int64[n]."""
        request = self["request"][part]
        return np.where(request >= 0, request, self["response"][part])

    def response_times(self) -> NDArray[np.int64]:
        """Nanoseconds from each request's last octet to its answer's first, int64[n]; -1 for none."""
        return self._between("request_end", "response_start")

    def total_times(self) -> NDArray[np.int64]:
        """Nanoseconds from each request's first octet to its answer's last, int64[n]; -1 for none."""
        return self._between("request_start", "response_end")

    def _between(self, start: str, stop: str) -> NDArray[np.int64]:
        begin, end = self[start], self[stop]
        return np.where((begin != 0) & (end >= begin), end - begin, -1)

    def _reach(self, pair: NDArray[np.uint32], place: NDArray[np.uint32]) -> None:
        """Take note of how far pairs have come: of several places of a pair the last one wins."""
        most = int(pair.max()) + 1 if len(pair) else 0
        if most > len(self._reached):
            self._reached = np.append(self._reached, np.zeros(most - len(self._reached), np.int64))
        self._reached[pair] = place

    def _take(
        self,
        names: tuple[str, str, str, str],
        mask: NDArray[np.bool_],
        exchange: NDArray[np.int64],
        wpdus: Mapping[str, Array],
        numbers: NDArray[np.int64],
    ) -> None:
        """Take requests or responses, by `names` of first row, last row, number and octets."""
        rows = np.flatnonzero(mask)
        if not len(rows):
            return
        # Invariant: `rows` has the rows of each exchange together, in their own order; `heads` and `tails`
        # are where the first and the last row of each stand, `owners` the exchanges, `numbers` the WPDU rows.
        rows = rows[stable_order(exchange[rows])]
        heads = np.flatnonzero(np.diff(exchange[rows], prepend=-1))
        tails = np.append(heads[1:], len(rows)) - 1
        owners = exchange[rows[heads]]
        row, last, count, octets = names
        new = self[row][owners] < 0
        if row == "request":  # what an answer began was asked before the capture: later requests only go on
            new &= ~np.isin(self["role"][owners], _ANSWERS)
        begun = owners[new]
        self[row][begun] = numbers[rows[heads[new]]]
        self[f"{row}_start"][begun] = wpdus["first_time"][rows[heads[new]]]
        if row == "request":
            self["whole_request"][begun] = self["request"][begun]
            self["request_end"][begun] = wpdus["time"][rows[heads[new]]]
        else:
            self["response_end"][owners] = wpdus["time"][rows[tails]]
        self[last][owners] = numbers[rows[tails]]
        self[count][owners] += (tails - heads + 1).astype(np.uint32)
        self[octets][owners] += np.add.reduceat(wpdus["length"][rows].astype(np.int64), heads)
