"""Panes offer display filters of what a person points at, who chooses how one joins the typed filter."""

import re
from collections.abc import Sequence
from enum import Enum
from functools import partial
from typing import NamedTuple

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from cosemscope.gui.document.selection import Selection
from cosemscope.gui.look.icons import icon


class Join(Enum):
    """How an offered filter joins the one that is typed: the menu's words, and the two put together."""

    REPLACE = ("&Selected", "{offered}")
    NOT = ("&Not selected", "!({offered})")
    AND = ("… a&nd selected", "{typed} && {offered}")
    OR = ("… &or selected", "{typed} || {offered}")
    AND_NOT = ("… and not s&elected", "{typed} && !({offered})")
    OR_NOT = ("… o&r not selected", "{typed} || !({offered})")

    def __init__(self, title: str, form: str) -> None:
        self.title, self.form = title, form

    @property
    def needs_typed(self) -> bool:
        """Whether there must be a typed filter to join."""
        return "{typed}" in self.form


class AskedFilter(NamedTuple):
    """What a person wants: `text` joined to the typed filter as `join` says; applied, or only prepared."""

    text: str
    join: Join = Join.REPLACE
    applied: bool = True

    def joined(self, typed: str) -> str:
        """The whole filter, from the one that is typed."""
        join = self.join
        if join.needs_typed and not typed.strip():
            join = {Join.AND_NOT: Join.NOT, Join.OR_NOT: Join.NOT}.get(join, Join.REPLACE)
        if not join.needs_typed:
            return join.form.format(offered=self.text)
        return join.form.format(typed=_grouped(typed.strip(), join), offered=_grouped(self.text, join))


#: Words that join conditions, and of each way to join those that bind less or need not be told apart.
_LOOSER = {
    "&&": re.compile(r"\|\||\bor\b", re.IGNORECASE),
    "||": re.compile(r"&&|\band\b", re.IGNORECASE),
}


def _grouped(text: str, join: Join) -> str:
    """`text` in brackets where it would be read otherwise beside `join`."""
    looser = _LOOSER["&&" if "&&" in join.form else "||"]
    return f"({text})" if looser.search(text) else text


def add_filter_menus(menu: QMenu, selection: Selection, offers: Sequence[tuple[str, str]]) -> None:
    """Add "Apply as filter" and "Prepare as filter" to `menu`, of offers that are a title and a filter each.

    With no offer nothing is added.
    """
    for title, applied in (("&Apply as filter", True), ("&Prepare as filter", False)) if offers else ():
        ways = menu.addMenu(icon("filter"), title) if applied else menu.addMenu(title)
        for name, text in offers:
            inner = ways if len(offers) == 1 else ways.addMenu(name)
            for join in Join:
                asked = AskedFilter(text, join, applied)
                action = inner.addAction(join.title, partial(selection.filterAsked.emit, asked))
                action.setToolTip(text)
    if offers:
        menu.addAction("Copy as &filter", lambda: QGuiApplication.clipboard().setText(offers[0][1]))
