"""Draws the program's icon in the sizes and containers that each system wants, from the one SVG."""

from pathlib import Path

from release.facts import BUILD, CHECKOUT
from release.steps import run_module
from workspace import Place

#: Pixels of the squares that are drawn.
SIZES = (16, 24, 32, 48, 64, 128, 256, 512, 1024)
FOLDER = BUILD / "icons"


def make_icons(tools: Place) -> Path:
    """Draw the icon into `build/icons` with the Python of `tools`; return the folder."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    run_module(tools, "release.icons", FOLDER, environment={"QT_QPA_PLATFORM": "offscreen"})
    return FOLDER


def draw(svg: Path, folder: Path) -> None:
    """Write `<size>.png`, `cosemscope.ico` and `cosemscope.icns` into `folder`."""
    from PIL import Image
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(str(svg))
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        image.save(str(folder / f"{size}.png"))
    pictures = {size: Image.open(folder / f"{size}.png") for size in SIZES}
    small = [size for size in SIZES if size <= 256]
    pictures[256].save(
        folder / "cosemscope.ico",
        sizes=[(size, size) for size in small],
        append_images=[pictures[size] for size in small[:-1]],
    )
    pictures[1024].save(
        folder / "cosemscope.icns", append_images=[pictures[size] for size in (32, 64, 128, 256, 512)]
    )


if __name__ == "__main__":
    import sys

    draw(CHECKOUT / "resources" / "icons" / "cosemscope.svg", Path(sys.argv[1]))
