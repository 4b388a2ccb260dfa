"""The packets that carry some WPDUs: those with their octets, all IP fragments, and handshakes on demand."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.capture.columns import Array
from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN, TCP

Numbers = npt.NDArray[np.int64]


def chosen_packets(subject: Subject, *, handshakes: bool = False) -> Numbers:
    """The packet rows, int64[n] ascending, that carry the WPDUs that are left; all packets where all are.

    With `handshakes` also the packets that open and end the TCP connections of these WPDUs.
    """
    analysis = subject.analysis
    if subject.rows is None:
        return np.arange(len(analysis.packets))
    chosen = np.zeros(len(analysis.packets), np.bool_)
    chosen[analysis.wpdus.pieces(subject.rows)[1]] = True
    for stands, packets in analysis.table.fragments.items():
        if chosen[stands]:
            chosen[list(packets)] = True
    if handshakes:
        wanted = np.zeros(len(analysis.streams), np.bool_)
        wanted[analysis.wpdus["stream"][subject.rows]] = True
        stream = analysis.packet_streams["stream"]
        of_them = (stream >= 0) & (analysis.packets["protocol"] == TCP)
        of_them[of_them] = wanted[stream[of_them]]
        chosen |= of_them & _opens_or_ends(analysis.packets["flags"], np.where(of_them, stream, -1))
    return np.flatnonzero(chosen)


def _opens_or_ends(flags: Array, stream: Array) -> npt.NDArray[np.bool_]:
    """Whether packets have SYN, FIN or RST, or follow a SYN with ACK: the third of a handshake."""
    marked: npt.NDArray[np.bool_] = (flags & (SYN | FIN | RST)) > 0
    # Invariant: `order` has the packets of each stream together, in the order of the capture.
    order = np.argsort(stream, kind="stable")
    answers = (flags[order] & (SYN | ACK)) == SYN | ACK
    third = np.flatnonzero(answers[:-1] & (stream[order[:-1]] == stream[order[1:]])) + 1
    marked[order[third]] = True
    return marked
