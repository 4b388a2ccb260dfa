"""The object view: what was told of each attribute, however and by whichever service it was told."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from cosemscope.analysis.associations.told_values import ToldValue
from cosemscope.analysis.objects.access_lists import listed_objects
from cosemscope.analysis.objects.object_table import Attribute, ObjectView
from cosemscope.analysis.objects.profiles import profile_table, profiles
from cosemscope.analysis.objects.told_data import How
from tests.helpers import traffic_apdus as a
from tests.helpers.wire import CLIENT, SERVER, Tcp, Wire, analyse, wpdu

ENERGY, POWER, CLOCK, PROFILE, SETUP = (
    "1.0.1.8.0.255",
    "1.0.1.7.0.255",
    "0.0.1.0.0.255",
    "1.0.99.1.0.255",
    "0.0.25.9.0.255",
)
NOON = a.date_time(2026, 3, 1, 12, 0)


class Talk:
    """A client and a meter; every connection is a session of its own."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.sessions = 0
        self.connect()

    def connect(self) -> None:
        self.sessions += 1
        client = (CLIENT[0], CLIENT[1] + self.sessions)
        self.tcp = Tcp(self.wire, client).handshake()

    def ask(self, request: bytes, answer: bytes) -> None:
        self.tcp.say(0, wpdu(request, 16, 1))
        self.tcp.say(1, wpdu(answer, 1, 16))

    def get(self, class_id: int, name: str, number: int, data: bytes, selection: bytes = b"") -> None:
        self.ask(a.get_request(0xC1, class_id, name, number, selection), a.get_response(0xC1, data))

    def push(self, body: bytes) -> None:
        self.tcp.say(1, wpdu(a.data_notification(7, b"", body), 1, 16))

    def view(self, folder: Path) -> ObjectView:
        view = ObjectView(analyse(self.wire, folder))
        assert view.complete()
        return view


@pytest.fixture
def talk() -> Talk:
    return Talk()


def instance(name: str) -> bytes:
    return bytes(map(int, name.split(".")))


def told(view: ObjectView, class_id: int, name: str, number: int = 2) -> list[tuple[How, ToldValue | None]]:
    """How and what each reading of an attribute of the meter told."""
    (device,) = view.devices[SERVER[0]]
    attribute = Attribute(device, class_id, instance(name), number)
    place = view.place(attribute)
    assert place is not None, view.attributes
    scaler = view.scaler_unit(attribute)
    found = []
    for reading in view.readings_of(place).tolist():
        value = view.value(reading)
        found.append((How(view.readings["how"][reading]), value and value.scaled(scaler)))
    return found


def wh(number: str) -> ToldValue:
    return ToldValue(Decimal(number), "Wh")


def test_scalers_hold_for_values_before_them_and_in_other_sessions(talk: Talk, tmp_path: Path) -> None:
    """The scaler is told last and in another connection: it is the meter's all the same."""
    talk.get(3, ENERGY, 2, a.double_long_unsigned(12345))
    talk.connect()
    talk.get(3, ENERGY, 3, a.scaler_unit(-1, 30))
    assert told(talk.view(tmp_path), 3, ENERGY) == [(How.READ, wh("1234.5"))]


def test_every_service_that_tells_a_value(talk: Talk, tmp_path: Path) -> None:
    """GET, GET with list, ACCESS, SET and event notification tell values of the same attribute."""
    talk.get(3, ENERGY, 3, a.scaler_unit(0, 30))
    talk.get(3, ENERGY, 2, a.double_long_unsigned(1))
    both = [(3, POWER, 2), (3, ENERGY, 2)]
    answers = [a.long(5), a.double_long_unsigned(2)]
    talk.ask(a.get_list_request(0xC1, both), a.get_list_response(0xC1, [4, answers[1]]))
    talk.ask(a.access_request(0x40000001, both), a.access_response(0x40000001, answers))
    talk.ask(a.set_request(0xC1, 3, ENERGY, 2, a.double_long_unsigned(3)), a.set_response(0xC1))
    talk.tcp.say(1, wpdu(a.event_notification(b"", 3, ENERGY, 2, a.double_long_unsigned(4)), 1, 16))
    view = talk.view(tmp_path)
    assert told(view, 3, ENERGY) == [
        (How.READ, wh("1")),
        (How.READ, wh("2")),
        (How.READ, wh("2")),
        (How.WRITTEN, wh("3")),
        (How.PUSHED, wh("4")),
    ]
    assert told(view, 3, POWER) == [(How.READ, None), (How.READ, ToldValue(5))]
    assert view.readings["result"].tolist().count(4) == 1
    assert view.clients == [CLIENT[0]]


