"""Rules by which the user declares the framing of ports and streams; they go before content."""

from dataclasses import dataclass, field

from cosemscope.streams.tables.framing import Framing

#: The words of `--decode-as`, and what they mean.
WORDS: dict[str, Framing] = {
    "wrapper": Framing.WRAPPER,
    "swapped": Framing.SWAPPED,
    "hdlc": Framing.HDLC,
    "bare": Framing.BARE,
    "mbus": Framing.MBUS,
    "coap": Framing.COAP,
    "none": Framing.UNKNOWN,
}


@dataclass(frozen=True)
class DecodeAs:
    """Framings that are set instead of recognised: by (protocol, port) and by stream number.

    `protocol` is 6 (TCP), 17 (UDP) or 0 (either). A stream's own rule goes before one of its ports.
    """

    ports: dict[tuple[int, int], Framing] = field(default_factory=dict)
    streams: dict[int, Framing] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.ports or self.streams)

    def framing(self, stream: int, protocol: int, ports: tuple[int, int]) -> Framing | None:
        """The framing that the user has set for a stream between these two ports, if any."""
        if stream in self.streams:
            return self.streams[stream]
        for port in ports:
            for key in ((protocol, port), (0, port)):
                if key in self.ports:
                    return self.ports[key]
        return None


def parse_decode_as(rules: list[str]) -> DecodeAs:
    """The overrides that words like `4060=hdlc`, `udp:4059=none` or `stream:3=wrapper` name.

    Raises ValueError, with a sentence for people, for anything else.
    """
    ports: dict[tuple[int, int], Framing] = {}
    streams: dict[int, Framing] = {}
    for rule in rules:
        where, _, word = rule.partition("=")
        kind, _, number = where.rpartition(":")
        framing = WORDS.get(word.strip().lower())
        if framing is None:
            raise ValueError(f"“{rule}”: after = must stand one of {', '.join(WORDS)}.")
        if not number.strip().isdigit() or kind not in ("", "tcp", "udp", "stream"):
            raise ValueError(f"“{rule}”: write PORT=…, tcp:PORT=…, udp:PORT=… or stream:NUMBER=….")
        if kind == "stream":
            streams[int(number)] = framing
        else:
            ports[({"": 0, "tcp": 6, "udp": 17}[kind], int(number))] = framing
    return DecodeAs(ports, streams)
