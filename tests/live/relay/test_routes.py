"""Which address leads where: as typed, by a table, and what is said of those that lead nowhere."""

from pathlib import Path

import pytest

from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import LinkError
from cosemscope.live.relay.routes import Route, checked_routes, read_table


@pytest.mark.parametrize(
    ("typed", "listen", "target"),
    [
        ("4060=192.0.2.8", ("127.0.0.1", 4060), ("192.0.2.8", 4059)),
        ("0.0.0.0:4060=meter.example:1", ("0.0.0.0", 4060), ("meter.example", 1)),
        ("[::]:4060=[2001:db8::1]:4061", ("::", 4060), ("2001:db8::1", 4061)),
        (":0=192.0.2.8", ("127.0.0.1", 0), ("192.0.2.8", 4059)),
    ],
)
def test_routes_as_typed(typed: str, listen: tuple[str, int], target: tuple[str, int]) -> None:
    """A port alone is one of this computer; the target's port is that of DLMS unless given."""
    assert Route.typed(typed) == Route(LinkAddress(*listen), LinkAddress(*target))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("4060", "no route: write LISTEN=TARGET"),
        ("4060=", "there is no target"),
        ("70000=h", "no port"),
        ("4060=h:0", "nobody can be reached at port 0"),
        ("4060=127.0.0.1:4060", "would lead to itself"),
        ("::1=h=x y", "no spaces"),
    ],
)
def test_what_is_no_route_is_said(typed: str, words: str) -> None:
    """With what was typed."""
    with pytest.raises(LinkError, match=words):
        Route.typed(typed)


def test_two_targets_of_one_address() -> None:
    """Are told with both, unless one is of TCP and the other of UDP, or the system chooses the port."""
    one, other = Route.typed("4060=192.0.2.8"), Route.typed("4060=192.0.2.9")
    with pytest.raises(LinkError, match=r"4060 TCP leads to 192.0.2.8:4059 and to 192.0.2.9:4059"):
        checked_routes([one, other])
    apart = Route.typed("4060=a", tcp=False), Route.typed("4060=b", udp=False)
    assert checked_routes(apart) == apart
    free = Route.typed(":0=a"), Route.typed(":0=b")
    assert checked_routes(free) == free
    with pytest.raises(LinkError, match="nothing to relay"):
        checked_routes([])


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "meters.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table(tmp_path: Path) -> None:
    """As README shows it; what the command line leaves out is left out."""
    path = table(
        tmp_path,
        '[[relay]]\nlisten = 4060\ntarget = "192.0.2.8"\nudp = false\n'
        '[[relay]]\nlisten = "0.0.0.0:4061"\ntarget = "[::1]:1"\n',
    )
    first, second = read_table(path)
    assert first == Route(LinkAddress("127.0.0.1", 4060), LinkAddress("192.0.2.8", 4059), udp=False)
    assert second == Route(LinkAddress("0.0.0.0", 4061), LinkAddress("::1", 1))
    with pytest.raises(LinkError, match="1: neither TCP nor UDP is left of it"):
        read_table(path, tcp=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[relay", "no TOML"),
        ("relay = 1", "no table of routes"),
        ("other = 1\n[[relay]]", "no table of routes"),
        ("[[relay]]\nlisten = 1", "1: target is missing"),
        ('[[relay]]\nlisten = 1\ntarget = "h"\nport = 1', "1: there is no 'port'; there are listen, target"),
        ("[[relay]]\nlisten = 1\ntarget = 2", "1: target cannot be '2'"),
        ('[[relay]]\nlisten = 99999\ntarget = "h"', "1: '99999' is no port"),
    ],
)
def test_what_is_no_table_is_said(text: str, words: str, tmp_path: Path) -> None:
    """With the file, the row and the key."""
    path = table(tmp_path, text)
    with pytest.raises(LinkError, match=words) as caught:
        read_table(path)
    assert str(path) in caught.value.message


def test_files_that_are_none(tmp_path: Path) -> None:
    """One that is not there, octets that are no text, and one without an end."""
    with pytest.raises(LinkError, match="cannot be read: No such file"):
        read_table(tmp_path / "none.toml")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(LinkError, match="no TOML"):
        read_table(binary)
    long = tmp_path / "long"
    long.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(LinkError, match="more than 1,048,576 octets"):
        read_table(long)
