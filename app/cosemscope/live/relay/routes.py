"""Which address leads to which target: one pair as typed, several of them, or a table in a TOML file.

[[relay]]
listen = "127.0.0.1:4059"     # or a port alone, which is on loopback
target = "192.0.2.7"          # port 4059 unless given
udp = false                   # both unless one of them is false
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosemscope.live.links.addresses import LinkAddress, parse_address
from cosemscope.live.links.faults import Fault, LinkError

#: Routes of one process, at most: each has descriptors of its own.
MOST_ROUTES = 1000
#: Octets of a table, at most.
_LONGEST_TABLE = 1 << 20
_KEYS = {"listen": str, "target": str, "tcp": bool, "udp": bool}


@dataclass(frozen=True)
class Route:
    """What comes to `listen` goes to `target`, over TCP, UDP or both."""

    listen: LinkAddress
    target: LinkAddress
    tcp: bool = True
    udp: bool = True

    @classmethod
    def of(cls, listen: str, target: str, *, tcp: bool = True, udp: bool = True) -> "Route":
        """The route between two addresses as typed; a bare number is a port of this computer.

        Raises LinkError (Fault.ADDRESS) when one of them is none.
        """
        if not target.strip():
            raise LinkError(Fault.ADDRESS, f"there is no target for {listen!r}: name its host")
        here = parse_address(f":{listen.strip()}" if listen.strip().isdecimal() else listen)
        there = parse_address(target)
        if not there.port:
            raise LinkError(Fault.ADDRESS, f"{target!r} is no target: nobody can be reached at port 0")
        if here == there and here.port:
            raise LinkError(Fault.ADDRESS, f"{here} would lead to itself: listen on another port")
        return cls(here, there, tcp, udp)

    @classmethod
    def typed(cls, text: str, *, tcp: bool = True, udp: bool = True) -> "Route":
        """The route that `LISTEN=TARGET` names. Raises LinkError (Fault.ADDRESS)."""
        listen, equals, target = text.partition("=")
        if not equals:
            raise LinkError(Fault.ADDRESS, f"{text!r} is no route: write LISTEN=TARGET, as in 4060=192.0.2.8")
        return cls.of(listen, target, tcp=tcp, udp=udp)


def checked_routes(routes: Iterable[Route]) -> tuple[Route, ...]:
    """The routes, when there is one at least and no address leads to two targets. Raises LinkError."""
    found = tuple(routes)
    if not found:
        raise LinkError(Fault.ADDRESS, "there is nothing to relay: name LISTEN and TARGET, or a table")
    if len(found) > MOST_ROUTES:
        raise LinkError(Fault.ADDRESS, f"{len(found)} routes are more than the {MOST_ROUTES} of one relay")
    taken: dict[tuple[str, LinkAddress], Route] = {}
    for route in found:
        for over in [word for word, wanted in (("TCP", route.tcp), ("UDP", route.udp)) if wanted]:
            other = taken.setdefault((over, route.listen), route)
            if other is not route and route.listen.port:
                raise LinkError(
                    Fault.ADDRESS,
                    f"{route.listen} {over} leads to {other.target} and to {route.target}: take two ports",
                )
    return found


def read_table(path: Path, *, tcp: bool = True, udp: bool = True) -> list[Route]:
    """The routes of a TOML file. Raises LinkError (Fault.ADDRESS) with the file and what is wrong in it."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_TABLE + 1)
        if len(text) > _LONGEST_TABLE:
            raise LinkError(Fault.ADDRESS, f"{path} has more than {_LONGEST_TABLE:,} octets: no such table")
        table = tomllib.loads(text.decode())
    except OSError as error:
        raise LinkError(Fault.ADDRESS, f"{path} cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise LinkError(Fault.ADDRESS, f"{path} is no TOML: {error}") from None
    rows = table.pop("relay", None)
    if table or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LinkError(Fault.ADDRESS, f"{path} is no table of routes: it has [[relay]] and nothing else")
    return [_row(path, number, row, tcp, udp) for number, row in enumerate(rows, 1)]


def _row(path: Path, number: int, row: dict[str, Any], tcp: bool, udp: bool) -> Route:
    place = f"{path}, [[relay]] {number}"
    for name, value in row.items():
        kind = _KEYS.get(name)
        if kind is None:
            raise LinkError(Fault.ADDRESS, f"{place}: there is no {name!r}; there are {', '.join(_KEYS)}")
        if type(value) is not kind and not (name == "listen" and type(value) is int):
            raise LinkError(Fault.ADDRESS, f"{place}: {name} cannot be {str(value)[:80]!r}")
    for name in ("listen", "target"):
        if name not in row:
            raise LinkError(Fault.ADDRESS, f"{place}: {name} is missing")
    over = {"tcp": tcp and row.get("tcp", True), "udp": udp and row.get("udp", True)}
    if not any(over.values()):
        raise LinkError(Fault.ADDRESS, f"{place}: neither TCP nor UDP is left of it")
    try:
        return Route.of(str(row["listen"]), row["target"], **over)
    except LinkError as error:
        raise LinkError(Fault.ADDRESS, f"{place}: {error.message}") from None
