"""Table 1 of the standard, and who gets what."""

import pytest

from cosemscope.transport.bindings import WPortBindings
from cosemscope.transport.errors import LocalProtocolError
from cosemscope.transport.wports import (
    ALL_STATION,
    CLIENT_MANAGEMENT_PROCESS,
    DLMS_PORT,
    MANAGEMENT_LOGICAL_DEVICE,
    NO_STATION,
    PUBLIC_CLIENT,
    TABLE_1,
    Side,
    WPortUse,
    wport_name,
    wport_row,
    wport_use,
)

CLIENT, SERVER = Side.CLIENT, Side.SERVER


@pytest.mark.parametrize(
    ("number", "side", "name", "use"),
    [
        (0x0000, CLIENT, "No-station", WPortUse.NO_STATION),
        (0x0001, CLIENT, "Client Management Process", WPortUse.NAMED),
        (0x0002, CLIENT, "client SAP", WPortUse.OPEN),
        (0x000F, CLIENT, "client SAP", WPortUse.OPEN),
        (0x0010, CLIENT, "Public Client", WPortUse.NAMED),
        (0x0011, CLIENT, "client SAP", WPortUse.OPEN),
        (0x007F, CLIENT, "client SAP", WPortUse.OPEN),
        (0x00FF, CLIENT, "client SAP", WPortUse.OPEN),
        (0x0100, CLIENT, "not listed", WPortUse.UNLISTED),
        (0xFFFF, CLIENT, "not listed", WPortUse.UNLISTED),
        (0x0000, SERVER, "No-station", WPortUse.NO_STATION),
        (0x0001, SERVER, "Management Logical Device", WPortUse.NAMED),
        (0x0002, SERVER, "reserved", WPortUse.RESERVED),
        (0x000F, SERVER, "reserved", WPortUse.RESERVED),
        (0x0010, SERVER, "server SAP", WPortUse.OPEN),
        (0x007E, SERVER, "server SAP", WPortUse.OPEN),
        (0x007F, SERVER, "All-station (Broadcast)", WPortUse.BROADCAST),
        (0x0080, SERVER, "not listed", WPortUse.UNLISTED),
        (0xFFFF, SERVER, "not listed", WPortUse.UNLISTED),
    ],
)
def test_5_3_4_the_role_of_a_number_depends_on_the_side(number, side, name, use):
    """5.3.4 and 6.3.4: every row of Table 1, at both of its ends."""
    assert wport_name(number, side) == name
    assert wport_use(number, side) is use


@pytest.mark.parametrize("side", Side)
def test_the_table_has_a_row_for_every_number_and_only_one(side):
    """No number falls between two rows."""
    rows = TABLE_1[side]
    assert rows[0].first == 0
    assert rows[-1].last == 0xFFFF
    assert [row.first for row in rows[1:]] == [row.last + 1 for row in rows[:-1]]
    assert side.other.other is side is not side.other


@pytest.mark.parametrize("number", [-1, 0x10000])
def test_what_is_no_wport(number):
    """Numbers that 16 bits cannot hold are the caller's mistake."""
    with pytest.raises(ValueError, match="0 to 65535"):
        wport_row(number, CLIENT)


def test_a_bound_wport_receives_and_no_other():
    """Binding and unbinding count at once."""
    bindings = WPortBindings(SERVER, [1, 16])
    assert bindings.receivers(16) == (16,)
    assert bindings.receivers(17) == ()
    bindings.unbind(16)
    assert bindings.receivers(16) == ()
    assert list(bindings) == [1]
    assert len(bindings) == 1


def test_all_station_reaches_every_logical_device_of_a_server_only():
    """On the client's side 0x007F is a SAP like others."""
    assert WPortBindings(SERVER, [17, 1, 16]).receivers(0x7F) == (1, 16, 17)
    assert WPortBindings(SERVER).receivers(0x7F) == ()
    assert WPortBindings(CLIENT, [1, 16]).receivers(0x7F) == ()
    assert WPortBindings(CLIENT, [0x7F, 16]).receivers(0x7F) == (0x7F,)


def test_bindings_that_make_no_sense_are_refused():
    """Bound twice, not bound, All-station, no number: said in words, and nothing changed."""
    bindings = WPortBindings(SERVER, [1])
    with pytest.raises(LocalProtocolError, match="0x0001 is bound already"):
        bindings.bind(1)
    with pytest.raises(LocalProtocolError, match="All-station"):
        bindings.bind(0x7F)
    with pytest.raises(LocalProtocolError, match="0x0010 is not bound"):
        bindings.unbind(16)
    with pytest.raises(LocalProtocolError, match="0 to 65535"):
        bindings.bind(0x10000)
    assert list(bindings) == [1]


def test_5_3_4_the_named_numbers():
    """As Table 1 prints them."""
    named = (NO_STATION, CLIENT_MANAGEMENT_PROCESS, PUBLIC_CLIENT, MANAGEMENT_LOGICAL_DEVICE, ALL_STATION)
    assert named == (0x0000, 0x0001, 0x0010, 0x0001, 0x007F)
    assert DLMS_PORT == 4059


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_who_listens_to_every_wport_gets_all(side):
    """Each under its own number; All-station stays a broadcast on the server's side only."""
    bindings = WPortBindings(side, every=True)
    for wport in (0, 1, 64, ALL_STATION, 0xFFFF):
        assert bindings.receivers(wport) == (wport,)
        assert wport in bindings
    assert bindings.is_broadcast(ALL_STATION) is (side is SERVER)
    assert -1 not in bindings
    assert 0x10000 not in bindings
    assert list(bindings) == []


def test_no_station_is_delivered_where_it_is_bound_and_answered_to_where_it_came_from():
    """Devices with it are in the field; nobody is answered whom nobody asked (our reading of Table 1)."""
    bindings = WPortBindings(SERVER, [NO_STATION])
    assert bindings.receivers(NO_STATION) == (NO_STATION,)
    assert WPortBindings(SERVER, [1]).receivers(NO_STATION) == ()
