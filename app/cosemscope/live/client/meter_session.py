"""One association of a job from connecting to closing, told as events: what failed is told in a sentence."""

from collections.abc import Awaitable, Callable

from cosemscope.application.client.client_events import AnswerUnmatched, ApduRejected, NotificationReceived
from cosemscope.capture.events import Trouble
from cosemscope.live.client.access_job import AccessJob, opened
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.linked_association import Told
from cosemscope.live.client.meter_access import MeterAccess
from cosemscope.live.client.meter_client import Meter
from cosemscope.live.client.reading_events import Associated, Remarked
from cosemscope.live.commands.live_events import ApduDiscarded, Connecting, Report, trouble_of
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.transport.bindings import WpduDiscarded

METER = "meter"
"""The fault of a `Trouble` about what a meter refused or did not answer."""


async def meter_session(
    job: AccessJob,
    access: MeterAccess,
    report: Report,
    recorder: Recorder | None,
    work: Callable[[Meter], Awaitable[None]],
) -> MeterError | LinkError | None:
    """Connect, associate, do the work, release; what went wrong, which has been told. Raises LinkError for
    an address that is none.
    """
    address = str(parse_address(job.address))
    transport = "udp" if job.udp else "tcp"
    report(Connecting(to=address, transport=transport, file=recorder.path if recorder else None))

    def told(what: Told) -> None:
        match what:
            case NotificationReceived():
                report(Remarked(message=f"the meter tells unasked: {type(what.apdu).__name__}"))
            case AnswerUnmatched() | ApduRejected():
                report(Remarked(message=what.sentence))

    def discarded(what: WpduDiscarded) -> None:
        wpdu = what.wpdu
        exchanged = (wpdu.source_wport, wpdu.destination_wport) == (job.client, job.server)
        advice = "its wPorts are those of the request: an answer has them exchanged" if exchanged else None
        report(
            ApduDiscarded(
                apdu=wpdu.data,
                source_wport=wpdu.source_wport,
                destination_wport=wpdu.destination_wport,
                remote=address,
                advice=advice,
            )
        )

    try:
        async with opened(job, access, recorder, told, discarded) as meter:
            agreed = meter.opened
            report(
                Associated(
                    remote=address,
                    server_title=agreed.server_title,
                    conformance=agreed.conformance,
                    max_pdu_size=agreed.max_pdu_size,
                )
            )
            await work(meter)
    except MeterError as error:
        report(Trouble(fault=METER, message=str(error), remote=address))
        return error
    except LinkError as error:
        report(trouble_of(error, remote=address))
        return error
    return None
