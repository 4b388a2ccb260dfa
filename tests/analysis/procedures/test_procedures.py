"""Procedures on made traffic: each kind with its progress and each verdict that it can come to."""

from itertools import pairwise
from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.procedures.procedure import Procedure, missing_numbers
from cosemscope.analysis.procedures.procedure_table import find_procedures
from cosemscope.capture.files.reader import open_capture
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import KEYS
from tests.helpers.ciphered_session import CipheredSession
from tests.helpers.planted_faults import EVENT, OTHER, Plot
from tests.helpers.shared import shared
from tests.helpers.wire import RST, START, Wire, analyse

PROFILE, CLOCK, IMAGE, LIST = "1.0.99.1.0.255", "0.0.1.0.0.255", "0.0.44.0.0.255", "0.0.40.0.0.255"
RESTRICTED = a.structure(a.long_unsigned(8), a.octet_string(a.obis(CLOCK)), a.integer(2), a.long_unsigned(0))


def found(plot: Plot, folder: Path, kind: str) -> list[Procedure]:
    """The procedures of a kind in a capture."""
    associations = Associations(analyse(plot.wire, folder))
    complete(associations)
    return [one for one in find_procedures(associations) if one.kind == kind]


def told(procedure: Procedure) -> tuple[object, ...]:
    return procedure.verdict.value, procedure.done, procedure.total, procedure.text


@pytest.fixture
def plot() -> Plot:
    return Plot(Wire(), 1)


def date(hour: int, minute: int = 0) -> bytes:
    return a.octet_string(a.date_time(2023, 11, 14, hour, minute))


def between(begin: bytes, end: bytes) -> bytes:
    """A range descriptor for all columns."""
    return a.get_request(0xC1, 7, PROFILE, 2, b"\1" + a.structure(RESTRICTED, begin, end, a.array()))


def rows(hours: list[int]) -> bytes:
    """Rows of a profile at these hours."""
    return a.array(*(a.structure(date(hour), a.double_long_unsigned(hour)) for hour in hours))


class TestProfileReads:
    """What was asked for, held against the rows that came."""

    @pytest.mark.parametrize(
        ("hours", "wanted"),
        [
            ([1, 2, 3, 4, 5], ("complete", 5, 5)),
            ([1, 2, 4, 5], ("partial", 4, 5)),
            ([1, 2, 3], ("complete", 3, 3)),
            ([3, 4, 5], ("partial", 3, 5)),
            ([1, 2, 3, 4, 5, 6], ("wrong", 6, 5)),
            ([], ("complete", 0, None)),
        ],
    )
    def test_a_range(self, hours: list[int], wanted: tuple[object, ...], plot: Plot, tmp_path: Path) -> None:
        """All rows, some that lack, some beyond; what had not come yet when it was asked for is no gap."""
        plot.associate()
        plot.wire.time = START + (hours[-1] - 23) * 3_600_000_000_000 if hours else START
        plot.up(between(date(1), date(5, 30)))
        plot.down(a.get_response(0xC1, rows(hours)))
        (one,) = found(plot, tmp_path, "profile-read")
        assert told(one)[:3] == wanted
        assert one.obis == PROFILE
        assert one.text.startswith("from 2023-11-14 01:00:00 to 2023-11-14 05:30:00: ")
        assert one.details["period"] == (3600 if hours else None)

    def test_rows_without_times_follow_at_the_period_that_the_meter_told(
        self, plot: Plot, tmp_path: Path
    ) -> None:
        """Times that are left out (null-data) count from the row before; without a period nobody knows."""
        plot.associate()
        plot.wire.time = START - 10 * 3_600_000_000_000
        body = a.array(
            a.structure(date(1), a.double_long_unsigned(1)),
            *(a.structure(a.NULL, a.double_long_unsigned(number)) for number in (2, 3)),
        )
        for period in (None, 1800, 0):
            if period is not None:
                plot.up(a.get_request(0xC1, 7, PROFILE, 4))
                plot.down(a.get_response(0xC1, a.double_long_unsigned(period)))
            plot.up(between(date(1), date(2, 30)))
            plot.down(a.get_response(0xC1, body))
        other = Plot(plot.wire, 2)
        other.associate()
        other.up(between(date(1), date(2, 30)))
        other.down(a.get_response(0xC1, body))
        found_ones = found(plot, tmp_path, "profile-read")
        assert [told(one)[:3] for one in found_ones] == [("complete", 3, None)] * 4
        plot.up(a.get_request(0xC1, 7, PROFILE, 4))
        plot.down(a.get_response(0xC1, a.double_long_unsigned(1800)))
        *mine, others = found(plot, tmp_path, "profile-read")
        assert [told(one)[:3] for one in mine] == [("partial", 3, 4)] * 3
        assert told(others)[:3] == ("complete", 3, None)

    def test_entries_and_all_rows(self, plot: Plot, tmp_path: Path) -> None:
        """So many entries, fewer than asked, more than asked; and a buffer read without a selection."""
        plot.associate()
        entries = a.double_long_unsigned(3), a.double_long_unsigned(5)
        columns = a.long_unsigned(1), a.long_unsigned(0)
        asked = a.get_request(0xC1, 7, PROFILE, 2, b"\2" + a.structure(*entries, *columns))
        for number in (3, 2, 4):
            plot.up(asked)
            plot.down(a.get_response(0xC1, rows(list(range(number)))))
        plot.up(a.get_request(0xC1, 7, PROFILE))
        plot.down(a.get_response(0xC1, rows([1, 5, 6])))
        assert [told(one) for one in found(plot, tmp_path, "profile-read")] == [
            ("complete", 3, 3, "entries 3 to 5: 3 rows of 3, every 1 h 00 min"),
            ("partial", 2, 3, "entries 3 to 5: 2 rows of 3"),
            ("wrong", 4, 3, "entries 3 to 5: 4 rows of 3, every 1 h 00 min"),
            ("complete", 3, None, "all rows: 3 rows, every 1 h 00 min"),
        ]

    def test_in_blocks_refused_and_broken_off(self, plot: Plot, tmp_path: Path) -> None:
        """Joined blocks are counted, also a block alone; failures say what they are."""
        plot.associate()
        body = rows([1, 2, 3])
        for cuts in ([0, 20, 40, len(body)], [0, len(body)]):
            plot.up(a.get_request(0xC1, 7, PROFILE))
            for number, (start, stop) in enumerate(pairwise(cuts), 1):
                plot.down(a.get_block(0xC1, stop == len(body), number, body[start:stop]))
                if stop < len(body):
                    plot.up(a.get_next(0xC1, number))
        plot.up(a.get_request(0xC1, 7, PROFILE))
        plot.down(a.get_error(0xC1, 3))
        plot.up(a.get_request(0xC1, 7, PROFILE))
        plot.down(a.get_response(0xC1, a.unsigned(1)))
        plot.blocks(2)
        plot.end(1, RST)
        assert [told(one) for one in found(plot, tmp_path, "profile-read")] == [
            ("complete", 3, None, "all rows: 3 rows, every 1 h 00 min"),
            ("complete", 3, None, "all rows: 3 rows, every 1 h 00 min"),
            ("refused", None, None, "all rows: get-response read-write-denied"),
            ("wrong", None, None, "all rows: the answer is no array"),
            ("unfinished", None, None, "all rows: not finished after 2 blocks"),
        ]


