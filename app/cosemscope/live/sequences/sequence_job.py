"""Steps at a meter as a job: one association, each step told when it is done, the first failure ends it."""

from collections.abc import Sequence

from cosemscope.live.client.access_job import AccessJob
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.meter_access import MeterAccess
from cosemscope.live.client.meter_client import Meter
from cosemscope.live.client.meter_session import meter_session
from cosemscope.live.client.reading_events import StepDone
from cosemscope.live.commands.live_events import Report
from cosemscope.live.links.recording import Recorder
from cosemscope.live.sequences.meter_steps import MeterStep


async def run_sequence(
    steps: Sequence[MeterStep],
    job: AccessJob,
    access: MeterAccess,
    report: Report,
    recorder: Recorder | None = None,
) -> bool:
    """Do steps at the meter of a job; whether all were done. Raises LinkError for an address that is none."""

    async def work(meter: Meter) -> None:
        await run_steps(steps, meter, report)

    return await meter_session(job, access, report, recorder, work) is None


async def run_steps(steps: Sequence[MeterStep], meter: Meter, report: Report) -> None:
    """Do steps at a meter that is open, as scripts have it. Raises MeterError, which names the step."""
    for number, step in enumerate(steps, 1):
        try:
            await step.run(meter, report)
        except MeterError as error:
            if len(steps) == 1:
                raise
            words = f"step {number} ({step}): {error.refusal.words}"
            raise MeterError(error.refusal._replace(words=words), error.results) from None
        report(StepDone(number=number, what=str(step)))
