"""Clients that other people wrote read the whole built-in meter, in clear and ciphered.

Gurux and dlms-cosem share none of our code: what they understand of object list, clock, profile by range and
entries, lists, blocks and HLS is the common reading of the standard.
"""

import asyncio
import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.objects.meter_recordings import MeterRecordings
from cosemscope.application.meter.objects.profile_objects import YEAR
from cosemscope.application.meter.recorded_meter import RecordedClient
from cosemscope.capture.files.reader import open_capture
from cosemscope.cli.meters.recorded_makers import recorded
from cosemscope.live.links.recording import Recorder
from tests.application.meter_session import KEYS, PASSWORD
from tests.helpers.association_ends import KEYS as CAPTURE_KEYS
from tests.helpers.coroutines import run
from tests.helpers.shared import shared
from tests.helpers.tshark import complaints
from tests.live.meter.meters import maker, metering
from tests.peers.test_peers import StartPeer, result_of

SECURED = {
    "client": 18,
    "authentication": "HIGH_GMAC",
    "encryption": (KEYS.encryption or b"").hex(),
    "authentication_key": (KEYS.authentication or b"").hex(),
}
READING = {"client": 17, "authentication": "LOW", "password": PASSWORD.decode()}
#: Objects of the management logical device: of the public client, of the others.
PUBLIC, ALL = 7, 26


def read_by(
    script: str, wishes: dict[str, Any], start_peer: StartPeer, tmp_path: Path, **changes: Any
) -> Any:
    """What a client script printed of a meter, whose recording is right."""
    path = tmp_path / "read.pcapng"
    found: dict[str, Any] = {}

    async def work() -> None:
        recorder = Recorder(path)
        async with metering(recorder=recorder, made_by=maker(**changes)) as meters:
            process = start_peer(script, *meters.addresses[0], json.dumps(wishes))
            found.update(await asyncio.to_thread(result_of, process))
        recorder.close()

    run(work())
    assert complaints(path) == []
    assert found["released"]
    return found


@pytest.mark.parametrize(
    ("wishes", "objects"),
    [({}, PUBLIC), (READING, ALL), (SECURED, ALL + 3)],
    ids=["public", "LLS", "HLS-GMAC"],
)
def test_gurux_reads_the_whole_meter(
    wishes: dict[str, Any], objects: int, start_peer: StartPeer, tmp_path: Path
) -> None:
    found = read_by("gurux_meter_reader.py", wishes, start_peer, tmp_path)
    assert len(found["objects"]) == objects
    assert {key.rsplit(" ", 1)[1] for key, _ in found["refused"]} == {"7"}  # the secrets of associations
    assert len(found["values"]) > 3 * objects
    if not wishes:
        return
    values = found["values"]
    assert values["7 1.0.99.1.0.255 2"] == YEAR
    assert len(found["list"]) == sum(key.startswith("3 ") for key in values) // 3
    assert len(found["entries"]) == 4
    times = [row[0][:16] for row in found["range"]]
    assert len(times) == 9
    assert times == sorted(times)
    year = int(values["8 0.0.1.0.0.255 2"][:4], 16)
    assert year == datetime.datetime.now(datetime.UTC).year


def test_gurux_reads_in_small_blocks(start_peer: StartPeer, tmp_path: Path) -> None:
    """Blocks of a hundred octets: of the object list there are dozens."""
    wishes = {"pdu": 128}
    small = read_by("gurux_meter_reader.py", wishes, start_peer, tmp_path)
    whole = read_by("gurux_meter_reader.py", {}, start_peer, tmp_path)
    assert small["objects"] == whole["objects"]
    assert small["requests"] > whole["requests"]


@pytest.mark.parametrize(
    ("wishes", "objects"),
    [({}, PUBLIC), (SECURED, ALL + 3), (SECURED | {"dedicated": True}, ALL + 3)],
    ids=["public", "HLS-GMAC", "dedicated key"],
)
def test_dlms_cosem_reads_the_whole_meter(
    wishes: dict[str, Any], objects: int, start_peer: StartPeer, tmp_path: Path
) -> None:
    found = read_by("dlms_cosem_meter_reader.py", wishes, start_peer, tmp_path)
    assert len(found["objects"]) == objects
    assert {key.rsplit(" ", 1)[1] for key, _, _ in found["refused"]} == {"7"}
    assert found["list"] == 2
    if wishes:
        assert len(found["range"]) == 5
        assert found["values"]["7 1.0.99.1.0.255 2"] > 30 * YEAR


def test_gurux_reads_every_captured_value_of_a_meter_that_was_ciphered(
    start_peer: StartPeer, tmp_path: Path
) -> None:
    """The capture's meter, under a new challenge and new counters: what is read is what was captured."""
    capture, again = shared("captures/Output-Ciphered-HLS.pcap"), tmp_path / "again.pcapng"
    before = _recording(capture)
    attributes = [
        [asked.class_id, ".".join(map(str, asked.instance)), asked.member]
        for asked, selection in before.answers
        if not asked.method and asked.member > 0 and not selection
    ]
    assert len(attributes) > 100
    wishes = SECURED | {"client": 16, "attributes": attributes}
    wishes |= {"encryption": bytes(range(16)).hex(), "authentication_key": bytes(range(0xD0, 0xE0)).hex()}
    keys = tmp_path / "keys.toml"
    keys.write_text(
        f'[[key]]\nencryption = "{wishes["encryption"]}"\nauthentication = "{wishes["authentication_key"]}"\n'
    )
    made_by = recorded(str(capture), "", str(keys), at_speed=False)
    found: dict[str, Any] = {}

    async def work() -> None:
        recorder = Recorder(again)
        async with metering(recorder=recorder, made_by=made_by) as meters:
            process = start_peer("gurux_meter_reader.py", *meters.addresses[0], json.dumps(wishes))
            found.update(await asyncio.to_thread(result_of, process))
        recorder.close()

    run(work())
    refused = {key for key, _ in found["refused"]}
    assert len(found["values"]) + len(refused) == len(attributes)
    after = _recording(again)
    wanted = {asked: given for asked, given in before.answers.items() if not asked[0].method}
    assert len(wanted) == len(attributes)
    for asked, given in wanted.items():
        first = after.answers[asked][0]
        assert (first.code, first.octets) == (given[0].code, given[0].octets)
    assert complaints(again) == []


def _recording(path: Path) -> RecordedClient:
    """The one client of the one meter in a capture."""
    with open_capture(path) as reader:
        (found,) = MeterRecordings(Associations(Analysis(reader).run(), CAPTURE_KEYS), CAPTURE_KEYS).meters()
    (client,) = found.recording.clients.values()
    return client