def test_blocks_are_one_value(talk: Talk, tmp_path: Path) -> None:
    """Blocks before the last one tell nothing of their own, in answers and in requests."""
    text = a.visible_string("a name of 25 characters  ")
    talk.tcp.say(0, wpdu(a.get_request(0xC1, 1, "0.0.96.1.0.255"), 16, 1))
    for block, (part, last) in enumerate(((text[:9], False), (text[9:20], False), (text[20:], True)), 1):
        talk.tcp.say(1, wpdu(a.get_block(0xC1, last, block, part), 1, 16))
        if not last:
            talk.tcp.say(0, wpdu(a.get_next(0xC1, block), 16, 1))
    talk.ask(a.set_first_block(0xC1, 1, "0.0.96.1.1.255", 2, text[:7]), a.set_block_response(0xC1, 1))
    talk.ask(a.set_block(0xC1, True, 2, text[7:]), a.set_last_block_response(0xC1, 2))
    view = talk.view(tmp_path)
    assert told(view, 1, "0.0.96.1.0.255") == [(How.READ, ToldValue("a name of 25 characters  "))]
    assert told(view, 1, "0.0.96.1.1.255") == [(How.WRITTEN, ToldValue("a name of 25 characters  "))]


def test_no_secret_number_is_kept(talk: Talk, tmp_path: Path) -> None:
    """The PIN of a modem is a number, which is a secret all the same, however often it is read."""
    for _ in range(2):
        talk.get(45, "0.0.25.4.0.255", 3, a.long_unsigned(4711))
    assert "4711" not in str(told(talk.view(tmp_path), 45, "0.0.25.4.0.255", 3))


def test_a_transfer_that_lacks_blocks_is_no_refusal(talk: Talk, tmp_path: Path) -> None:
    """What the capture lost, nobody refused."""
    talk.tcp.say(0, wpdu(a.get_request(0xC1, 1, "0.0.96.1.0.255"), 16, 1))
    for block, last in ((1, False), (3, True)):
        talk.tcp.say(1, wpdu(a.get_block(0xC1, last, block, b"\x0a\x03abc"), 1, 16))
    assert not len(talk.view(tmp_path).readings)


def test_equal_values_in_a_row_are_one_change(talk: Talk, tmp_path: Path) -> None:
    """Every value that an attribute took, not every time it was asked for; each reading is there."""
    for number in (7, 7, 8, 8, 7):
        talk.get(1, "0.0.96.5.0.255", 2, a.unsigned(number))
    view = talk.view(tmp_path)
    assert [value and value.value for _, value in told(view, 1, "0.0.96.5.0.255")] == [7, 7, 8, 8, 7]
    assert view.readings["value"].tolist() == [0, 0, 1, 1, 2]


def test_what_was_written_in_vain_is_no_value(talk: Talk, tmp_path: Path) -> None:
    """A SET that the meter refuses changes nothing: the value is that before it, and a refusal is counted."""
    name = "0.0.96.5.0.255"
    talk.get(1, name, 2, a.unsigned(1))
    talk.ask(a.set_request(0xC1, 1, name, 2, a.unsigned(9)), a.set_response(0xC1, 3))
    view = talk.view(tmp_path)
    assert told(view, 1, name) == [(How.READ, ToldValue(1)), (How.WRITTEN, None)]
    assert view.readings["result"].tolist() == [0, 3]


