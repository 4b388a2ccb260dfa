"""Process of its own: the MIT-licensed dlms-cosem client reads from the server at HOST PORT and prints JSON.

Association, a short GET, a long GET in blocks, release: the same conversation as the Gurux client's.
"""

import json
import sys

from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DlmsClient


def main(host: str, port: int) -> None:
    """Run the whole conversation."""
    client = DlmsClient.with_tcp_transport(
        host=host, port=port, client_logical_address=16, server_logical_address=1, block_transfer=True
    )
    result: dict[str, object] = {}

    def read(*obis: int) -> bytes:
        return client.get(cosem.CosemAttribute(enumerations.CosemInterface.DATA, cosem.Obis(*obis), 2))

    with client.session():
        result["associated"] = True
        result["name"] = read(0, 0, 42, 0, 0, 255)[2:].decode()  # after the tag and the length octet
        result["long"] = read(0, 0, 96, 1, 0, 255)[4:].hex()  # after the tag and a length of three octets
    result["released"] = True
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
