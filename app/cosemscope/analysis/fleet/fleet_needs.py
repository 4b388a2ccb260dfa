"""What a fleet's tables need beside Cosemscope itself, told with the line that installs it."""

from importlib.util import find_spec

#: The optional packages, and what each is for.
PACKAGES = {"pyarrow": "writes Parquet", "duckdb": "answers questions about it"}


def missing_packages() -> str:
    """A sentence on the packages that are not installed; "" where all are."""
    lacks = [name for name in PACKAGES if find_spec(name) is None]
    if not lacks:
        return ""
    told = " and ".join(f"{name}, which {PACKAGES[name]}" for name in lacks)
    return (
        f"{told}, {'are' if len(lacks) > 1 else 'is'} not installed. "
        'Run: python -m pip install "cosemscope[fleet]", in a checkout python3 packaging/bootstrap.py fleet'
    )
