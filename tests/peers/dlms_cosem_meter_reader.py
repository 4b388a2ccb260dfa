"""Process of its own: the MIT-licensed dlms-cosem client reads a whole meter at HOST PORT and prints JSON.

As the JSON on the command line says it associates with HLS-GMAC and ciphering, or with neither. It reads the
object list, every attribute that may be read, two attributes in one list, and a range of the load profile.
"""

import datetime
import json
import sys

from dlms_cosem import cosem, enumerations, utils
from dlms_cosem.clients.dlms_client import DataResultError, DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.time import datetime_from_bytes

OBJECT_LIST = (15, "0.0.40.0.0.255", 2)
CLOCK, ENERGY = (8, "0.0.1.0.0.255", 2), (3, "1.0.1.8.0.255", 2)
PROFILE = (7, "1.0.99.1.0.255", 2)


def attribute(class_id: int, name: str, number: int) -> cosem.CosemAttribute:
    """An attribute as the library has it."""
    obis = cosem.Obis(*map(int, name.split(".")))
    return cosem.CosemAttribute(enumerations.CosemInterface(class_id), obis, number)


def main(host: str, port: int, wishes: dict) -> None:
    """Run the whole conversation."""
    secured = {}
    if "encryption" in wishes:
        secured = {
            "authentication_method": enumerations.AuthenticationMechanism.HLS_GMAC,
            "encryption_key": bytes.fromhex(wishes["encryption"]),
            "authentication_key": bytes.fromhex(wishes["authentication_key"]),
            "client_system_title": b"DCOCLI01",
            "client_initial_invocation_counter": wishes.get("counter", 10),
            "dedicated_ciphering": wishes.get("dedicated", False),
        }
    client = DlmsClient.with_tcp_transport(
        host=host,
        port=port,
        client_logical_address=wishes.get("client", 16),
        server_logical_address=wishes.get("server", 1),
        block_transfer=True,
        timeout=60,
        **secured,
    )
    result: dict[str, object] = {"values": {}, "refused": []}
    with client.session():
        listed = utils.parse_as_dlms_data(client.get(attribute(*OBJECT_LIST)))
        result["objects"] = [[one[0], ".".join(map(str, one[2]))] for one in listed]
        for class_id, _, instance, rights in listed:
            name = ".".join(map(str, instance))
            for number, mode, _ in rights[0]:
                key = f"{class_id} {name} {number}"
                try:
                    value = client.get(attribute(class_id, name, number))
                except DataResultError as reason:
                    result["refused"].append([key, mode, str(reason)])
                    continue
                result["values"][key] = len(value) if key.startswith("7 ") and number == 2 else value.hex()
        if "encryption" in wishes:
            clock = CaptureObject(attribute(*CLOCK), 0)
            last = datetime_from_bytes(utils.parse_as_dlms_data(client.get(attribute(*CLOCK))))[0]
            quarter = last.replace(minute=last.minute // 15 * 15, second=0, microsecond=0)
            chosen = RangeDescriptor(clock, quarter - datetime.timedelta(hours=1), quarter, [])
            rows = utils.parse_as_dlms_data(client.get(attribute(*PROFILE), chosen))
            result["range"] = [bytes(row[0]).hex() for row in rows]
        pair = [cosem.CosemAttributeWithSelection(attribute(*one), None) for one in (CLOCK, ENERGY)]
        result["list"] = len(client.get_many(pair).response_data)
    result["released"] = True
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
