"""Process of its own: a Gurux client reads from the server at HOST PORT over the wrapper and prints JSON.

Association, a short GET (clock's logical name), a long GET in blocks, release.
"""

import json
import socket
import sys
import time

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSData


def exchange(link: socket.socket, client: GXDLMSClient, request: bytes, reply: GXReplyData) -> None:
    """Send one request and read until Gurux says that the reply is complete."""
    link.sendall(request)
    octets = GXByteBuffer()
    notify = GXReplyData()
    while not client.getData(octets, reply, notify):
        received = link.recv(2048)
        if not received:
            raise ConnectionError("the server closed the connection")
        octets.set(received)
    if reply.error:
        raise RuntimeError(f"error {reply.error}")


def read(link: socket.socket, client: GXDLMSClient, item: GXDLMSData, attribute: int) -> tuple[bytes, int]:
    """One attribute, over as many blocks as it takes: its octets and the number of requests it took."""
    reply = GXReplyData()
    requests = 0
    for request in client.read(item, attribute):
        exchange(link, client, request, reply)
        requests += 1
        while reply.isMoreData():
            exchange(link, client, client.receiverReady(reply), reply)
            requests += 1
    value = reply.value
    return (bytes(value) if not isinstance(value, bytes) else value), requests


def main(host: str, port: int) -> None:
    """Run the whole conversation."""
    client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)
    result: dict[str, object] = {}
    with socket.create_connection((host, port), timeout=10) as link:
        reply = GXReplyData()
        for request in client.aarqRequest():
            exchange(link, client, request, reply)
        client.parseAareResponse(reply.data)
        result["associated"] = True
        value, requests = read(link, client, GXDLMSData("0.0.42.0.0.255"), 2)
        result["name"], result["name_requests"] = value.decode(), requests
        value, requests = read(link, client, GXDLMSData("0.0.96.1.0.255"), 2)
        result["long"], result["long_requests"] = value.hex(), requests
        reply = GXReplyData()
        for request in client.releaseRequest():
            exchange(link, client, request, reply)
        result["released"] = True
        time.sleep(0.05)
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
