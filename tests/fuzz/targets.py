"""Every target by its name: what reads octets of others, from the file to the tree."""

from tests.fuzz.apdu_targets import APDU, ASSOCIATION, HDLC
from tests.fuzz.application_targets import RECEIVED, VALUES
from tests.fuzz.capture_targets import CAPTURE, HEADERS, PCAP, PCAPNG, TCP
from tests.fuzz.filter_targets import FILTER
from tests.fuzz.text_targets import KEY_FILE, PASTED

TARGETS = {
    target.name: target
    for target in (
        PCAP,
        PCAPNG,
        HEADERS,
        TCP,
        CAPTURE,
        HDLC,
        APDU,
        ASSOCIATION,
        KEY_FILE,
        PASTED,
        FILTER,
        VALUES,
        RECEIVED,
    )
}
