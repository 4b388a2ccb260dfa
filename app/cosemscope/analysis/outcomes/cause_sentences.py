"""Sentences that say what a connection came to and why, with times, blocks and what was sent again.

told = CauseSentences(analysis, facts)
told.sentence(stream)       # "meter closed with RST 2.1 s into block 14 of get-request 1.0.99.1.0.255"
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.result_words import result_word
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.outcomes.association_details import association_details
from cosemscope.analysis.outcomes.association_table import AssociationEnd
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts
from cosemscope.analysis.outcomes.outcome_words import Cause
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.capture.columns import stable_order
from cosemscope.capture.packets.packet_row import RST
from cosemscope.streams.tables.stream_kinds import RETRANSMISSION
from cosemscope.wording import count, short_duration

#: What an asker does that goes on without an answer, by the service that it uses.
_TURNS = {
    t.RLRQ: "released",
    t.AARQ: "associated anew",
    t.INITIATE_REQUEST: "associated anew",
    t.ABRT: "aborted",
}


class CauseSentences:
    """Writes the sentence of any stream; what several sentences want is worked out once."""

    def __init__(self, analysis: Analysis, facts: CaptureFacts) -> None:
        self._analysis = analysis
        self._facts = facts
        self._exchanges = facts.table
        items = analysis.expert_items
        again = items["kind"] == RETRANSMISSION.number
        self._resent = np.sort(items["stream"][again] << 32 | items["packet"][again])
        order = np.argsort(facts.associations.stream, kind="stable")
        #: the associations of each stream together, and where those of each begin
        self._associations = order
        self._starts = np.searchsorted(
            facts.associations.stream[order], np.arange(len(facts.outcomes.cause) + 1)
        )

    def sentence(self, stream: int) -> str:
        """What a stream came to and why; "" of one that is not DLMS. Raises CaptureError and OSError."""
        cause = Cause(int(self._facts.outcomes.cause[stream]))
        tell = _SENTENCES.get(cause)
        return tell(self, stream) if tell is not None else ""

    def of_exchange(self, exchange: int) -> str:
        """How an exchange with an error, or without an answer, went: "get-request ... was not answered"."""
        if int(self._facts.statuses[exchange]) == ExchangeStatus.UNANSWERED:
            return f"{self._within(exchange, awaited=True)} was not answered"
        return f"{self.about(exchange)} was answered by {self._result(exchange)}"

    # What sentences are made of.

    def _exchange(self, stream: int) -> int:
        return int(self._facts.outcomes.exchange[stream])

    def _packet(self, stream: int) -> int:
        return int(self._facts.outcomes.packet[stream])

    def _time(self, packet: int) -> int:
        return int(self._analysis.packets["time"][packet])

    def _who(self, stream: int, side: int) -> str:
        """The DLMS role of a side of a stream."""
        client = int(self._facts.outcomes.client_side[stream])
        return "client" if side == max(client, 0) else "meter"

    def _closing(self, stream: int, packet: int) -> str:
        """Who closed with this packet, and how: "meter closed with RST"."""
        packets = self._analysis.packets
        side = int(packets["direction"][packet]) ^ int(self._analysis.streams["client_side"][stream])
        kind = "RST" if int(packets["flags"][packet]) & RST else "FIN"
        return f"{self._who(stream, side)} closed with {kind}"

    def about(self, exchange: int) -> str:
        """Service and object of an exchange: "get-request 1.0.1.8.0.255:2"."""
        exchanges = self._exchanges
        name = apdu_name(int(exchanges["service"][exchange]))
        told = self._facts.objects
        if int(told["class_id"][exchange]) < 0:
            return name
        obis = dotted(int(told["obis"][exchange]).to_bytes(6, "big"))
        member = int(told["member"][exchange])
        return f"{name} {obis}" + (f":{member}" if member else "")

    def _within(self, exchange: int, *, awaited: bool = False) -> str:
        """How far an open exchange had come: "block 14 of get-request ...", or the exchange itself.

        `awaited`: the other side owes the block behind the last one, also where nobody asked for it.
        """
        exchanges, look = self._exchanges, self._analysis.first_look
        about = self.about(exchange)
        if not int(exchanges["blocks"][exchange]):
            return about
        request, response = (int(exchanges[name][exchange]) for name in ("last_request", "last_response"))
        if request > response and int(look["block"][request]) >= 0:
            number = int(look["block"][request])
            sending = int(look["last_block"][request]) >= 0
            return f"block {number if sending else number + 1} of {about}"
        if response < 0:
            return about
        number = int(look["block"][response])
        return f"block {number + 1} of {about}" if awaited else f"{about}, after block {number}"

    def _last_packet(self, exchange: int) -> int:
        """The packet with the last octets of an exchange."""
        row = max(int(self._exchanges[name][exchange]) for name in ("last_request", "last_response"))
        return int(self._analysis.wpdus["last_packet"][row])

    def _retransmissions(self, stream: int, first: int, last: int) -> str:
        """ ", after 3 retransmissions" of segments behind one packet and up to another."""
        start, stop = np.searchsorted(self._resent, [stream << 32 | first + 1, stream << 32 | last + 1])
        number = int(stop - start)
        return f", after {count(number, 'retransmission')}" if number else ""

    def _result(self, exchange: int) -> str:
        """The word for the result of an exchange's answer, with the answer's name where that tells more."""
        service, code = (int(self._exchanges[name][exchange]) for name in ("answer", "result"))
        if service < 0:  # an answer that came first
            service = int(self._exchanges["service"][exchange])
        word = result_word(service, code)
        return f"{apdu_name(service)} {word}" if word else apdu_name(service)

    def _of_stream(self, stream: int) -> npt.NDArray[np.int64]:
        """The associations of a stream, int64[n]."""
        return self._associations[self._starts[stream] : self._starts[stream + 1]]

    def _releases_unanswered(self, stream: int) -> int:
        """How many releases of a stream nobody answered, as far as its capture would have the answers."""
        release = self._facts.associations.release[self._of_stream(stream)]
        return int((self._facts.statuses[release[release >= 0]] == ExchangeStatus.UNANSWERED).sum())

    def _released(self, stream: int) -> str:
        """How the last association of a stream ended."""
        facts = self._facts.associations
        mine = self._of_stream(stream)
        last = int(mine[np.argmax(facts.last_packet[mine])])
        end, side = AssociationEnd(int(facts.ended[last])), int(facts.ended_side[last])
        if end is AssociationEnd.RELEASE:
            return "released"
        if end in (AssociationEnd.FIN, AssociationEnd.RST):
            return f"{self._who(stream, side)} closed with {end.name}"
        return "then silence" if end is AssociationEnd.SILENCE else "nothing was waiting"

    # The sentences.

    def _association_refused(self, stream: int) -> str:
        exchange = self._exchange(stream)
        facts = self._facts
        association = int(facts.associations.of[exchange])
        diagnostic = association_details(
            self._analysis, facts.table, facts.associations, association
        ).answered.diagnostic
        told = f": {diagnostic}" if diagnostic else ""
        return f"association refused by {self._result(exchange)}{told}"

    def _association_cut(self, stream: int) -> str:
        exchange, end = self._exchange(stream), self._packet(stream)
        passed = _span(abs(self._time(end) - self._time(self._last_packet(exchange))))
        return f"association refused: {self._closing(stream, end)} {passed} after the {self.about(exchange)}"

    def _hls_refused(self, stream: int) -> str:
        return f"HLS authentication refused by {self._result(self._exchange(stream))}"

    def _not_answered(self, stream: int) -> str:
        exchange = self._exchange(stream)
        asked = self._packet(stream)
        ends, _ = self._facts.ends.first(np.array([stream]))
        end = int(ends[0])
        gone_on, did = self._gone_on(exchange)
        if gone_on >= 0 and not 0 <= end < gone_on:
            end, then = gone_on, f"{self._who(stream, int(self._exchanges['side'][exchange]))} {did}"
        elif end >= 0:
            then = self._closing(stream, end)
        if end >= 0:
            behind = f"{then} {_span(self._time(end) - self._time(asked))} later"
            resent = self._retransmissions(stream, asked, end)
        else:
            behind = f"silence for {_span(self._facts.last_time - self._time(asked))}"
            resent = self._retransmissions(stream, asked, len(self._analysis.packets))
        return f"{self._within(exchange, awaited=True)} was not answered: {behind}{resent}"

    def _gone_on(self, exchange: int) -> tuple[int, str]:
        """With which packet the asker went on without an answer, -1 if with none, and what it did."""
        exchanges, (order, starts) = self._exchanges, self._by_pair
        pair = int(exchanges["pair"][exchange])
        later = order[starts[pair] : starts[pair + 1]]
        later = later[later.searchsorted(exchange, "right") :]
        turns = np.isin(exchanges["service"][later], list(_TURNS)) & (exchanges["request"][later] >= 0)
        if exchanges["given_up"][exchange]:
            turns |= exchanges["invoke_id"][later] == exchanges["invoke_id"][exchange]
        turns &= exchanges["side"][later] == exchanges["side"][exchange]
        if not turns.any():
            return -1, ""
        turn = int(later[turns.argmax()])
        row = int(exchanges.first_rows(np.array([turn]))[0])
        packet = int(self._analysis.wpdus["last_packet"][row])
        return packet, _TURNS.get(int(exchanges["service"][turn]), "asked on")

    @cached_property
    def _by_pair(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """The exchanges of each pair together, in their order, and where those of each begin."""
        pair = self._exchanges["pair"]
        order = stable_order(pair)
        return order, np.searchsorted(pair[order], np.arange(len(self._analysis.pairs) + 1))

    def _closed_within(self, stream: int) -> str:
        exchange, end = self._exchange(stream), self._packet(stream)
        since = self._last_packet(exchange)
        passed = _span(abs(self._time(end) - self._time(since)))
        resent = self._retransmissions(stream, since, end)
        when = "before" if end < since else "into"
        return f"{self._closing(stream, end)} {passed} {when} {self._within(exchange)}{resent}"

    def _given_up(self, stream: int) -> str:
        return f"{self._within(self._exchange(stream))} was given up: the client went on without the rest"

    def _aborted(self, stream: int) -> str:
        side = int(self._exchanges["side"][self._exchange(stream)])
        return f"{self._who(stream, side)} aborted the association"

    def _closed_unreleased(self, stream: int) -> str:
        end = self._packet(stream)
        association = int(self._facts.associations.of[self._exchange(stream)])
        since = int(self._facts.associations.last_packet[association])
        passed = _span(abs(self._time(end) - self._time(since)))
        when = f"{passed} {'before' if end < since else 'after'} the last WPDU"
        return f"{self._closing(stream, end)} {when}, the association was not released"

    def _replaced(self, stream: int) -> str:
        return "another connection began between the same ports, the association was not released"

    def _outside_answered(self, stream: int) -> str:
        exchange = self._exchange(stream)
        return f"{self.about(exchange)} without an association, answered by {self._result(exchange)}"

    def _outside_unanswered(self, stream: int) -> str:
        return f"without an association, {self._not_answered(stream)}"

    def _nothing_said(self, stream: int) -> str:
        packet = self._packet(stream)
        first = int(self._analysis.streams["first_packet"][stream])
        if packet == first:
            return "connected, and nothing was said up to the end of the capture"
        passed = _span(self._time(packet) - self._time(first))
        return f"{self._closing(stream, packet)} {passed} after the SYN, nothing was said"

    def _nothing_asked(self, stream: int) -> str:
        wpdus = count(int(self._analysis.streams["wpdus"][stream]), "WPDU")
        return f"{wpdus}, of which none asks, answers or tells anything"

    def _told(self, stream: int) -> str:
        messages = count(int(self._analysis.streams["wpdus"][stream]), "message")
        return f"{messages} without an APDU, such as PRIME data concentrators exchange"

    def _capture_ended_within(self, stream: int) -> str:
        exchange = self._exchange(stream)
        passed = self._facts.last_time - self._time(self._last_packet(exchange))
        return f"the capture ended {_span(passed)} into {self._within(exchange)}"

    def _capture_ended(self, stream: int) -> str:
        passed = self._facts.last_time - self._time(self._packet(stream))
        return f"the capture ended {_span(passed)} after the last WPDU, nothing was waiting"

    def _syns(self, stream: int) -> tuple[int, int]:
        """How many SYNs there were, and from the first to the last packet, in ns."""
        streams = self._analysis.streams
        span = int(streams["last_time"][stream] - streams["first_time"][stream])
        return int(streams["packets"][stream]), span

    def _syn_unanswered(self, stream: int) -> str:
        number, span = self._syns(stream)
        times = f"sent {number} times in {_span(span)}" if number > 1 else "sent once"
        return f"SYN {times}, never answered"

    def _syn_open(self, stream: int) -> str:
        passed = self._facts.last_time - self._time(self._packet(stream))
        return f"the capture ended {_span(passed)} after the SYN"

    def _nothing_said_yet(self, stream: int) -> str:
        since = int(self._analysis.streams["first_time"][stream])
        passed = _span(self._facts.last_time - since)
        return f"connected, and the capture ended {passed} later, before anything was said"

    def _syn_refused(self, stream: int) -> str:
        first, packet = int(self._analysis.streams["first_packet"][stream]), self._packet(stream)
        passed = _span(self._time(packet) - self._time(first))
        return f"connection refused: RST {passed} after the SYN"

    def _one_direction(self, stream: int) -> str:
        return "the capture has one direction only: what the other side said is not known"

    def _pushed(self, stream: int) -> str:
        outcomes = self._facts.outcomes
        ends = self._analysis.endpoints(stream)
        client = ends[max(int(outcomes.client_side[stream]), 0)]
        return f"{count(int(outcomes.exchanges[stream]), 'notification')} to {client}"

    def _done(self, stream: int) -> str:
        outcomes = self._facts.outcomes
        errors, unanswered = int(outcomes.errors[stream]), int(outcomes.unanswered[stream])
        told = [count(int(outcomes.exchanges[stream]), "exchange")]
        if errors:
            told.append(count(errors, "error"))
        lost, unheard = int(outcomes.lost[stream]), self._releases_unanswered(stream)
        if unanswered > lost + unheard:
            told.append(f"{unanswered - lost - unheard:,} asked again")
        if unheard:
            told.append("the release not answered")
        if lost:
            told.append(f"{count(lost, 'answer')} not captured")
        return f"{', '.join(told)}; {self._released(stream)}"


def _span(nanoseconds: int) -> str:
    """A duration amid a sentence, where a bare 0 would lack its unit; none is negative."""
    return short_duration(nanoseconds) if nanoseconds > 0 else "0 s"


_SENTENCES: dict[Cause, Callable[[CauseSentences, int], str]] = {
    cause: getattr(CauseSentences, f"_{cause.name.lower()}") for cause in Cause if cause is not Cause.NONE
}
