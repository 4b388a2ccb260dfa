"""The benchmark of counts and exports measures what it says."""

from pathlib import Path

from tests.benchmarks import export_benchmark
from tests.benchmarks.generate import generate


def test_all_is_measured(tmp_path: Path, monkeypatch) -> None:
    """Each pair twice, each export once, and nothing is left behind."""
    monkeypatch.setattr(export_benchmark, "ROWS", 3000)
    path = tmp_path / "capture.pcap"
    generate(path, 2000)
    before = set(tmp_path.iterdir())
    found = export_benchmark.measure(path)
    assert set(tmp_path.iterdir()) == before
    assert found["rows"] == 3000
    assert list(found["counts"]) == [",".join(pair) for pair in export_benchmark.PAIRS]
    assert all(first > 0 and again > 0 for first, again in found["counts"].values())
    assert list(found["exports"]) == [f"{what} as {form}" for form, what in export_benchmark.EXPORTS]
