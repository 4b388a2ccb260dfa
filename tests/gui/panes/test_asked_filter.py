"""Offered filters join what is typed so that both mean afterwards what they meant before."""

import itertools

import numpy as np
import pytest
from PySide6.QtWidgets import QMenu

from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.panes.asked_filter import AskedFilter, Join, add_filter_menus
from tests.helpers.polled import polled_traffic

PARTS = ("role == server", "wpdu.number < 9 || wpdu.number > 30", "wport == 16 and stream == 0", "!obis")
MEANT = {
    Join.REPLACE: lambda typed, offered: offered,
    Join.NOT: lambda typed, offered: ~offered,
    Join.AND: lambda typed, offered: typed & offered,
    Join.OR: lambda typed, offered: typed | offered,
    Join.AND_NOT: lambda typed, offered: typed & ~offered,
    Join.OR_NOT: lambda typed, offered: typed | ~offered,
}


def mask(traffic, text: str) -> np.ndarray:
    found = np.zeros(40, np.bool_)
    found[compile_filter(text).rows(traffic.analysis)] = True
    return found


@pytest.mark.parametrize("join", Join)
def test_both_parts_keep_their_meaning(join):
    """Every pair of filters, of all shapes, against masks that are joined."""
    traffic = polled_traffic(40)
    for typed, offered in itertools.product(PARTS, PARTS):
        whole = AskedFilter(offered, join).joined(typed)
        wanted = MEANT[join](mask(traffic, typed), mask(traffic, offered))
        assert list(mask(traffic, whole)) == list(wanted), whole


@pytest.mark.parametrize("join", Join)
def test_where_nothing_is_typed_the_offer_stands_alone(join):
    """Negated where it was to be."""
    whole = AskedFilter("obis", join).joined("  ")
    assert whole == ("!(obis)" if join in (Join.NOT, Join.AND_NOT, Join.OR_NOT) else "obis")


def test_the_menu_offers_every_way_to_apply_and_to_prepare(qtbot):
    """Six ways each; what is chosen is asked for."""
    selection, menu = Selection(), QMenu()
    qtbot.addWidget(menu)
    asked: list[AskedFilter] = []
    selection.filterAsked.connect(asked.append)
    add_filter_menus(menu, selection, [("OBIS", "obis == 1.0.1.8.0.255")])
    menus = [action.menu() for action in menu.actions() if action.menu() is not None]
    assert [one.title() for one in menus] == ["&Apply as filter", "&Prepare as filter"]
    for one in menus:
        for action in one.actions():
            action.trigger()
    assert asked == [
        AskedFilter("obis == 1.0.1.8.0.255", join, applied) for applied in (True, False) for join in Join
    ]


def test_without_an_offer_there_is_no_menu(qtbot):
    """A menu without a meaning is not shown."""
    menu = QMenu()
    qtbot.addWidget(menu)
    add_filter_menus(menu, Selection(), [])
    assert not menu.actions()
