"""The bar of the display filter: what other panes have put in force, the line to type in, saved filters.

What a pane has put in force, such as a selected session, stands before the line as a button with its filter,
which a click takes away. The typed filter holds beside these.
"""

from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QMenu,
    QToolButton,
    QWidget,
)

from cosemscope.analysis.filter.display_filter import FilterError
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.panes.asked_filter import AskedFilter
from cosemscope.gui.panes.filter.filter_line import FilterLine
from cosemscope.gui.panes.filter.saved_filters import SavedFilters
from cosemscope.gui.panes.pane import Pane, Wishes

#: The name of the condition that is typed.
TYPED = "typed"
#: Pixels that an entry of the menu takes at most.
_MENU_WIDTH = 520
#: The shares of the bar that the buttons of saved filters take at most, and each button of a condition.
_SAVED_SHARE, _CONDITION_SHARE = 0.3, 0.2


class ConditionButton(QToolButton):
    """What another pane has put in force, with its filter; a click takes it away."""

    def __init__(self, parent: QWidget, name: str, text: str) -> None:
        super().__init__(parent)
        self.name, self.filter = name, text
        self.setIcon(icon("close"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setToolTip(plain_tip(f"{text}\nIn force beside the typed filter. A click takes it away."))
        self.setAccessibleName(f"Take away the filter {text}")

    def fit(self, width: int) -> None:
        """Show as much of the filter as `width` pixels hold."""
        shown = self.fontMetrics().elidedText(self.filter, Qt.TextElideMode.ElideMiddle, width)
        self.setText(f" {shown} ".replace("&", "&&"))


class FilterBar(QWidget, Pane):
    """The pane."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._wishes = wishes
        self.saved = SavedFilters()
        self.line = FilterLine(selection, self)
        self.apply_action = QAction(icon("apply"), "Apply this filter (Enter)", self)
        self.line.addAction(self.apply_action, QLineEdit.ActionPosition.TrailingPosition)
        self.menu_button = QToolButton(self)
        self.menu_button.setIcon(icon("bookmark"))
        self.menu_button.setAutoRaise(True)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setToolTip("Saved filters, and those used lately")
        self.menu_button.setAccessibleName("Saved filters")
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.menu_button.setMenu(self.menu)
        self.stop_button = QToolButton(self)
        self.stop_button.setIcon(icon("close"))
        self.stop_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.stop_button.setAutoRaise(True)
        self.stop_button.setToolTip("Stop asking; what was shown before stays")
        self.stop_button.clicked.connect(lambda: selection.filtering.cancel())
        self.stop_button.hide()
        # Over what stands below, so that nothing moves while somebody types.
        self.said = PlainLabel(parent or self)
        self.said.setMargin(4)
        self.said.setWordWrap(True)
        self.said.setFrameShape(QFrame.Shape.StyledPanel)
        self.said.setAutoFillBackground(True)
        self.said.hide()
        self._conditions = QHBoxLayout()
        self._conditions.setSpacing(4)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(2)
        row = QHBoxLayout()
        row.setContentsMargins(4, 3, 4, 3)
        row.setSpacing(4)
        row.addWidget(self.menu_button)
        row.addLayout(self._conditions)
        row.addWidget(self.line, 1)
        row.addWidget(self.stop_button)
        row.addLayout(self._buttons)
        self.setLayout(row)
        self.line.asked.connect(self.apply)
        self.line.left.connect(self._leave)
        self.line.judged.connect(self._say)
        self.line.textChanged.connect(self._note_text)
        self.apply_action.triggered.connect(self.apply)
        selection.filterAsked.connect(self.take)
        selection.filtersChanged.connect(self._follow_filters)
        selection.filtering.failed.connect(self._say_failure)
        selection.filtering.progressed.connect(self._show_progress)
        self._note_text()

    # Filters

    def apply(self) -> None:
        """Put what is typed in force; nothing typed takes the filter away."""
        text = self.line.text().strip()
        try:
            self._selection.restrict(TYPED, text)
        except FilterError as error:
            self._say(error)
            return
        self.saved.note(text)
        self._wishes.placesChanged.emit()
        self._note_text()

    def take(self, asked: AskedFilter) -> None:
        """Take over a filter that somebody pointed at."""
        self.line.setText(asked.joined(self.line.text()))
        if asked.applied:
            self.apply()
        else:
            self.begin()

    def show_filter(self, text: str) -> None:
        """Type a filter and apply it."""
        self.line.setText(text)
        self.apply()

    def begin(self, typed: str = "") -> None:
        """Give the line the focus; `typed` is what was typed elsewhere to begin a filter."""
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if typed:
            self.line.setText(typed)
            self.line.textEdited.emit(typed)
        else:
            self.line.selectAll()

    def _leave(self) -> None:
        """Escape: back to the filter that is in force, and to the table."""
        self.line.setText(self._selection.filters.text(TYPED))
        self._wishes.tableAsked.emit()

    def _follow_filters(self, names: frozenset[str]) -> None:
        filters = self._selection.filters
        if TYPED in names and TYPED not in filters:
            self.line.clear()
        for button in self.condition_buttons:
            self._conditions.removeWidget(button)
            button.hide()
            button.deleteLater()
        for name, condition in filters:
            if name != TYPED:
                button = ConditionButton(self, name, condition.text)
                button.clicked.connect(partial(self._selection.restrict, name, ""))
                button.fit(self._condition_width)
                self._conditions.addWidget(button)
        self._note_text()

    @property
    def _condition_width(self) -> int:
        return round(self.width() * _CONDITION_SHARE)

    @property
    def condition_buttons(self) -> list[ConditionButton]:
        """The buttons of what other panes have put in force."""
        found = (self._conditions.itemAt(place).widget() for place in range(self._conditions.count()))
        return [one for one in found if isinstance(one, ConditionButton)]

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture begins without a filter."""
        self.line.clear()
        self._follow_filters(frozenset((TYPED,)))

    # Words

    def _say(self, error: FilterError | None) -> None:
        text = str(error) if error is not None else ""
        self._show_words(text)
        self.line.setToolTip(plain_tip(text or "Enter applies the filter, Escape leaves it"))

    def _say_failure(self, sentence: str) -> None:
        self._show_words(sentence)

    def _show_progress(self, done: int, total: int) -> None:
        """Say how many rows have been asked, where that takes a while."""
        self.stop_button.setText(f"{100 * done // max(1, total)} %")
        self.stop_button.setVisible(total > 0)

    def _show_words(self, text: str) -> None:
        self.said.setText(text)
        self.said.setToolTip(plain_tip(text))
        scheme = theme.colours(QGuiApplication.palette())
        palette = self.said.palette()
        palette.setColor(self.said.foregroundRole(), scheme.error)
        palette.setColor(self.said.backgroundRole(), scheme.message_error)
        self.said.setPalette(palette)
        self._place_words()
        self.said.setVisible(bool(text))
        self.said.raise_()

    def _place_words(self) -> None:
        """Put the words below the line, where they belong."""
        host = self.said.parentWidget()
        inside = host.isAncestorOf(self.line)
        at = self.line.mapTo(host, self.line.rect().bottomLeft()) if inside else QPoint()
        natural = self.fontMetrics().horizontalAdvance(self.said.text()) + 4 * self.said.margin()
        width = min(natural, max(100, host.width() - at.x() - 4))
        self.said.setGeometry(at.x(), at.y() + 2, width, self.said.heightForWidth(width))

    def _note_text(self) -> None:
        """Applying is offered where it changes something."""
        typed = self.line.text().strip()
        changes = typed != self._selection.filters.text(TYPED)
        self.apply_action.setVisible(changes and self.line.error is None)

    # Saved ones

    def _fill_menu(self) -> None:
        menu, typed = self.menu, self.line.text().strip()
        menu.clear()
        save = menu.addAction(icon("bookmark"), "&Save this filter…", self.ask_name)
        save.setEnabled(bool(typed) and self.line.error is None)
        if self.saved.named:
            forget = menu.addMenu("&Remove")
            for name in self.saved.named:
                forget.addAction(name.replace("&", "&&"), partial(self._forget, name))
            menu.addSection("Saved")
        for name, text in self.saved.named.items():
            self._add_to_menu(f"{name}:  {text}", text)
        if self.saved.used:
            menu.addSection("Used lately")
        for text in self.saved.used:
            self._add_to_menu(text, text)

    def _add_to_menu(self, title: str, text: str) -> None:
        shown = self.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, _MENU_WIDTH)
        action = self.menu.addAction(shown.replace("&", "&&"), partial(self.show_filter, text))
        action.setToolTip(plain_tip(text))

    def ask_name(self) -> None:
        """Save the typed filter under a name that a person gives it."""
        text = self.line.text().strip()
        name, sure = QInputDialog.getText(self, "Save filter", f"Name of the filter\n{text}")
        if sure and name.strip():
            self.saved.save(name.strip(), text)
            self._show_saved()

    def _forget(self, name: str) -> None:
        self.saved.forget(name)
        self._show_saved()

    def _show_saved(self) -> None:
        self._fill_buttons()
        self._wishes.placesChanged.emit()

    def _fill_buttons(self) -> None:
        """A button for each saved filter, as far as there is room; all stand in the menu."""
        while self._buttons.count():
            widget = self._buttons.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        room = self.width() * _SAVED_SHARE
        for name, text in self.saved.named.items():
            button = QToolButton(self)
            shown = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, _MENU_WIDTH // 4)
            button.setText(shown.replace("&", "&&"))
            button.setAutoRaise(True)
            button.setToolTip(plain_tip(f"{name}\n{text}"))
            button.clicked.connect(partial(self.show_filter, text))
            room -= button.sizeHint().width()
            if room < 0:
                button.deleteLater()
                return
            self._buttons.addWidget(button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many buttons as have room."""
        super().resizeEvent(event)
        self._fill_buttons()
        for button in self.condition_buttons:
            button.fit(self._condition_width)
        self._place_words()

    def arrangement(self) -> bytes:
        """Saved and used filters."""
        return self.saved.packed()

    def restore(self, state: bytes) -> None:
        """Take back saved and used filters."""
        self.saved.unpack(state)
        self._fill_buttons()

    def set_zoom(self, points: int) -> None:
        """Make the text of the line `points` larger than the application's."""
        self.line.setFont(theme.zoomed(QGuiApplication.font(), points))
        self.line.list.setFont(self.line.font())

    def changeEvent(self, event: Any) -> None:
        """Follow the colour scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.said.text():
            self._show_words(self.said.text())

    def sizeHint(self) -> QSize:
        """As high as its parts, as wide as there is room."""
        return self.layout().sizeHint()
