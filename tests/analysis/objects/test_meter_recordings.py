"""Recordings of the meters of captures: made traffic, a ciphered capture, and what has no key."""

from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.objects.meter_recordings import FoundRecording, MeterRecordings
from cosemscope.apdu.names import tags as t
from cosemscope.application.encoding.apdus import parse_data
from cosemscope.application.meter.recorded_meter import written
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource
from tests.application.meter_session import name
from tests.helpers.association_ends import KEYS
from tests.helpers.shared import shared

CIPHERED = "captures/Output-Ciphered-HLS.pcap"


def recordings(path: Path | str, keys: KeyTable = NO_KEYS) -> dict[str, FoundRecording]:
    with open_capture(path) as reader:
        found = MeterRecordings(Associations(Analysis(reader).run(), keys), keys).meters()
    return {one.address: one for one in found}


def test_the_sample_has_its_meters_with_lists_blocks_and_refusals() -> None:
    found = recordings(resource("samples/first-look.pcapng"))
    meter = found["198.51.100.21:4059"].recording
    assert meter.devices == (1,)
    assert set(meter.clients) == {(16, 1), (1, 1)}
    answers = meter.clients[1, 1].answers
    energy = answers[name(3, "1.0.1.8.0.255", 2), b""]
    assert all(parse_data(one.octets).tag == 6 for one in energy)
    assert all(0 < one.seconds < 1 for one in energy)
    codes = {one.code for given in answers.values() for one in given}
    assert len(codes) > 1  # there are error answers
    profiles = [asked for asked in answers if asked[0].class_id == 7 and asked[0].member == 2]
    assert parse_data(answers[profiles[0]][0].octets).tag == 1  # it came in blocks
    assert any(asked[0].member < 0 for asked in answers)  # a SET
    assert written(name(1, "0.0.42.0.0.255", 2)) not in answers
    assert found["198.51.100.57:4059"].unopened > 0
    assert found["198.51.100.57:4059"].answers == 0


def test_ciphered_answers_are_opened() -> None:
    """Every GET of the capture that was answered has its value among the answers."""
    path = shared(CIPHERED)
    (found,) = recordings(path, KEYS).values()
    assert found.unopened == 0
    assert found.recording.title == b"ABCDEFGH"
    (client,) = found.recording.clients.values()
    assert (client.wports, client.context, client.mechanism, client.policy) == ((16, 1), 3, 5, 0x30)
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        walked = list(Associations(analysis, KEYS).walk())
    inner = [look.plain[0] for _, look in walked if look.plain]
    told = sum(map(len, client.answers.values()))
    assert told >= inner.count(t.GET_REQUEST) - inner.count(t.EXCEPTION_RESPONSE) - 4
    assert told > 120


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS], ids=["no keys", "keys"])
def test_no_secret_is_shown(keys: KeyTable) -> None:
    shown = repr(recordings(shared(CIPHERED), keys))
    assert "000102030405060708" not in shown
    assert "\\x00\\x01\\x02\\x03\\x04\\x05\\x06" not in shown
