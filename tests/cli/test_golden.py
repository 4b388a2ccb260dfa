"""The outputs of the commands over known captures are those of the golden files, to the letter."""

import json
from pathlib import Path

import pytest

from tests.cli.golden import DIGESTS, sample_outputs, shared_digests, utc
from tests.helpers.shared import shared


def test_outputs_over_the_samples_are_the_golden_ones() -> None:
    """A change of any text or JSON key is seen, and wanted: see `tests.cli.golden`."""
    with utc():
        for path, text in sample_outputs():
            assert text == path.read_text(encoding="utf-8"), f"{path.name} is another"


@pytest.mark.timeout(300)
def test_outputs_over_shared_captures_have_the_golden_digests(tmp_path: Path) -> None:
    """The same for captures of others, of whose outputs only digests are kept."""
    with utc():
        found = dict(shared_digests(shared("captures").parent, tmp_path))
    known = json.loads(DIGESTS.read_text())
    assert [name for name in known if found.get(name) != known[name]] == []
    assert found.keys() == known.keys()
