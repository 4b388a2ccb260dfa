"""Saves what a widget shows as a picture, PNG or SVG, or as the CSV of its numbers, by the file's ending."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from cosemscope.analysis.export.formats.csv_lines import csv_lines
from cosemscope.analysis.export.whole_file import WholeFile

#: What a dialog offers.
FORMATS = "PNG picture (*.png);;SVG picture (*.svg);;CSV of the numbers (*.csv)"


def save_graph(path: Path, widget: QWidget, lines: Callable[[], Iterable[Sequence[Any]]]) -> None:
    """Write a widget into `path`; another ending than .svg and .csv is a PNG. Raises ExportError."""
    octets = csv_lines(lines()).encode() if path.suffix.lower() == ".csv" else _picture(path, widget)
    with WholeFile(path) as file:
        file.write(octets)


def _picture(path: Path, widget: QWidget) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if path.suffix.lower() == ".svg":
        svg = QSvgGenerator()
        svg.setOutputDevice(buffer)
        svg.setSize(widget.size())
        svg.setViewBox(widget.rect())
        svg.setTitle(widget.accessibleName())
        widget.render(svg)
    else:
        widget.grab().save(buffer, "PNG")
    return bytes(buffer.data().data())