def test_no_secret_is_kept(talk: Talk, tmp_path: Path) -> None:
    """The password of an association object is in no value; what else has octets is."""
    talk.get(15, "0.0.40.0.0.255", 7, a.octet_string(b"secret77"))
    talk.get(1, "0.0.96.1.0.255", 2, a.octet_string(b"\x01\x02secret77"))
    view = talk.view(tmp_path)
    (_, value) = told(view, 15, "0.0.40.0.0.255", 7)[0]
    assert value is not None
    assert "secret77" not in str(value)
    assert b"secret77".hex() not in str(value).replace(" ", "")


# --- pushes ---

PUSHED = [(1, "0.0.42.0.0.255", 2), (3, ENERGY, 2)]


def push_objects(objects: list[tuple[int, str, int]]) -> bytes:
    return a.array(
        *(
            a.structure(
                a.long_unsigned(class_id),
                a.octet_string(a.obis(name)),
                a.integer(number),
                a.long_unsigned(0),
            )
            for class_id, name, number in objects
        )
    )


NAME, COUNT = a.octet_string(b"METER-0001"), a.double_long_unsigned(99)
FORMS: dict[str, Callable[[Talk], None]] = {
    "object list as first element": lambda talk: talk.push(a.structure(push_objects(PUSHED), NAME, COUNT)),
    "list that names its own place": lambda talk: talk.push(
        a.structure(push_objects([(40, SETUP, 2), *PUSHED]), NAME, COUNT)
    ),
    "push setup read in another session": lambda talk: _setup_read_later(talk),
    "names and values in turn": lambda talk: talk.push(
        a.structure(a.octet_string(a.obis("0.0.42.0.0.255")), NAME, a.octet_string(a.obis(ENERGY)), COUNT)
    ),
    "names, values and scaler-units in turn": lambda talk: talk.push(
        a.structure(
            a.octet_string(a.obis("0.0.42.0.0.255")),
            NAME,
            a.octet_string(a.obis(ENERGY)),
            COUNT,
            a.scaler_unit(0, 30),
        )
    ),
    "names and values in turn behind a version": lambda talk: talk.push(
        a.structure(
            *(a.visible_string("MAKER_V0001"), a.octet_string(a.obis("0.0.42.0.0.255")), NAME),
            *(a.octet_string(a.obis(ENERGY)), COUNT),
        )
    ),
    "names, values and scaler-units behind a push setup's name and a time": lambda talk: talk.push(
        a.structure(
            *(a.octet_string(a.obis(SETUP)), a.octet_string(a.date_time(2025, 1, 1, 3, 0))),
            *(a.octet_string(a.obis("0.0.42.0.0.255")), NAME),
            *(a.octet_string(a.obis(ENERGY)), COUNT, a.scaler_unit(0, 30)),
        )
    ),
    "a structure for each value": lambda talk: talk.push(
        a.array(
            a.structure(a.octet_string(a.obis("0.0.42.0.0.255")), NAME),
            a.structure(a.octet_string(a.obis(ENERGY)), COUNT, a.scaler_unit(0, 30)),
        )
    ),
    "a reference in each structure": lambda talk: talk.push(
        a.array(
            *(
                a.structure(a.long_unsigned(cls), a.octet_string(a.obis(name)), a.integer(2), value)
                for (cls, name, _), value in zip(PUSHED, (NAME, COUNT), strict=True)
            )
        )
    ),
}


def _setup_read_later(talk: Talk) -> None:
    talk.push(a.structure(a.octet_string(a.obis(SETUP)), NAME, COUNT))
    talk.connect()
    talk.get(40, SETUP, 2, push_objects([(40, SETUP, 1), *PUSHED]))


