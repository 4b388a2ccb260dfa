"""What a listener receives is understood and told: each push as it comes, at the end a line a meter."""

import time

from cosemscope.live.commands.listen_job import PushOrigin, Responder
from cosemscope.live.commands.live_events import MeterSeen, PushNotOpened, PushReceived, Report
from cosemscope.live.pushes.push_reader import PushReader
from cosemscope.live.pushes.push_table import PushTable

#: Hosts of which it is told that they are not understood.
_MOST_TROUBLED = 1024


class PushTeller:
    """Understands what a listener receives and tells it; `respond` is what the listener asks."""

    def __init__(self, reader: PushReader, report: Report) -> None:
        self._reader, self._report = reader, report
        self._table = PushTable()
        self._troubled: set[str] = set()

    @property
    def respond(self) -> Responder:
        """What is to be answered to an APDU."""
        return self._respond

    def _respond(self, apdu: bytes, origin: PushOrigin) -> tuple[bytes, ...]:
        received = self._reader.receive(apdu, origin)
        if received.problem and self._is_new(origin.host):
            self._report(PushNotOpened(remote=origin.remote, message=received.problem))
        push = received.push
        if push is not None:
            self._troubled.discard(origin.host)
            meter, gap = self._table.take(push, time.monotonic())
            self._report(
                PushReceived(
                    meter=push.meter,
                    remote=origin.remote,
                    transport=origin.transport,
                    local_wport=origin.local_wport,
                    invoke_id=push.invoke_id,
                    date_time=push.date_time or None,
                    names=push.names,
                    texts=push.texts,
                    protected=push.protected,
                    pushes=meter.pushes,
                    lost=meter.lost,
                    gap_s=round(gap, 3) if gap is not None else None,
                )
            )
        return received.replies

    def _is_new(self, host: str) -> bool:
        """Whether nobody has been told yet that what this host sends is not understood: once is enough."""
        if host in self._troubled or len(self._troubled) >= _MOST_TROUBLED:
            return False
        self._troubled.add(host)
        return True

    def tell_table(self) -> None:
        """A line for each meter."""
        now = time.monotonic()
        for meter in self._table.meters():
            usual = meter.usual_gap
            self._report(
                MeterSeen(
                    meter=meter.last.meter,
                    pushes=meter.pushes,
                    lost=meter.lost,
                    usual_gap_s=round(usual, 3) if usual is not None else None,
                    most_gap_s=round(max(meter.gaps), 3) if meter.gaps else None,
                    silent=meter.silent(now),
                    last=meter.last.texts,
                )
            )
