"""Capture filters out of a capture: tcpdump takes with them the packets of the session, and no others."""

import shutil
import subprocess

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.filter.session_capture_filter import session_capture_filter
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource

SAMPLE = str(resource("samples/first-look.pcapng"))


@pytest.fixture(scope="module")
def analysis():
    """A sample with IPv4, IPv6, TCP and UDP."""
    with open_capture(SAMPLE) as reader:
        yield Analysis(reader).run()


def test_addresses_and_ports_stand_in_it(analysis):
    """In plain words; behind VLAN tags too where frames may have them; once where both ends are one."""
    plain = session_capture_filter(analysis, 0, link_type=113)
    assert plain == (
        "host 192.0.2.10 and host 198.51.100.21 and "
        "(tcp port 50112 and tcp port 4059 or (ip[6:2] & 0x1fff) != 0 or ip6[6] = 44)"
    )
    assert session_capture_filter(analysis, 0).count(plain) == 3
    assert "50112" not in session_capture_filter(analysis, 0, again=True)
    assert "tcp port 4059" in session_capture_filter(analysis, 0, again=True)


def test_tcpdump_takes_the_packets_of_the_session_alone(analysis):
    """Of each stream of a sample as many as it has."""
    tcpdump = shutil.which("tcpdump")
    if tcpdump is None:
        pytest.skip("TCPDUMP MISSING: no filter can be tried")
    for stream in range(len(analysis.streams)):
        words = [tcpdump, "-n", "-r", SAMPLE, session_capture_filter(analysis, stream)]
        said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
        # Later fragments between the same ends are taken with any of their streams.
        taken, own = len(said.stdout.splitlines()), int(analysis.streams["packets"][stream])
        assert own <= taken <= own + 4, stream
