"""What is no capture is named, and it is said what to do about it."""

import gzip
import os
from pathlib import Path

import pytest

from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.records import CaptureError


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"snoop\0\0\0\0\0\0\2\0\0\0\4", "a snoop capture. Save it as pcapng with Wireshark or editcap"),
        (b"btsnoop\0\0\0\0\1\0\0\3\xea", "btsnoop capture"),
        (b"GMBU\0\2" + bytes(60), "Network Monitor 2 capture. Save it as pcapng"),
        (b"RTSS\1\1" + bytes(60), "Network Monitor 1 capture. Save it as pcapng"),
        (b"PK\3\4\x14\0" + bytes(40), "a zip archive. Unpack it"),
        (b"\x7fELF\2\1\1" + bytes(60), "a program"),
        (b"\0\x0a\0\x40" + bytes(60), "IPFIX"),
        (b'{"packets": [1, 2, 3]}\n', "it is JSON"),
        (b'<?xml version="1.0"?>\n<pdml>', "XML"),
        (b"12:01:02.123456 IP 10.0.0.1.4059 > 10.0.0.2.50000: Flags [P.]", "tcpdump -w"),
        (b"0000  00 01 00 01 00 10 00 12  c4 01 c1 00", "a hex dump"),
        (b"Dear colleague,\nplease find attached", "it is a text"),
        (b"\x81\x82\x83\x00\x01", "it begins with 81 82 83 00."),
        (b"", "is empty"),
    ],
)
def test_a_file_that_is_no_capture_is_named(tmp_path: Path, octets: bytes, says: str) -> None:
    """By its first octets, also when it was compressed."""
    plain, packed = tmp_path / "x.cap", tmp_path / "x.cap.gz"
    plain.write_bytes(octets)
    packed.write_bytes(gzip.compress(octets))
    for path in (plain, packed):
        with pytest.raises(CaptureError) as told:
            open_capture(path)
        assert says in str(told.value)
        assert str(told.value).startswith(str(path))


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    """A folder, and a named pipe, which is not waited for."""
    with pytest.raises(CaptureError, match=r"is a folder\. Name a capture file in it"):
        open_capture(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(CaptureError, match=f"named pipe.*cosemscope list - < {pipe}"):
        open_capture(pipe)
    with pytest.raises(CaptureError, match="is a device"):
        open_capture(os.devnull)
