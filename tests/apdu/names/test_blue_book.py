"""Names of the Blue Book: facts that are certain, data that is sound, and no invented name."""

import json
import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.names import blue_book
from cosemscope.apdu.names.blue_book import (
    attribute_name,
    class_name,
    enumeration_texts,
    member_name,
    method_name,
    obis_name,
    unit,
)
from cosemscope.resources import resource
from tests.helpers.captured import table_of
from tests.helpers.shared import shared


def code(dotted: str) -> bytes:
    return bytes(map(int, dotted.split(".")))


@pytest.mark.parametrize(
    ("dotted", "name"),
    [
        ("1.0.1.8.0.255", "Active energy import (+A)"),
        ("1.0.2.8.0.255", "Active energy export (-A)"),
        ("1.0.1.8.2.255", "Active energy import (+A), tariff 2"),
        ("1.1.1.8.0.255", "Active energy import (+A), channel 1"),
        ("1.0.1.8.0.5", "Active energy import (+A), billing period 5"),
        ("1.0.1.8.0.101", "Active energy import (+A), last billing period"),
        ("1.0.1.6.1.255", "Active power import (+P), maximum 1, tariff 1"),
        ("1.0.1.7.0.255", "Active power import (+P), instantaneous"),
        ("1.0.3.8.0.255", "Reactive energy import (+R)"),
        ("1.0.5.8.0.255", "Reactive energy QI (+Ri)"),
        ("1.0.21.7.0.255", "Active power import (+P) L1, instantaneous"),
        ("1.0.32.7.0.255", "Voltage L1, instantaneous"),
        ("1.0.51.7.0.255", "Current L2, instantaneous"),
        ("1.0.72.7.0.255", "Voltage L3, instantaneous"),
        ("1.0.31.7.5.255", "Current L1, instantaneous, harmonic 5"),
        ("1.0.13.7.0.255", "Power factor (+), instantaneous"),
        ("1.0.14.7.0.255", "Supply frequency, instantaneous"),
        ("1.0.81.7.40.255", "Phase angle between I(L1) and U(L1)"),
        ("1.0.99.1.0.255", "Load profile with recording period 1"),
        ("1.0.0.4.2.255", "Transformer ratio, current (numerator)"),
        ("0.0.1.0.0.255", "Clock"),
        ("0.0.10.0.100.255", "Tariffication script table"),
        ("0.0.13.0.0.255", "Activity calendar"),
        ("0.0.15.0.1.255", "Disconnect control scheduler"),
        ("0.0.25.0.0.255", "TCP-UDP setup"),
        ("0.0.25.1.0.255", "IPv4 setup"),
        ("0.0.25.9.0.255", "Push setup"),
        ("0.0.40.0.0.255", "Current association"),
        ("0.0.41.0.0.255", "SAP assignment"),
        ("0.0.42.0.0.255", "COSEM logical device name"),
        ("0.0.43.0.0.255", "Security setup"),
        ("0.0.43.1.2.255", "Invocation counter 2"),
        ("0.0.44.0.0.255", "Image transfer"),
        ("0.0.96.1.0.255", "Device ID 1"),
        ("0.0.96.3.10.255", "Disconnect control"),
        ("0.0.96.7.21.255", "Number of power failures in any phase"),
        ("0.0.97.97.0.255", "Error register 1"),
        ("0.0.97.98.0.255", "Alarm register 1"),
        ("0.0.99.98.0.255", "Event log"),
        ("0.1.24.2.1.255", "M-Bus value 1, channel 1"),
        ("0.0.96.11.0.255", "Event code 1"),
        ("6.0.1.0.0.255", "Heat: Energy, current value"),
        ("7.0.3.0.0.255", "Gas: Forward absolute meter volume"),
        ("1.0.99.10.1.255", "Dips voltage profile"),
        ("1.0.99.10.2.255", "Swells voltage profile"),
        ("1.0.99.11.5.255", "Voltage harmonic 5 profile"),
        ("1.0.99.13.0.255", "Voltage unbalance profile"),
        ("1.0.99.97.0.255", "Power failure event log"),
        ("1.0.12.32.1.255", "Voltage, under limit occurrences, 10 to 15 %, 100 to 500 ms"),
        ("1.0.83.8.1.255", "Active line losses +"),
        ("1.0.124.7.0.255", "Voltage L1-L2, instantaneous"),
        ("1.0.1.17.0.255", "Active energy import (+A), time integral 7"),
        ("1.0.96.10.1.255", "Status: missing current"),
        ("0.0.0.1.2.255", "Time stamp of the most recent billing period (1)"),
        ("1.0.0.1.2.5", "Time stamp of the billing period (1), billing period 5"),
        ("0.0.96.10.1.255", "Status register 1"),
        ("0.0.96.12.1.255", "Number of connections"),
        ("0.0.96.14.2.255", "Currently active tariff 3"),
        ("0.0.96.20.6.255", "Terminal cover open event, time stamp of the current event"),
        ("0.0.99.18.0.255", "LTE monitoring profile"),
        ("0.0.25.11.0.255", "LTE monitoring"),
        ("0.0.33.2.0.255", "HS-PLC ISO/IEC 12139-1 IP SSAS setup"),
        ("0.0.94.96.0.255", "Country specific (Saudi Arabia)"),
        ("7.0.11.2.0.255", "Gas: Forward undisturbed converter volume, at base conditions"),
        ("7.0.41.42.0.255", "Gas: Absolute temperature, average, last process interval 2"),
        ("7.0.42.0.0.255", "Gas: Absolute pressure, instantaneous"),
        ("7.0.0.9.3.255", "Start of the conventional gas day"),
        ("7.0.70.66.0.255", "Gas: Carbon dioxide"),
        ("8.0.1.0.0.255", "Cold water: Accumulated volume, current value"),
        ("9.0.1.0.0.255", "Hot water: Accumulated volume, current value"),
        ("4.0.1.0.0.255", "Unrated integral, current value"),
        ("1.0.1.8.130.255", "Active energy import (+A), manufacturer-specific tariff 130"),
        ("1.0.200.8.0.255", "Electricity-related object"),
        ("1.128.1.8.0.255", "Active energy import (+A), manufacturer-specific 128"),
        ("1.66.1.8.0.255", "Active energy import (+A), utility-specific 66"),
        ("1.200.1.8.0.255", "Active energy import (+A)"),
        ("0.0.127.0.0.255", "Inactive object"),
        ("0.0.43.0.2.255", "Security setup 2"),
        ("0.0.98.10.0.255", "Register table 1"),
        ("1.0.150.8.0.255", "Electricity, manufacturer-specific (value group C)"),
    ],
)
def test_obis_names(dotted: str, name: str) -> None:
    """What an engineer calls these codes, with tariff, channel and billing period."""
    assert obis_name(code(dotted)) == name
    assert blue_book.dotted(code(dotted)) == dotted


