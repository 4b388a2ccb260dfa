"""Process of its own: a Gurux server on a loopback port; prints the port, serves until its input ends.

The server of this Python port calls accessors that the port has lost (`setReply`, `notifyRead`,
`getTransaction` and others); they are added here, so that what it says on the wire is its own.
Objects: logical device name (0.0.42.0.0.255) and a long octet string (0.0.96.1.0.255) that needs blocks.
"""

# ruff: noqa: N802, N803, N815 - the library's own names
import socket
import sys
import threading

from gurux_dlms import GXDLMSServer, GXServerReply
from gurux_dlms.enums import AccessMode, DataType, InterfaceType, MethodAccessMode, SourceDiagnostic
from gurux_dlms.objects import GXDLMSAssociationLogicalName, GXDLMSData


class Meter(GXDLMSServer):
    """A meter that lets everyone in and answers reads from memory."""

    def __init__(self) -> None:
        super().__init__(True, InterfaceType.WRAPPER)
        self.settings.gbtWndowSize = 1  # spelt so where it is read
        self.settings.getMaxPduSize = lambda: self.settings.maxPduSize
        for name, value in (
            ("0.0.42.0.0.255", b"GRX0000000000001"),
            ("0.0.96.1.0.255", bytes(i % 251 for i in range(1000))),
        ):
            item = GXDLMSData(name)
            item.value = value
            item.setDataType(2, DataType.OCTET_STRING)
            self.items.append(item)
        association = GXDLMSAssociationLogicalName()  # made here: the library's own default fails
        association.objectList.extend(self.items)
        self.items.append(association)
        self.initialize()

    def isTarget(self, serverAddress, clientAddress):
        return serverAddress == 1 and clientAddress == 16

    def onValidateAuthentication(self, authentication, password):
        return SourceDiagnostic.NONE

    def onGetAttributeAccess(self, arg):
        return AccessMode.READ

    def onGetMethodAccess(self, arg):
        return MethodAccessMode.NO_ACCESS

    def getTransaction(self):
        return self.transaction

    def setTransaction(self, value):
        self.transaction = value
        if value is not None:
            value.setData = lambda octets: setattr(value, "data", octets)

    def ignore(self, *_arguments):
        """The event needs no answer."""

    onFindObject = onPreRead = onPostRead = onPreWrite = onPostWrite = onPreGet = onPostGet = ignore
    onPreAction = onPostAction = onConnected = onInvalidConnection = onDisconnected = ignore
    notifyRead = ignore


class Answer(GXServerReply):
    """The library's reply with the two accessors that its own server calls and that it lacks."""

    def setReply(self, value):
        self.reply = value

    def getConnectionInfo(self):
        return self.connectionInfo

    def setCount(self, value):
        self.count = value


def serve(connection: socket.socket) -> None:
    """One connection: a meter of its own, so that nothing of the last association is left."""
    meter = Meter()
    with connection:
        while octets := connection.recv(2048):
            answer = Answer(octets)
            meter.handleRequest(answer)
            if answer.reply:
                connection.sendall(bytes(answer.reply))


def main(host: str) -> None:
    """Listen until killed or until standard input ends."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        sys.stdin.read()


def accept(listener: socket.socket) -> None:
    """Take connections, each in a thread."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1")