@pytest.mark.parametrize("form", FORMS)
def test_pushes_are_tied_to_what_they_name(form: str, talk: Talk, tmp_path: Path) -> None:
    """However a push says what its values are of, they stand at the objects that were read elsewhere."""
    talk.get(1, "0.0.42.0.0.255", 2, NAME)
    talk.get(3, ENERGY, 3, a.scaler_unit(0, 30))
    talk.get(3, ENERGY, 2, a.double_long_unsigned(98))
    FORMS[form](talk)
    view = talk.view(tmp_path)
    assert told(view, 1, "0.0.42.0.0.255")[-1] == (How.PUSHED, ToldValue("METER-0001"))
    assert told(view, 3, ENERGY)[-1] == (How.PUSHED, wh("99"))


def test_a_push_that_names_nothing_is_tied_to_nothing(talk: Talk, tmp_path: Path) -> None:
    """Numbers without names are no objects, and octets that are no logical name are none."""
    talk.push(a.structure(a.unsigned(1), COUNT, a.octet_string(b"\xff" * 6), COUNT))
    assert not talk.view(tmp_path).attributes


# --- profiles ---


def capture_objects(*objects: tuple[int, str, int]) -> bytes:
    return push_objects(list(objects))


COLUMNS = ((8, CLOCK, 2), (3, ENERGY, 2), (1, "0.0.96.10.1.255", 2))


def entry(hour: int | None, energy: int | None, status: int = 0) -> bytes:
    clock = a.NULL if hour is None else a.octet_string(a.date_time(2026, 3, 1, hour, 0))
    return a.structure(
        clock, a.NULL if energy is None else a.double_long_unsigned(energy), a.unsigned(status)
    )


def rows_of(view: ObjectView) -> list[list[object]]:
    ((device, name),) = profiles(view)
    return [[value.value for value in row] for row in profile_table(view, device, name).rows]


def selection(selector: int, parameters: bytes) -> bytes:
    return bytes((selector,)) + parameters


def test_a_profile_has_names_scalers_and_units_from_other_sessions(talk: Talk, tmp_path: Path) -> None:
    """The buffer comes first; its capture objects and their scalers are read in later connections."""
    talk.get(7, PROFILE, 2, a.array(entry(1, 1000), entry(2, 1010)))
    talk.connect()
    talk.get(7, PROFILE, 3, capture_objects(*COLUMNS))
    talk.get(3, ENERGY, 3, a.scaler_unit(1, 30))
    view = talk.view(tmp_path)
    ((device, name),) = profiles(view)
    table = profile_table(view, device, name)
    assert [column.title for column in table.columns] == [
        "0.0.1.0.0.255 Clock",
        "1.0.1.8.0.255 Active energy import (+A)",
        table.columns[2].title,
    ]
    assert table.rows[1][:2] == [ToldValue("2026-03-01 02:00:00+01:00"), wh("10100")]
    assert table.named


def test_nulls_stand_for_what_was_before_and_times_for_a_period_later(talk: Talk, tmp_path: Path) -> None:
    """Compressed buffers leave out what does not change, and times that the capture period tells."""
    talk.get(7, PROFILE, 3, capture_objects(*COLUMNS))
    talk.get(7, PROFILE, 4, a.double_long_unsigned(900))
    talk.get(7, PROFILE, 2, a.array(entry(1, 5), entry(None, None), entry(None, 6)))
    assert rows_of(talk.view(tmp_path)) == [
        ["2026-03-01 01:00:00+01:00", 5, 0],
        ["2026-03-01 01:15:00+01:00", 5, 0],
        ["2026-03-01 01:30:00+01:00", 6, 0],
    ]


def test_without_a_capture_period_a_time_that_was_left_out_is_not_invented(
    talk: Talk, tmp_path: Path
) -> None:
    """Nothing is better than a wrong time; the rows stay in their order."""
    talk.get(7, PROFILE, 2, a.array(entry(1, 5), entry(None, 6), entry(3, 7)))
    view = talk.view(tmp_path)
    assert rows_of(view) == [
        ["2026-03-01 01:00:00+01:00", 5, 0],
        [None, 6, 0],
        ["2026-03-01 03:00:00+01:00", 7, 0],
    ]
    ((device, name),) = profiles(view)
    table = profile_table(view, device, name)
    assert (table.named, table.period) == (False, 0)


