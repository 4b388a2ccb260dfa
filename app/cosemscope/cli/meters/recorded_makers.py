"""How meters are made that answer as one in a capture did; what stands in the way, in sentences."""

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_entry import KeyFileError
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.objects.meter_recordings import FoundRecording, MeterRecordings
from cosemscope.apdu.names.codes import MECHANISMS
from cosemscope.apdu.security.suites import SUITES
from cosemscope.application.meter.recorded_meter import MeterRecording, RecordedClient, RecordedMeter
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.records import CaptureError
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.live.meter.meter_endpoint import MeterMaker
from cosemscope.wording import count

_CIPHERED_CONTEXT = 3
#: Meters of a capture that are named where one has to be chosen.
_MOST_SHOWN = 20
_SECRET_MECHANISMS = (2, 3, 4, 6)


def recorded(capture: str, wanted: str, keys: str | None, *, at_speed: bool) -> MeterMaker:
    """How meters are made that answer as the one at the address `wanted` ("" where there is one) did.

    Raises CommandError.
    """
    try:
        table = KeyTable.load(keys) if keys else NO_KEYS
        with open_capture(capture) as reader:
            found = MeterRecordings(Associations(Analysis(reader).run(), table), table).meters()
    except (KeyFileError, CaptureError) as error:
        raise CommandError(str(error)) from None
    chosen = _chosen(capture, wanted, [one for one in found if one.answers or one.unopened])
    recording = chosen.recording
    for client in recording.clients.values():
        if missing := _missing(client, recording):
            advice = f"name them with --keys ({keys} does not have them)" if keys else "name them with --keys"
            raise CommandError(f"the meter {chosen.address} {missing}: {advice}")
    return MeterMaker(
        lambda number, now: RecordedMeter(recording, now, at_speed=at_speed),
        recording.devices,
        tuple(_told(client) for client in recording.clients.values()),
        f"{keys}" if keys else None,
    )


def _chosen(capture: str, wanted: str, found: list[FoundRecording]) -> FoundRecording:
    """The one meter that is meant. Raises CommandError."""
    if not found:
        raise CommandError(f"{capture} has no meter that answers requests with logical names")
    chosen = [one for one in found if wanted in (one.address, one.address.rpartition(":")[0].strip("[]"))]
    if not wanted and len(found) == 1:
        chosen = found
    if len(chosen) != 1:
        shown = ", ".join(map(_shown, found[:_MOST_SHOWN]))
        what = f"no meter at {wanted}" if wanted else f"{len(found)} meters"
        raise CommandError(f"{capture} has {what}: choose one with --meter, of {shown}")
    return chosen[0]


def _shown(found: FoundRecording) -> str:
    return f"{found.address} ({count(found.answers, 'answer') if found.answers else 'ciphered'})"


def _missing(client: RecordedClient, recording: MeterRecording) -> str:
    """What a client's association needs of keys that are not there; empty for nothing."""
    keys = recording.keys
    if client.context == _CIPHERED_CONTEXT or client.mechanism == 5:
        size = SUITES[min(client.suite, len(SUITES) - 1)].key_size
        if any(octets is None or len(octets) != size for octets in (keys.encryption, keys.authentication)):
            return f"ciphers with its client at wPort {client.wports[0]}, and its keys are not known"
    if client.mechanism in _SECRET_MECHANISMS and keys.hls_secret is None:
        name = MECHANISMS[client.mechanism]
        return f"authenticates its client at wPort {client.wports[0]} by {name}, and the secret is not known"
    if client.mechanism == 7 and keys.signing_private is None:
        return f"signs for its client at wPort {client.wports[0]}, and its private key is not known"
    return ""


def _told(client: RecordedClient) -> str:
    mechanism = MECHANISMS.get(client.mechanism, f"mechanism {client.mechanism}")
    form = f"ciphered, suite {client.suite}" if client.context == _CIPHERED_CONTEXT else "in clear"
    wport, device = client.wports
    answers = sum(map(len, client.answers.values()))
    return f"wPort {wport} to {device}, {mechanism}, {form}, {count(answers, 'answer')}"