@pytest.mark.parametrize(
    "dotted", ["0.0.0.0.0.0", "2.0.1.8.0.255", "21.78.126.34.71.190", "255.255.255.255.255.255"]
)
def test_codes_that_mean_nothing_have_no_name(dotted: str) -> None:
    """Media that do not exist and a code of zeros: nothing is invented."""
    assert obis_name(code(dotted)) == ""


@given(st.binary(max_size=8))
def test_any_octets_may_be_asked_for(octets: bytes) -> None:
    """No octets make a look-up fail, and no text is left with a placeholder."""
    name = obis_name(octets)
    assert "{" not in name
    assert not name or len(octets) == 6


def test_every_code_of_a_medium_has_a_name() -> None:
    """Electricity and gas codes of group C from 0 to 127 never stay without a word."""
    for medium, quantity, processing in product((1, 7), range(128), (0, 7, 8, 99)):
        assert obis_name(bytes([medium, 0, quantity, processing, 0, 255]))


@pytest.mark.parametrize(
    ("class_id", "name", "attributes", "methods"),
    [
        (1, "Data", {1: "logical_name", 2: "value"}, {}),
        (3, "Register", {2: "value", 3: "scaler_unit", 4: ""}, {1: "reset"}),
        (5, "Demand register", {4: "scaler_unit", 8: "period"}, {2: "next_period"}),
        (7, "Profile generic", {2: "buffer", 3: "capture_objects", 8: "profile_entries"}, {2: "capture"}),
        (8, "Clock", {2: "time", 3: "time_zone", 9: "clock_base"}, {6: "shift_time"}),
        (
            15,
            "Association LN",
            {2: "object_list", 9: "security_setup_reference"},
            {1: "reply_to_HLS_authentication"},
        ),
        (17, "SAP assignment", {2: "SAP_assignment_list", 3: ""}, {1: "connect_logical_device"}),
        (18, "Image transfer", {6: "image_transfer_status"}, {4: "image_activate"}),
        (20, "Activity calendar", {10: "activate_passive_calendar_time"}, {1: "activate_passive_calendar"}),
        (22, "Single action schedule", {2: "executed_script", 4: "execution_time"}, {1: ""}),
        (40, "Push setup", {2: "push_object_list", 9: "push_client_SAP"}, {1: "push"}),
        (
            41,
            "TCP-UDP setup",
            {
                2: "TCP-UDP_port",
                3: "IP_reference",
                4: "MSS",
                5: "nb_of_sim_conn",
                6: "inactivity_time_out",
                7: "",
            },
            {1: ""},
        ),
        (
            42,
            "IPv4 setup",
            {
                2: "DL_reference",
                3: "IP_address",
                6: "subnet_mask",
                8: "use_DHCP_flag",
                10: "secondary_DNS_address",
            },
            {},
        ),
        (
            64,
            "Security setup",
            {2: "security_policy", 3: "security_suite", 6: "certificates"},
            {1: "security_activate"},
        ),
        (
            70,
            "Disconnect control",
            {2: "output_state", 3: "control_state"},
            {1: "remote_disconnect", 2: "remote_reconnect"},
        ),
        (71, "Limiter", {2: "monitored_value", 11: "actions"}, {}),
        (47, "GSM diagnostic", {4: "cs_attachment", 5: "ps_status", 8: "capture_time"}, {}),
        (92, "G3-PLC 6LoWPAN adaptation layer setup", {2: "adp_max_hops", 19: "adp_device_type"}, {}),
        (95, "Wi-SUN setup", {2: "network_name", 4: "pan_id"}, {1: "reset_join_state"}),
        (105, "ZigBee tunnel setup", {5: "close_tunnel_timeout"}, {}),
        (121, "", {2: ""}, {1: ""}),
        (122, "Function control", {2: "activation_status"}, {1: "set_function_status"}),
        (123, "Array manager", {2: "array_object_list"}, {3: "insert_entry"}),
        (124, "Communication port protection", {2: "protection_mode"}, {1: "reset"}),
        (129, "LoRaWAN diagnostic", {2: "internal_error_code"}, {1: "reset"}),
        (153, "CoAP diagnostic", {5: "capture_time"}, {1: "reset"}),
        (161, "G3-PLC Hybrid RF MAC setup", {38: "mac_max_bcast_resync_wait_unit_RF"}, {}),
    ],
)
def test_classes(class_id: int, name: str, attributes: dict[int, str], methods: dict[int, str]) -> None:
    """Members of classes that every meter has, by their numbers; "" past the last."""
    assert class_name(class_id) == name
    assert {number: attribute_name(class_id, number) for number in attributes} == attributes
    assert {number: method_name(class_id, number) for number in methods} == methods