def test_object_lists(plot: Plot, tmp_path: Path) -> None:
    """How many objects came."""
    plot.associate()
    plot.up(a.get_request(0xC1, 15, LIST))
    plot.down(a.get_response(0xC1, a.array(*(a.structure(a.long_unsigned(3)) for _ in range(7)))))
    plot.up(a.get_request(0xC1, 15, LIST))
    assert [told(one) for one in found(plot, tmp_path, "object-list-read")] == [
        ("complete", 7, 7, "7 objects"),
        ("unfinished", None, None, "not finished"),
    ]


class TestImageTransfers:
    """Blocks sent, refused and missing, verification and activation."""

    def image(self, plot: Plot, numbers: list[int], refused: tuple[int, ...] = ()) -> None:
        plot.associate()
        plot.up(a.get_request(0xC1, 18, IMAGE, 2))
        plot.down(a.get_response(0xC1, a.double_long_unsigned(100)))
        parameters = a.structure(a.octet_string(b"firmware"), a.double_long_unsigned(450))
        self.call(plot, 1, parameters)
        for number in numbers:
            block = a.structure(a.double_long_unsigned(number), a.octet_string(b"\0" * 100))
            self.call(plot, 2, block, 3 if number in refused else 0)

    def call(self, plot: Plot, method: int, parameters: bytes, result: int = 0) -> None:
        plot.up(a.action_request(0xC1, 18, IMAGE, method, parameters))
        plot.down(a.action_response(0xC1, result))

    def test_all_of_it(self, plot: Plot, tmp_path: Path) -> None:
        """Sent, verified on the second try, activated."""
        self.image(plot, [0, 1, 2, 3, 4])
        for method, result in ((3, 2), (3, 0), (4, 0)):
            self.call(plot, method, a.integer(0), result)
        (one,) = found(plot, tmp_path, "image-transfer")
        assert told(one) == ("complete", 5, 5, "5 of 5 blocks, verification success, activation success")
        assert dict(one.details) == {
            "identifier": "firmware",
            "size": 450,
            "block_size": 100,
            "sent": 5,
            "refused": 0,
            "missing": [],
            "verified": "success",
            "activated": "success",
        }

    def test_blocks_that_lack_or_were_refused(self, plot: Plot, tmp_path: Path) -> None:
        """A block that was refused and sent again with more luck is not missing."""
        self.image(plot, [0, 1, 1, 4], refused=(4,))
        (one,) = found(plot, tmp_path, "image-transfer")
        assert told(one) == ("partial", 2, 5, "2 of 5 blocks, 1 refused, 3 missing")
        assert one.details["missing"] == [2, 3, 4]

    def test_verification_that_fails(self, plot: Plot, tmp_path: Path) -> None:
        """Its result is the verdict; two transfers are two rows."""
        self.image(plot, [0, 1, 2, 3, 4])
        self.call(plot, 3, a.integer(0), 250)
        self.call(plot, 1, a.structure(a.octet_string(b"\1\2"), a.double_long_unsigned(100)), 3)
        failed, refused = found(plot, tmp_path, "image-transfer")
        assert told(failed)[0] == "refused"
        assert failed.text == "5 of 5 blocks, verification action-response other-reason"
        assert (told(refused)[0], refused.details["identifier"]) == ("refused", "0102")

    def test_before_verification(self, plot: Plot, tmp_path: Path) -> None:
        """All blocks are there, and nobody asked to verify them."""
        self.image(plot, [0, 1, 2, 3, 4])
        assert told(*found(plot, tmp_path, "image-transfer"))[0] == "unfinished"