def test_ranges_that_overlap_are_one_table_in_order_of_time(talk: Talk, tmp_path: Path) -> None:
    """Two readings of parts of a buffer, the later hours first: each entry once."""
    talk.get(7, PROFILE, 3, capture_objects(*COLUMNS))
    talk.get(7, PROFILE, 2, a.array(entry(3, 30), entry(4, 40)))
    talk.get(7, PROFILE, 2, a.array(entry(2, 20), entry(3, 30)))
    assert [row[1] for row in rows_of(talk.view(tmp_path))] == [20, 30, 40]


def test_selected_columns_by_range_and_by_entry(talk: Talk, tmp_path: Path) -> None:
    """What a request selects are the columns of its answer; other answers fill in the rest of an entry."""
    talk.get(7, PROFILE, 3, capture_objects(*COLUMNS))
    descriptor = a.structure(
        a.structure(a.long_unsigned(8), a.octet_string(a.obis(CLOCK)), a.integer(2), a.long_unsigned(0)),
        a.octet_string(NOON),
        a.octet_string(NOON),
        capture_objects(COLUMNS[0], COLUMNS[2]),
    )
    clock = a.octet_string(a.date_time(2026, 3, 1, 5, 0))
    talk.get(7, PROFILE, 2, a.array(a.structure(clock, a.unsigned(9))), selection(1, descriptor))
    entries = a.structure(
        *(a.double_long_unsigned(1), a.double_long_unsigned(1), a.long_unsigned(1), a.long_unsigned(2))
    )
    talk.get(7, PROFILE, 2, a.array(a.structure(clock, a.double_long_unsigned(77))), selection(2, entries))
    assert rows_of(talk.view(tmp_path)) == [["2026-03-01 05:00:00+01:00", 77, 9]]


def test_compact_arrays_are_rows_alike(talk: Talk, tmp_path: Path) -> None:
    """A buffer in a compact array has the rows of one in an array."""
    talk.get(7, PROFILE, 3, capture_objects(COLUMNS[1], COLUMNS[2]))
    contents = b"".join(number.to_bytes(4, "big") + b"\x05" for number in (100, 200))
    talk.get(7, PROFILE, 2, a.compact_array(b"\x02\x02\x06\x11", contents))
    assert rows_of(talk.view(tmp_path)) == [[100, 5], [200, 5]]


def test_a_buffer_that_is_no_table_does_no_harm(talk: Talk, tmp_path: Path) -> None:
    """Numbers, empty arrays and entries of changing sizes in the place of entries."""
    for data in (a.unsigned(1), a.array(), a.array(a.unsigned(1)), a.array(a.structure(), entry(1, 2))):
        talk.get(7, PROFILE, 2, data)
    assert [2 in row for row in rows_of(talk.view(tmp_path))][-1]


# --- object lists ---


def test_object_lists_tell_access_rights_in_words(talk: Talk, tmp_path: Path) -> None:
    """Attribute and method rights by their names, as the class of the listed object has them."""
    rights = a.structure(
        a.array(a.structure(a.integer(1), a.enum(1), a.NULL), a.structure(a.integer(2), a.enum(3), a.NULL)),
        a.array(a.structure(a.integer(1), a.enum(1))),
    )
    listed = a.structure(a.long_unsigned(3), a.unsigned(0), a.octet_string(a.obis(ENERGY)), rights)
    talk.get(15, "0.0.40.0.0.255", 2, a.array(listed))
    (found,) = listed_objects(talk.view(tmp_path))
    assert (found.class_id, found.version, found.instance) == (3, 0, instance(ENERGY))
    assert found.attributes == {"logical_name": "read_only", "value": "read_and_write"}
    assert found.methods == {"reset": "access"}


def test_cancel_stops_between_batches(talk: Talk, tmp_path: Path) -> None:
    """A large capture can be left; what was taken in stays usable."""
    talk.get(3, ENERGY, 2, COUNT)
    view = ObjectView(analyse(talk.wire, tmp_path))
    assert not view.complete(cancelled=lambda: True)
    assert not len(view.readings)
