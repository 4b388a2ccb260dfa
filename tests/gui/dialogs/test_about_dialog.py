"""Help > About: every part with its version and licence, to be copied; the notice is turned on there."""

from PySide6.QtWidgets import QApplication, QDialogButtonBox

from cosemscope import __version__
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.dialogs import about_dialog
from cosemscope.gui.dialogs.about_dialog import AboutDialog


def opened(qtbot, tmp_path):
    settings = Settings(tmp_path / "settings.ini")
    dialog = AboutDialog(None, settings)
    qtbot.addWidget(dialog)
    return dialog, settings


def test_every_part_has_a_version_and_a_licence(qtbot, tmp_path):
    """What is installed says its version; nothing is left out of the table."""
    dialog, _ = opened(qtbot, tmp_path)
    table = dialog.table
    rows = [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount())]
    assert rows[0] == ["Cosemscope", __version__, "Apache-2.0"]
    assert {"Python", "Qt", "PySide6", "NumPy"} <= {name for name, *_ in rows}
    assert all(name and version and version != "not installed" and licence for name, version, licence in rows)


def test_every_run_time_dependency_is_a_part():
    """A dependency that is added is told of."""
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    wanted = {
        line.split(">")[0].split("=")[0].lower().removesuffix("-essentials")
        for line in project["dependencies"]
    }
    assert wanted <= {part.name.lower() for part in about_dialog.PARTS}


def test_the_versions_are_copied(qtbot, tmp_path):
    """For a report."""
    dialog, _ = opened(qtbot, tmp_path)
    (copy,) = (
        button for button in dialog.findChild(QDialogButtonBox).buttons() if "versions" in button.text()
    )
    copy.click()
    text = QApplication.clipboard().text()
    assert text.startswith(f"Cosemscope {__version__}\n")
    assert "NumPy" in text


def test_the_notice_is_off_until_it_is_ticked(qtbot, tmp_path):
    """And what is told is kept; an address that will not do is told and not kept."""
    dialog, settings = opened(qtbot, tmp_path)
    assert not dialog.notice.isChecked()
    dialog.notice.setChecked(True)
    assert settings.get(options.UPDATE_NOTICE)
    dialog.address.setText("http://example.org/latest.json")
    assert "https://" in dialog.why.text()
    assert settings.get(options.UPDATE_ADDRESS) == ""
    dialog.address.setText("https://example.org/latest.json")
    assert dialog.why.text() == ""
    assert settings.get(options.UPDATE_ADDRESS) == "https://example.org/latest.json"
