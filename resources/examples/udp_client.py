"""The same over UDP, one datagram there and one back: `python udp_client.py [HOST [PORT]]`."""

import asyncio
import sys

from cosemscope.live import LinkError, connect_udp
from cosemscope.live.commands.ready_made import public_aarq, release_request


async def main(host: str = "127.0.0.1", port: str = "4059") -> None:
    """Send AARQ and RLRQ as public client (wPort 16) to the management logical device (wPort 1)."""
    async with connect_udp(host, int(port), local_wport=16, remote_wport=1) as link:
        for apdu in (public_aarq(), release_request()):
            print((await link.request(apdu, timeout=5)).hex())


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except LinkError as error:
        sys.exit(error.message)
