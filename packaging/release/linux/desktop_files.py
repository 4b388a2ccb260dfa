"""What a Linux desktop reads of Cosemscope: menu entry, kinds of file, AppStream data, icons."""

import shutil
import time
from pathlib import Path
from xml.sax.saxutils import escape

from release import icons
from release.facts import CHECKOUT, FACTS, FILE_TYPES, build_epoch

_DESCRIPTION = (
    "Cosemscope shows what DLMS/COSEM meters and head-end systems say to each other over IP. It opens "
    "or makes a capture, puts TCP streams and UDP datagrams together, shows them as a tree of "
    "sessions with their timing, decodes every APDU down to the octet and opens the ciphered ones "
    "where you give it the keys.",
    "Lost segments, skipped octets, broken headers and wrong keys are marked, never guessed over. The "
    "same engine works without a window, as commands for scripts.",
)


def desktop_entry() -> str:
    """The menu entry, which also says what the program opens."""
    return f"""[Desktop Entry]
Type=Application
Name={FACTS.name}
GenericName=DLMS/COSEM Inspector
Comment=Inspect DLMS/COSEM traffic of meters over IP
Exec={FACTS.command} %f
Icon={FACTS.command}
Terminal=false
StartupWMClass={FACTS.command}
Categories=Network;Monitor;Development;
Keywords=dlms;cosem;meter;capture;pcap;wrapper;wport;
MimeType={"".join(f"{kind.mime};" for kind in FILE_TYPES)}
"""


def mime_package() -> str:
    """The kinds of file by suffix, for systems that do not know them yet."""
    kinds = "".join(
        f'  <mime-type type="{kind.mime}">\n'
        f"    <comment>{kind.title}</comment>\n"
        f'    <glob pattern="*.{kind.suffix}"/>\n'
        "  </mime-type>\n"
        for kind in FILE_TYPES
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">\n{kinds}</mime-info>\n'


def appstream() -> str:
    """What software centres show."""
    day = time.strftime("%Y-%m-%d", time.gmtime(build_epoch()))
    paragraphs = "\n".join(f"    <p>{escape(text)}</p>" for text in _DESCRIPTION)
    kinds = "\n".join(f"    <mediatype>{kind.mime}</mediatype>" for kind in FILE_TYPES)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<component type="desktop-application">
  <id>{FACTS.identifier}</id>
  <metadata_license>CC0-1.0</metadata_license>
  <project_license>{FACTS.licence}</project_license>
  <name>{FACTS.name}</name>
  <summary>Inspect DLMS/COSEM traffic of meters over IP</summary>
  <developer id="{FACTS.identifier.rpartition(".")[0].lower()}">
    <name>{FACTS.publisher}</name>
  </developer>
  <description>
{paragraphs}
  </description>
  <launchable type="desktop-id">{FACTS.command}.desktop</launchable>
  <provides>
    <binary>{FACTS.command}</binary>
{kinds}
  </provides>
  <content_rating type="oars-1.1"/>
  <releases>
    <release version="{FACTS.version}" date="{day}"/>
  </releases>
</component>
"""


def write(share: Path) -> list[Path]:
    """Write everything below `share` (as /usr/share); return the paths."""
    texts = {
        share / "applications" / f"{FACTS.command}.desktop": desktop_entry(),
        share / "mime" / "packages" / f"{FACTS.command}.xml": mime_package(),
        share / "metainfo" / f"{FACTS.identifier}.metainfo.xml": appstream(),
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    pictures = {
        share / "icons" / "hicolor" / f"{size}x{size}" / "apps" / f"{FACTS.command}.png": icons.FOLDER
        / f"{size}.png"
        for size in icons.SIZES
        if size <= 512
    }
    vector = share / "icons" / "hicolor" / "scalable" / "apps" / f"{FACTS.command}.svg"
    pictures[vector] = CHECKOUT / "resources" / "icons" / "cosemscope.svg"
    for path, picture in pictures.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, path)
    return [*texts, *pictures]
