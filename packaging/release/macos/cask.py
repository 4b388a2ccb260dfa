"""Makes the Homebrew cask of a release, from the disk images and the address they will have."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from release.facts import FACTS
from release.macos.bundle import OLDEST_SYSTEM

#: Homebrew's word for a version of macOS.
_SYSTEMS = {"13.0": "ventura", "14.0": "sonoma", "15.0": "sequoia"}
#: Homebrew's names of the processors -> as the images are called.
PROCESSORS = {"arm": "arm64", "intel": "x86_64"}


def cask(images: Mapping[str, Path], address: str) -> str:
    """The cask's text; `images` by processor as Homebrew calls it, `address` of the folder they are in."""
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in images.items()}
    return f"""cask "{FACTS.command}" do
  arch arm: "{PROCESSORS["arm"]}", intel: "{PROCESSORS["intel"]}"

  version "{FACTS.version}"
  sha256 arm:   "{digests["arm"]}",
         intel: "{digests["intel"]}"

  url "{address}/{FACTS.name}-#{{version}}-macos-#{{arch}}.dmg"
  name "{FACTS.name}"
  desc "{FACTS.summary}"
  homepage "{address.split("/releases/")[0]}"

  depends_on macos: ">= :{_SYSTEMS[OLDEST_SYSTEM]}"

  app "{FACTS.name}.app"
  binary "#{{appdir}}/{FACTS.name}.app/Contents/MacOS/{FACTS.command}"

  zap trash: [
    "~/.config/{FACTS.name}",
    "~/Library/Saved Application State/{FACTS.identifier}.savedState",
  ]
end
"""
