"""Makes the three winget manifests of a release, from the installer and the address it will have."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release.facts import FACTS, FILE_TYPES, build_epoch

SCHEMA = Path(__file__).with_name("winget_schema.json")
IDENTIFIER = f"{FACTS.name}.{FACTS.name}"
_MANIFEST_VERSION = "1.10.0"
#: Statuses of the installer, see installer.nsi -> winget's word for each.
_STATUSES = {2: "cancelledByUser", 3: "packageInUseByApplication"}


def manifests(setup: Path, address: str) -> dict[str, dict[str, Any]]:
    """File name -> manifest, for the installer `setup` that will be at `address`."""
    digest = hashlib.sha256(setup.read_bytes()).hexdigest().upper()
    common = {"PackageIdentifier": IDENTIFIER, "PackageVersion": FACTS.version}

    def manifest(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {**common, **fields, "ManifestType": kind, "ManifestVersion": _MANIFEST_VERSION}

    installers = [
        {
            "Architecture": "x64",
            "Scope": scope,
            "InstallerUrl": address,
            "InstallerSha256": digest,
            "InstallerSwitches": {"Custom": switch},
        }
        for scope, switch in (("user", "/CurrentUser"), ("machine", "/AllUsers"))
    ]
    return {
        f"{IDENTIFIER}.yaml": manifest("version", {"DefaultLocale": "en-US"}),
        f"{IDENTIFIER}.installer.yaml": manifest(
            "installer",
            {
                "InstallerType": "nullsoft",
                "MinimumOSVersion": "10.0.17763.0",
                "InstallModes": ["interactive", "silent"],
                "UpgradeBehavior": "install",
                "Commands": [FACTS.command],
                "FileExtensions": [kind.suffix for kind in FILE_TYPES],
                "ReleaseDate": time.strftime("%Y-%m-%d", time.gmtime(build_epoch())),
                "ExpectedReturnCodes": [
                    {"InstallerReturnCode": status, "ReturnResponse": word}
                    for status, word in _STATUSES.items()
                ],
                "Installers": installers,
            },
        ),
        f"{IDENTIFIER}.locale.en-US.yaml": manifest(
            "defaultLocale",
            {
                "PackageLocale": "en-US",
                "Publisher": FACTS.publisher,
                "PackageName": FACTS.name,
                "License": FACTS.licence,
                "Copyright": FACTS.copyright,
                "ShortDescription": FACTS.summary,
                "Moniker": FACTS.command,
                "Tags": ["dlms", "cosem", "metering", "pcap"],
            },
        ),
    }