def test_keys_that_are_changed_are_not_told(plot: Plot, tmp_path: Path) -> None:
    """Which keys, and whether the meter took them."""
    plot.associate()
    keys = a.array(*(a.structure(a.enum(one), a.octet_string(b"\xab" * 24)) for one in (0, 2)))
    for result in (0, 3):
        plot.up(a.action_request(0xC1, 64, "0.0.43.0.0.255", 2, keys))
        plot.down(a.action_response(0xC1, result))
    done, refused = found(plot, tmp_path, "key-change")
    assert told(done)[:3] == ("complete", 2, 2)
    assert done.text.startswith("key_transfer, global unicast encryption key (0), ")
    assert told(refused)[:3] == ("refused", 0, 2)
    assert refused.text.endswith("action-response read-write-denied")
    assert "abab" not in repr(done)


class TestClockSets:
    """Before, after, and the deviation from the capture's clock."""

    #: The capture begins on 2023-11-14 at 22:13:20 UTC, which is 23:13:20 where the meters stand.
    def read(self, plot: Plot, minute: int, second: int) -> None:
        plot.up(a.get_request(0xC1, 8, CLOCK))
        plot.down(a.get_response(0xC1, a.octet_string(a.date_time(2023, 11, 14, 23, minute, second))))

    def write(self, plot: Plot, result: int = 0) -> None:
        time = a.octet_string(a.date_time(2023, 11, 14, 23, 13, 20))
        plot.up(a.set_request(0xC1, 8, CLOCK, 2, time))
        plot.down(a.set_response(0xC1, result))

    def test_before_and_after(self, plot: Plot, tmp_path: Path) -> None:
        """The clock was 100 s ahead, and is right behind it."""
        plot.associate()
        self.read(plot, 15, 0)
        self.write(plot)
        self.read(plot, 13, 20)
        (one,) = found(plot, tmp_path, "clock-set")
        assert one.verdict == "complete"
        assert one.text.startswith(
            "2023-11-14 23:13:20, deviation -60 min (22:13:20 UTC), before 1.67 min ahead"
        )
        assert one.details["before_deviation"] == 99.993
        assert one.details["after_deviation"] == pytest.approx(-0.011, abs=0.001)

    def test_a_clock_that_did_not_take_it(self, plot: Plot, tmp_path: Path) -> None:
        """It says success and goes on as before."""
        plot.associate()
        self.write(plot)
        self.read(plot, 18, 0)
        (one,) = found(plot, tmp_path, "clock-set")
        assert one.verdict == "wrong"
        assert "the clock did not take it: 2023-11-14 23:18:00" in one.text

    def test_refused_and_shifted(self, plot: Plot, tmp_path: Path) -> None:
        """A refusal is told; a method that shifts the clock is a setting too."""
        plot.associate()
        self.write(plot, 3)
        plot.up(a.action_request(0xC1, 8, CLOCK, 6, a.long(5)))
        plot.down(a.action_response(0xC1))
        refused, shifted = found(plot, tmp_path, "clock-set")
        assert (refused.verdict, refused.details["before"]) == ("refused", None)
        assert refused.text.endswith("set-response read-write-denied")
        assert (shifted.verdict, shifted.text) == ("complete", "shift_time")


