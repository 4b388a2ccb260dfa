"""Keys of tests, a key file that holds them, and whether a text gives any of them away."""

import re

from cosemscope.gui.keys.keys_dialog import KeysDialog

EK, AK = "000102030405060708090A0B0C0D0E0F", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
MASTER = "00112233445566778899AABBCCDDEEFF"
FILE = f"""
[[key]]
name = "Meter 57"
system_title = "43535010000390AB"
address = "198.51.100.57:4059"
wport = 1
encryption = "{EK}"
authentication = "{AK}"

[[key]]
master = "{MASTER}"
"""


def holds_key(text: str) -> bool:
    """Whether the key octets stand in a text, however they are written."""
    bare = re.sub(r"[\s:\-_]", "", text).upper()
    return any(key in bare for key in (EK, AK))


def cells(dialog: KeysDialog) -> list[list[str]]:
    """What the table of keys shows, row by row."""
    model = dialog.table.model()
    return [
        [model.data(model.index(row, column)) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]
