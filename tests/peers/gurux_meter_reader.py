"""Process of its own: a Gurux client reads a whole meter at HOST PORT, as the JSON on the command line says.

Association (none, password, or HLS and ciphered), object list, every attribute that may be read, with-list,
and the load profile whole, by range and by entries. It prints JSON: values by class, name and attribute.
"""

import contextlib
import datetime
import json
import socket
import sys

from gurux_dlms import GXByteBuffer, GXDateTime, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType, ObjectType, Security
from gurux_dlms.objects import GXDLMSProfileGeneric
from gurux_dlms.secure import GXDLMSSecureClient


class Reader:
    """One association over one connection; `requests` counts the APDUs sent."""

    def __init__(self, link, client):
        self.link, self.client = link, client
        self.requests = 0

    def exchange(self, request, reply):
        self.link.sendall(request)
        self.requests += 1
        octets, notify = GXByteBuffer(), GXReplyData()
        while not self.client.getData(octets, reply, notify):
            received = self.link.recv(4096)
            if not received:
                raise ConnectionError("the server closed the connection")
            octets.set(received)
        if reply.error:
            raise RuntimeError(f"error {reply.error}")

    def ask(self, requests):
        """All blocks of the answer to one request."""
        reply = GXReplyData()
        for request in requests:
            for one in [request] if isinstance(request, (bytes, bytearray)) else request:
                reply.clear()
                self.exchange(one, reply)
                while reply.isMoreData():
                    self.exchange(self.client.receiverReady(reply), reply)
        return reply

    def associate(self):
        reply = self.ask(self.client.aarqRequest())
        self.client.parseAareResponse(reply.data)
        if self.client.getIsAuthenticationRequired():
            reply = self.ask(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)


def shown(value):
    """A value as JSON has it."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (list, tuple)):
        return [shown(one) for one in value]
    if isinstance(value, GXDateTime):
        return value.value.replace(tzinfo=None).isoformat()
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)


def client_of(wishes):
    authentication = Authentication[wishes.get("authentication", "NONE")]
    password = wishes.get("password", "").encode() or None
    client = GXDLMSSecureClient(
        True,
        wishes.get("client", 16),
        wishes.get("server", 1),
        authentication,
        password,
        InterfaceType.WRAPPER,
    )
    client.maxReceivePDUSize = wishes.get("pdu", 0xFFFF)
    if "encryption" in wishes:
        ciphering = client.ciphering
        ciphering.security = Security.AUTHENTICATION_ENCRYPTION
        ciphering.systemTitle = b"GRXCLI01"
        ciphering.blockCipherKey = bytes.fromhex(wishes["encryption"])
        ciphering.authenticationKey = bytes.fromhex(wishes["authentication_key"])
        ciphering.invocationCounter = wishes.get("counter", 10)
    return client


def read_profile(reader, item, result):
    """The profile by range and by entries, beside the whole of it, which was read before."""
    whole = item.buffer
    last = whole[-1][0].value.replace(tzinfo=None)
    start = last - datetime.timedelta(hours=2)
    utc = datetime.UTC
    first, stop = (GXDateTime(moment.replace(tzinfo=utc)) for moment in (start, last))
    by_range = GXDLMSProfileGeneric(item.logicalName)
    by_range.captureObjects, by_range.sortObject = item.captureObjects, item.sortObject
    reply = reader.ask([reader.client.readRowsByRange(by_range, first, stop)])
    result["range"] = shown(reply.value)
    reply = reader.ask([reader.client.readRowsByEntry(by_range, 3, 4)])
    result["entries"] = shown(reply.value)


def read_attributes(reader, wanted, result):
    """These attributes, each by class, name and number, whatever object list there is."""
    for class_id, name, number in wanted:
        key = f"{class_id} {name} {number}"
        try:
            reply = reader.ask([reader.client._read(name, ObjectType(class_id), number)])
        except RuntimeError as reason:
            result["refused"].append([key, str(reason)])
            continue
        result["values"][key] = shown(reply.value)
    reader.ask(reader.client.releaseRequest())
    result["released"] = True


def main(host, port, wishes):
    client = client_of(wishes)
    result = {"values": {}, "refused": []}
    with socket.create_connection((host, port), timeout=60) as link:
        reader = Reader(link, client)
        reader.associate()
        if "attributes" in wishes:
            read_attributes(reader, wishes["attributes"], result)
            return result
        reply = reader.ask([client.getObjectsRequest()])
        client.parseObjects(reply.data, True, False)
        result["objects"] = [[int(one.objectType), one.logicalName] for one in client.objects]
        for item in client.objects:
            last = item.getAttributeCount()
            profile = item.objectType == ObjectType.PROFILE_GENERIC
            # A profile's rows are understood once its columns are known.
            numbers = [*range(1, last + 1)]
            if profile:
                numbers.remove(2)
                numbers.append(2)
            for number in numbers:
                key = f"{int(item.objectType)} {item.logicalName} {number}"
                reply = GXReplyData()
                try:
                    reply = reader.ask([client.read(item, number)])
                except RuntimeError as reason:
                    result["refused"].append([key, str(reason)])
                    continue
                value = client.updateValue(item, number, reply.value)
                result["values"][key] = len(item.buffer) if profile and number == 2 else shown(reply.value)
                if value is None and profile:
                    continue
            if profile and item.logicalName == "1.0.99.1.0.255" and item.buffer:
                read_profile(reader, item, result)
        registers = [(one, 2) for one in client.objects if one.objectType == ObjectType.REGISTER]
        if len(registers) > 1:
            reply = GXReplyData()
            values = []
            for request in client.readList(registers):
                reply = reader.ask([request])
                values += reply.value
            result["list"] = shown(values)
            client.updateValues(registers[: len(values)], values)
        result["requests"] = reader.requests
        reader.ask(client.releaseRequest())
        result["released"] = True
    return result


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # the library has remarks
        printed = main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
    print(json.dumps(printed))
