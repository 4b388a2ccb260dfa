"""What is printed of readings is CSV that is safe in spreadsheets, whatever a meter says."""

import csv
import io

from cosemscope.cli.reading_lines import ReadingLines
from cosemscope.live.client.reading_events import ProfileBegun, ProfileRow, ValueRead


def test_no_cell_of_a_reading_begins_a_formula() -> None:
    """Values, names and rows; numbers stay numbers, also negative ones, and nothing is an empty cell."""
    lines = ReadingLines(as_csv=True)
    events = (
        ValueRead(
            class_id=1, obis="0.0.42.0.0.255", attribute=2, name="@name", value='=cmd|"/c x"', text="+1-1"
        ),
        ValueRead(class_id=3, obis="1.0.1.8.0.255", attribute=2, name="energy", number=-2.5, unit="Wh"),
        ProfileBegun(obis="1.0.99.1.0.255", titles=("=title", "b"), units=("", "V")),
        ProfileRow(values=(-1, "=1,1\x1b[31m"), texts=("", "")),
    )
    read = list(csv.reader(io.StringIO("\n".join(map(lines, events)))))
    assert read[1] == ["0.0.42.0.0.255", "2", "'@name", '\'=cmd|"/c x"', "", "'+1-1", ""]
    assert read[2] == ["1.0.1.8.0.255", "2", "energy", "-2.5", "Wh", "", ""]
    assert read[3:] == [["'=title", "b [V]"], ["-1", "'=1,1\\x1b[31m"]]
