"""Workers end with the process that wants their work, however that ends."""

import subprocess
import sys
from pathlib import Path

import pytest

_WANTING = """
import os
from cosemscope.analysis.worker_pool import WorkerPool

if __name__ == "__main__":
    pool = WorkerPool(1, workers=1)
    print(pool.end(pool.begin(os.getpid)), flush=True)
    os._exit(1)  # as if it were killed: nobody is told
"""


@pytest.mark.timeout(60)
def test_a_worker_ends_with_who_wants_its_work(tmp_path: Path) -> None:
    """It holds the same pipe to standard output: that is at its end when the last of them has ended."""
    program = tmp_path / "wanting.py"
    program.write_text(_WANTING)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.strip().isdigit()