def test_versions() -> None:
    """A version has its own members; without one, or with an unknown one, the newest that has the number."""
    assert attribute_name(15, 9, 0) == ""
    assert attribute_name(15, 9, 1) == attribute_name(15, 9) == "security_setup_reference"
    assert method_name(64, 2, 0) == "global_key_transfer"
    assert method_name(64, 2, 1) == method_name(64, 2, 99) == "key_transfer"
    assert attribute_name(24, 3, 0) == "primary_address_list"
    assert attribute_name(24, 3) == "comm_speed"
    assert member_name(64, 2, method=True) == "key_transfer"
    assert member_name(64, 2, method=False) == "security_policy"


def test_classes_that_nobody_assigned() -> None:
    """Unknown numbers have no name, ranges of others theirs; attribute 1 is always the logical name."""
    assert class_name(2) == ""
    assert class_name(9000) == "manufacturer-specific class"
    assert class_name(40000) == "user group specific class"
    assert attribute_name(9000, 1) == "logical_name"
    assert attribute_name(9000, 2) == attribute_name(3, 0) == attribute_name(3, -1) == method_name(3, 0) == ""


@pytest.mark.parametrize(
    ("number", "symbol"),
    [(7, "s"), (9, "°C"), (13, "m³"), (27, "W"), (28, "VA"), (29, "var"), (30, "Wh"), (31, "VAh"),
     (32, "varh"), (33, "A"), (35, "V"), (44, "Hz"), (56, "%"), (71, "dBµV"),
     (131, "°F"), (137, "ft³"), (146, "Btu"), (255, ""), (200, ""), (-1, "")],
)  # fmt: skip
def test_units(number: int, symbol: str) -> None:
    """Units of the Blue Book; none for 255 and for what is not assigned."""
    assert unit(number) == symbol


