"""Serve two logical devices over TCP on this computer: `python tcp_server.py [PORT]`.

Every APDU is answered with an exception-response (service not supported): the place for your own answers.
What was sent to All-station is not answered.
"""

import asyncio
import sys

from cosemscope.live import TcpLink, serve_tcp

SERVICE_NOT_SUPPORTED = bytes.fromhex("d80102")


async def converse(link: TcpLink) -> None:
    """One connection; it ends with a LinkError when the client closes, which the server takes care of."""
    while True:
        request = await link.indication()
        print(f"{link.remote} wPort {request.remote_wport} to {request.local_wport}: {request.data.hex()}")
        if not request.broadcast:
            await link.reply(request, SERVICE_NOT_SUPPORTED)


async def main(port: str = "4059") -> None:
    """Listen until interrupted."""
    async with serve_tcp("127.0.0.1", int(port), local_wports=(1, 17), handler=converse) as server:
        print(f"listening on {server.address}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
