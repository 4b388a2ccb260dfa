"""Groups joined or refused in words, and links that begin at a chosen address or interface."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.networks import Origin
from cosemscope.live.links.tcp_link import connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.udp_link import connect_udp, serve_udp
from tests.helpers.coroutines import run

APDU = bytes.fromhex("c001c1000100002a0000ff0200")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the networks of loopback are Linux's")


@linux_only
@pytest.mark.parametrize(("host", "groups"), [("239.7.7.7", []), ("0.0.0.0", ["239.7.7.7"])])
@pytest.mark.parametrize("interface", ["lo", ""])
def test_a_group_is_joined(host: str, groups: list[str], interface: str) -> None:
    """As the address that is listened at, or besides; on the interface chosen, or on all."""

    async def work() -> None:
        async with (
            serve_udp(host, 0, groups=groups, interface=interface) as server,
            connect_udp("239.7.7.7", server.address.port, origin=Origin(interface="lo")) as link,
        ):
            await link.send(APDU)
            indication = await server.receive(2)
            assert indication.data == APDU
            assert indication.broadcast

    run(work())


@pytest.mark.parametrize(
    ("groups", "interface", "words"),
    [
        (["192.0.2.1"], "", "no group"),
        (["239.7.7.7"], "nosuch0", "no interface of this computer; it has .*"),
        (["ff02::7"], "", "another IP version"),
    ],
)
def test_what_cannot_be_joined_is_refused_in_words(groups: list[str], interface: str, words: str) -> None:
    """And no server is there then that would get nothing."""

    async def work() -> None:
        with pytest.raises(LinkError, match=words) as caught:
            async with serve_udp("127.0.0.1", 0, groups=groups, interface=interface):
                pass
        assert caught.value.fault is Fault.ADDRESS

    run(work())


_IN_A_NETWORK = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.networks import Origin
from cosemscope.live.links.tcp_link import connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.udp_link import connect_udp, serve_udp

async def heard(host, groups, interface, to, leaving):
    async with serve_udp(host, 4059, groups=groups, interface=interface) as server:
        async with connect_udp(to, 4059, origin=Origin(interface=leaving)) as link:
            await link.send(b"\\xc0")
            try:
                came = await server.receive(0.5)
            except TimeoutError:
                return "nothing"
            return f"{came.local_ip_address} {came.broadcast}"

async def taken(interface):
    async with serve_tcp("0.0.0.0", 4059, interface=interface, handler=lambda link: link.receive()):
        try:
            async with connect_tcp("127.0.0.1", 4059):
                return "taken"
        except ConnectionError:
            return "refused"

async def main():
    print(await heard("::", ["ff02::1234"], "one", "ff02::1234", "one"))
    print(await heard("ff02::1234", [], "two", "ff02::1234", "two"))
    print(await heard("ff05::1234", [], "", "ff05::1234", "two"))
    print(await heard("::", ["ff02::1234"], "two", "ff02::1234", "one"))
    print(await heard("0.0.0.0", [], "", "10.1.0.255", ""))
    for interface in ("lo", "two"):
        print(await taken(interface))
    try:
        await heard("ff02::1234", [], "", "ff02::1234", "two")
    except LinkError as error:
        print(error)

asyncio.run(main())
"""
_NETWORK = """
ip link set lo up
ip link add one type veth peer name afar
ip link add two type veth peer name away
ip addr add 10.1.0.1/24 broadcast 10.1.0.255 dev one
ip addr add 10.2.0.1/24 broadcast 10.2.0.255 dev two
for name in one two afar away; do ip link set $name up; done
sleep 2.2
"""


@linux_only
def test_groups_of_ipv6_and_broadcasts_of_a_network_of_our_own(tmp_path: Path) -> None:
    """Groups are those of the interface chosen, and a network's own broadcast address is known for one."""
    script, app = tmp_path / "script.py", Path(__file__).resolve().parents[3] / "app"
    script.write_text(_IN_A_NETWORK)
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rn", "true"]).returncode:
        pytest.skip("this system makes no network namespace for us")
    steps = f"{_NETWORK} {sys.executable} {script} {app}"
    ran = subprocess.run(
        ["unshare", "-rn", "sh", "-ec", steps], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "ff02::1234 True",
        "ff02::1234 True",
        "ff05::1234 True",
        "nothing",
        "10.1.0.255 True",
        "taken",
        "refused",
        "ff02::1234 holds on one interface only: say on which",
    ]


@linux_only
@pytest.mark.parametrize("connect", [connect_tcp, connect_udp])
def test_a_link_begins_where_it_is_told_to(connect) -> None:  # type: ignore[no-untyped-def]
    """An address of this computer, an interface of it; what is none is refused in words."""

    async def work() -> None:
        async with serve_tcp("127.0.0.1", 0) as server:
            where = server.address
            async with connect(*where, origin=Origin("127.0.0.9", 0, "lo")) as link:
                assert link.local.host == "127.0.0.9"
            for origin, words in (
                (Origin("192.0.2.1"), "192.0.2.1:0 is not an address of this computer"),
                (Origin("::1"), "one is IPv4, the other IPv6"),
                (Origin(interface="nosuch0"), "no interface of this computer"),
            ):
                with pytest.raises(LinkError, match=words) as caught:
                    async with connect(*where, origin=origin):
                        pass
                assert caught.value.fault is Fault.ADDRESS

    run(work())


def test_interfaces_are_named_where_one_is_unknown() -> None:
    """Whoever mistyped it sees what there is."""

    async def work() -> None:
        with pytest.raises(LinkError) as caught:
            async with serve_udp("127.0.0.1", 0, interface="nosuch0"):
                pass
        assert all(name in caught.value.message for _, name in socket.if_nameindex())

    run(work())