def test_enumerations() -> None:
    """Texts of attributes that are enumerations."""
    assert enumeration_texts(70, 3)[1] == "connected"
    assert enumeration_texts(8, 9)[4] == "GPS"
    assert enumeration_texts(47, 3)[5] == "registered, roaming"
    assert 9 not in enumeration_texts(70, 3)
    assert enumeration_texts(3, 2) == {}


def test_the_data_is_sound() -> None:
    """Classes once each with ascending versions, rules of six groups, tables as they are used."""
    classes = json.loads(resource("names/classes.json").read_text("utf-8"))["classes"]
    numbers = [entry["class"] for entry in classes]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 100
    for entry in classes:
        versions = [version["version"] for version in entry["versions"]]
        assert versions == sorted(set(versions)), entry["name"]
        for version in entry["versions"]:
            for members in (version["attributes"], version["methods"]):
                known = [member for member in members if member]
                assert len(known) == len(set(known)), entry["name"]
                assert all(re.fullmatch(r"[A-Za-z0-9_/-]+", member) for member in known), entry["name"]
    obis = json.loads(resource("names/obis.json").read_text("utf-8"))
    used = set()
    for pattern, text in obis["rules"]:
        groups = pattern.split(".")
        assert len(groups) == 6
        for group in groups:
            parsed = blue_book._parse_group(group)
            assert parsed is None or parsed <= set(range(256))
        used |= set(re.findall(r":(\w+)\}", text))
    assert used == set(obis["tables"])


def test_enumerations_name_their_attribute_rightly() -> None:
    """The attribute that each enumeration is said to be of is the one that the class has."""
    values = json.loads(resource("names/values.json").read_text("utf-8"))
    for where, entry in (*values["enumerations"].items(), *values["attribute_units"].items()):
        class_id, attribute = map(int, where.split("."))
        assert attribute_name(class_id, attribute) == entry["attribute"]


def test_every_class_and_code_of_the_captures_has_a_name() -> None:
    """Object lists of real meters: each class and each OBIS code in them is named."""
    entry = re.compile(rb"\x02[\x03\x04]\x12(..)(?:\x11.)?\x09\x06(.{6})", re.DOTALL)
    found = set()
    for name in ("DLMS_list.pcap", "XmlDemo.pcap", "Output.pcap", "original_data.pcapng", "udp-hdlc.pcap"):
        for row in table_of(shared(f"captures/{name}"))[1]:
            found |= {(int.from_bytes(match[1], "big"), match[2]) for match in entry.finditer(row.payload)}
    # The captures hold objects of their owners too, of the class 1234 and the code 0.0.0.0.0.0.
    found = {(class_id, instance) for class_id, instance in found if any(instance)}
    assert len(found) > 50
    unnamed = {
        (class_id, blue_book.dotted(instance)) for class_id, instance in found if not obis_name(instance)
    }
    assert not unnamed
    assert {class_id for class_id, _ in found if not class_name(class_id)} <= {1234}
