"""Writes what an installer is made of as a CycloneDX document: `python -m release.sbom SITE_PACKAGES FILE`.

Runs with an environment that has cyclonedx-python-lib. The same parts give the same octets: the serial number
is made from them, the time is that of the build.
"""

import datetime
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from release import licences
from release.facts import FACTS, build_epoch


def components(site_packages: Path) -> Iterator[Any]:
    """A component for each distribution carried, for Qt, and for the Python underneath."""
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    factory = LicenseFactory()
    qt = ""
    for distribution in licences.carried(site_packages):
        name, version = licences.normal(distribution.metadata["Name"]), distribution.version
        if name == "pyside6-essentials":
            qt = version
        yield Component(
            type=ComponentType.LIBRARY,
            name=name,
            version=version,
            bom_ref=f"pkg:pypi/{name}@{version}",
            purl=PackageURL("pypi", None, name, version),
            licenses=[factory.make_from_string(text) for text in _licence(distribution)],
        )
    for name, version, licence in (
        ("qt", qt, "LGPL-3.0-only"),
        ("cpython", ".".join(map(str, sys.version_info[:2])), "PSF-2.0"),
        ("pyinstaller-bootloader", "6", "GPL-2.0-or-later WITH Bootloader-exception"),
    ):
        yield Component(
            type=ComponentType.FRAMEWORK,
            name=name,
            version=version,
            bom_ref=f"{name}@{version}",
            licenses=[factory.make_from_string(licence)],
        )


def _licence(distribution: Any) -> list[str]:
    """The licence that a distribution states, as one text or none: expression, classifier or field."""
    metadata = distribution.metadata
    classifiers = [
        text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier") or () if "License ::" in text
    ]
    field = (metadata.get("License") or "").splitlines()[:1]
    return [each for each in (metadata.get("License-Expression"), *classifiers, *field) if each][:1]


def document(site_packages: Path) -> str:
    """The whole document as JSON; raises ValueError where it does not fit CycloneDX's schema."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    parts = list(components(site_packages))
    program = Component(
        type=ComponentType.APPLICATION, name=FACTS.command, version=FACTS.version, bom_ref=FACTS.command
    )
    bom = Bom(components=parts)
    bom.metadata.component = program
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(build_epoch(), datetime.UTC)
    bom.serial_number = uuid.uuid5(
        uuid.NAMESPACE_URL, "|".join([FACTS.version, *sorted(str(part.bom_ref) for part in parts)])
    )
    bom.register_dependency(program, parts)
    text = str(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2))
    faults = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if faults:
        raise ValueError(f"the SBOM does not fit the schema: {faults}")
    return text + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(document(Path(sys.argv[1])), encoding="utf-8")
