"""Process of its own: an APDU in hex a line goes through dlms-cosem, which reads it and makes it anew.

An empty line stands for an APDU that the library does not know.
"""

import sys

from dlms_cosem.connection import XDlmsApduFactory

for line in sys.stdin:
    octets = bytes.fromhex(line.strip())
    try:
        print(bytes(XDlmsApduFactory.apdu_from_bytes(octets).to_bytes()).hex(), flush=True)
    except Exception:
        print(flush=True)
