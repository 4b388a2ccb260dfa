"""Serve two logical devices over UDP on this computer: `python udp_server.py [PORT]`.

Every APDU is answered with an exception-response (service not supported); what was broadcast is not answered.
"""

import asyncio
import sys

from cosemscope.live import serve_udp

SERVICE_NOT_SUPPORTED = bytes.fromhex("d80102")


async def main(port: str = "4059") -> None:
    """Listen until interrupted."""
    async with serve_udp("127.0.0.1", int(port), local_wports=(1, 17)) as server:
        print(f"listening on {server.address}", flush=True)
        while True:
            request = await server.receive()
            print(f"wPort {request.remote_wport} to {request.local_wport}: {request.data.hex()}")
            if not request.broadcast:
                await server.reply(request, SERVICE_NOT_SUPPORTED)


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
