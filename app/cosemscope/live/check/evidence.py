"""The evidence of a run in one file: report as page and as JSON, capture, versions; fit to hand on."""

import io
import json
import platform
import zipfile
from pathlib import Path

from cosemscope.live.check.report import html_report
from cosemscope.live.check.runner import Report

_ABOUT = """Evidence of a transport check (IEC 62056-4-7)

report.html    the report, for people
report.json    the same for programs, with every step
check.pcapng   what went over the wire; headers of Ethernet, IP, TCP and UDP are synthetic, times are real
versions.txt   what it was made with
"""


def evidence(report: Report, capture: Path) -> bytes:
    """A zip file of the report and of the capture of its run. Its times are those of the run."""
    versions = (
        f"Cosemscope {report.version}",
        f"Python {platform.python_version()}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
    )
    parts: dict[str, bytes] = {
        "about.txt": _ABOUT.encode(),
        "report.html": html_report(report).encode(),
        "report.json": json.dumps(report.as_json(), indent=2).encode(),
        "check.pcapng": capture.read_bytes(),
        "versions.txt": ("\n".join(versions) + "\n").encode(),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in parts.items():
            entry = zipfile.ZipInfo(name, report.started.timetuple()[:6])
            archive.writestr(entry, octets, zipfile.ZIP_DEFLATED)
    return made.getvalue()