def test_pushes_have_their_destination(plot: Plot, tmp_path: Path) -> None:
    """One row for the notifications of an association."""
    plot.associate()
    plot.down(EVENT)
    plot.read(OTHER)
    plot.down(EVENT)
    (one,) = found(plot, tmp_path, "push")
    assert told(one) == ("sent", 2, None, "2 notifications to 10.0.0.1:50001")
    assert one.details["destination"] == "10.0.0.1:50001"


def test_general_block_transfers(plot: Plot, tmp_path: Path) -> None:
    """Blocks that lack, come twice or late are counted; one without its last block is unfinished."""
    answer = a.get_response(0xC1, a.octet_string(b"x" * 60))
    parts = [answer[start : start + 20] for start in range(0, len(answer), 20)]

    def block(number: int) -> bytes:
        last = 0x80 if number == len(parts) else 0
        return bytes((0xE0, last | 3, 0, number, 0, 0)) + a.sized(parts[number - 1])

    plot.associate()
    for numbers in ((1, 2, 3, 4), (1, 3, 2, 4), (1, 1, 2, 4), (1, 2)):
        plot.up(OTHER)
        plot.down(*map(block, numbers))
    assert [told(one) for one in found(plot, tmp_path, "general-block-transfer")] == [
        ("complete", 4, 4, "4 of 4 blocks"),
        ("complete", 4, 4, "4 of 4 blocks, 1 out of order"),
        ("partial", 3, 4, "3 of 4 blocks, 1 missing, 1 repeated"),
        ("unfinished", 2, None, "2 blocks"),
    ]


class TestAssociations:
    """Set-ups and HLS."""

    def test_set_ups(self, plot: Plot, tmp_path: Path) -> None:
        """Accepted, refused, and not answered."""
        plot.associate()
        plot.up(a.aarq())
        plot.down(a.aare(result=1, diagnostic=2))
        plot.up(a.aarq())
        plot.end(0)
        texts = [told(one) for one in found(plot, tmp_path, "association")]
        assert texts[0] == ("complete", 2, 2, "accepted, no authentication")
        assert texts[1][:3] == ("refused", 2, 2)
        assert "AARE rejected-permanent: the server does not support this application context" in texts[1][3]  # type: ignore[operator]
        assert texts[2] == ("unanswered", 1, 2, "not answered")

    @pytest.mark.parametrize("wrong", [False, True])
    def test_hls(self, wrong: bool, tmp_path: Path) -> None:
        """With keys it is right or wrong; the set-up is another procedure."""
        associations = Associations(analyse(CipheredSession(wrong=wrong).wire, tmp_path), KEYS)
        complete(associations)
        set_up, hls = find_procedures(associations)
        assert set_up.text == "accepted, HLS-GMAC (5)"
        verdict, text = ("wrong", "an answer is wrong") if wrong else ("complete", "the answers are right")
        assert told(hls) == (verdict, 4, 4, text)

    def test_hls_that_nobody_can_check_or_that_was_refused(self, plot: Plot, tmp_path: Path) -> None:
        """Without keys nothing is proven; a refusal and a break are what they are."""
        for number, result in enumerate((0, 3, None)):
            part = Plot(plot.wire, 5 + number)
            part.tcp.handshake()
            part.up(a.aarq(mechanism=5, authentication=b"CtoS" * 4))
            part.down(a.aare(mechanism=5, authentication=b"StoC" * 4, diagnostic=14))
            if result is not None:
                part.up(a.action_request(0xC1, 15, LIST, 1, a.octet_string(b"\x10" + bytes(16))))
                part.down(a.action_response(0xC1, result, None if result else a.octet_string(bytes(17))))
        assert [told(one) for one in found(plot, tmp_path, "hls")] == [
            ("unproven", 4, 4, "the answers could not be checked"),
            ("refused", 3, 4, "reply_to_HLS_authentication: action-response read-write-denied"),
            ("unfinished", 2, 4, "the challenges were not answered"),
        ]


def test_missing_numbers_cost_no_more_than_what_was_seen() -> None:
    """A size that a hostile image claims is not walked through."""
    assert missing_numbers([1, 2, 5], 1, 6) == (3, [3, 4, 6])
    count, listed = missing_numbers([3], 0, 1 << 40)
    assert (count, listed[:4], len(listed)) == (1 << 40, [0, 1, 2, 4], 100)
    assert missing_numbers([], 0, -1) == (0, [])


def test_hls_that_no_key_opens_is_unproven() -> None:
    """Without keys the answers to the challenges are among what is ciphered, and nobody knows them."""
    with open_capture(shared("captures/Output-Ciphered-HLS.pcap")) as reader:
        associations = Associations(Analysis(reader).run())
        complete(associations)
        told_of = [one for one in find_procedures(associations) if one.kind.value == "hls"]
    assert [one.verdict.value for one in told_of] == ["unproven"]
