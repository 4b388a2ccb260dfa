"""How meters are made: of a job and of the keys in a file, which has them by the names of its entries."""

from dataclasses import replace
from pathlib import Path

from cosemscope.analysis.keys.key_entry import KeyFileError
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.names.codes import MECHANISMS
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.suites import SUITES
from cosemscope.application.meter.built_in_meter import (
    MANAGEMENT,
    MANAGING_CLIENT,
    PUBLIC_CLIENT,
    READING_CLIENT,
    SECOND,
    BuiltInMeter,
    MeterPlan,
)
from cosemscope.application.meter.objects.push_objects import TCP, UDP
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.live.meter.meter_endpoint import MeterMaker
from cosemscope.live.meter.meter_job import MeterJob
from cosemscope.resources import resource

#: The names of entries: the meter, clients with HLS 7, the password of LLS.
_METER, _CLIENT, _PASSWORD = "meter", "client", "password"


def published_keys() -> Path:
    """The file with the published test keys, which a meter has unless others are named."""
    return resource("meter-keys.toml")


def built_in(job: MeterJob, keys: Path | None) -> MeterMaker:
    """How the built-in meters of a job are made. Raises CommandError."""
    path = keys or published_keys()
    plan = plan_of(job, path, job.number)
    ciphered = f"ciphered, suite {job.suite}" if job.ciphered else "in clear"
    return MeterMaker(
        lambda number, now: BuiltInMeter(replace(plan, number=number), now),
        (MANAGEMENT, SECOND),
        (
            f"wPort {PUBLIC_CLIENT} public, without security",
            f"wPort {READING_CLIENT} reads, with a password (LLS)",
            f"wPort {MANAGING_CLIENT} reads and changes, {MECHANISMS[job.mechanism]}, {ciphered}",
        ),
        f"{path}{'' if keys else ' (published test keys)'}",
    )


def plan_of(job: MeterJob, path: Path, number: int) -> MeterPlan:
    """The plan of the meter with a number and the keys in a file. Raises CommandError."""
    try:
        entries = {entry.keys.label: entry.keys for entry in KeyTable.load(path).entries}
    except KeyFileError as error:
        raise CommandError(str(error)) from None
    tail = ", suite 2" if job.suite == 2 else ""
    keys = entries.get(_METER + tail) or entries.get(_METER)
    if keys is None:
        raise CommandError(f'{path} has no entry with the name "{_METER}": it holds the meter\'s keys')
    missing = _missing(keys, job)
    if missing:
        raise CommandError(f'{path}, "{keys.label}": {missing}')
    client, password = entries.get(_CLIENT + tail), entries.get(_PASSWORD)
    if job.mechanism == 7 and (client is None or client.signing_point is None):
        raise CommandError(f'{path}: HLS 7 needs an entry "{_CLIENT}{tail}" with a signing key')
    if password is None or password.hls_secret is None:
        raise CommandError(f'{path} has no entry "{_PASSWORD}" with hls_secret_text: the password of LLS')
    known = KeySet("client", signing_public=client.signing_point) if client is not None else None
    return MeterPlan(
        number,
        keys,
        (known,) if known is not None else (),
        password.hls_secret,
        job.mechanism,
        job.suite,
        job.ciphered,
        job.max_pdu,
        job.push_to,
        UDP if job.push_udp else TCP,
        job.push_every,
        job.push_ciphered,
    )


def _missing(keys: KeySet, job: MeterJob) -> str:
    """What a meter's keys lack for what is asked of them; empty for nothing."""
    size = SUITES[job.suite].key_size
    for name in ("encryption", "authentication"):
        octets: bytes | None = getattr(keys, name)
        if octets is None or len(octets) != size:
            return f"suite {job.suite} needs {name} with {size} octets"
    if job.mechanism in (2, 3, 4, 6) and keys.hls_secret is None:
        return f"HLS {job.mechanism} needs hls_secret or hls_secret_text"
    if job.mechanism == 2 and len(keys.hls_secret or b"") > 16:
        return "HLS 2 needs a secret of at most 16 octets"
    if job.mechanism == 7 and keys.signing_private is None:
        return "HLS 7 needs signing_private"
    return ""
