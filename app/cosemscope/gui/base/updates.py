"""A notice of newer versions: off unless the user turns it on, and then one question a day to an address.

The address answers with `{"version": "1.2.3"}`. Nothing of the user or the computer is sent besides what any
request for a file tells. A question that fails is forgotten; nobody is bothered for it.
"""

import json
import logging
import re
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QUrl

from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.resources import resource

_LOG = logging.getLogger(__name__)
#: Milliseconds that an answer may take, and octets that it may have.
_PATIENCE, _LONGEST = 10_000, 65_536


def built_in_address() -> str:
    """The address that this build names for the question; empty where it names none."""
    lines = resource("update-address.txt").read_text(encoding="utf-8").splitlines()
    return next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")


def address(settings: Settings) -> str:
    """The address to ask: the user's, or the build's."""
    return settings.get(options.UPDATE_ADDRESS) or built_in_address()


def refusal(text: str) -> str:
    """Why `text` is no address to ask, as a sentence; empty when it is one."""
    url = QUrl(text, QUrl.ParsingMode.StrictMode)
    if url.isValid() and url.host() and url.scheme() == "https":
        return ""
    if url.scheme() == "http" and url.host() in ("127.0.0.1", "localhost"):
        return ""
    return "The address must begin with https:// and name a host."


def numbers(version: str) -> tuple[int, ...]:
    """A version's numbers, to be compared; empty for what is no version."""
    found = re.fullmatch(r"v?(\d{1,6}(?:\.\d{1,6}){0,3})", version.strip())
    return tuple(map(int, found[1].split("."))) if found else ()


def newer(answer: bytes, present: str) -> str:
    """The version that `answer` names where it is newer than `present`; otherwise, and for nonsense, ""."""
    try:
        told = json.loads(answer)["version"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    if not isinstance(told, str) or not numbers(told):
        return ""
    return told.strip().removeprefix("v") if numbers(told) > numbers(present) else ""


class UpdateNotice(QObject):
    """Asks when it is told to; `tell` gets a newer version's name."""

    def __init__(
        self, settings: Settings, present: str, tell: Callable[[str], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._settings, self._present, self._tell = settings, present, tell

    def ask_if_due(self) -> bool:
        """Ask where the user wants that and today nothing was asked yet; whether a question was sent."""
        today = time.strftime("%Y-%m-%d")
        asked = address(self._settings)
        if not self._settings.get(options.UPDATE_NOTICE) or not asked or refusal(asked):
            return False
        if self._settings.get(options.UPDATE_DAY) == today:
            return False
        self._settings.set(options.UPDATE_DAY, today)
        self._ask(asked)
        return True

    def _ask(self, asked: str) -> None:
        # Imported only here: a program that asks nothing loads nothing that could.
        from PySide6.QtNetwork import QNetworkAccessManager, QNetworkRequest

        request = QNetworkRequest(QUrl(asked))
        request.setTransferTimeout(_PATIENCE)
        request.setHeader(QNetworkRequest.KnownHeaders.UserAgentHeader, "Cosemscope")
        manager = QNetworkAccessManager(self)
        reply = manager.get(request)
        reply.downloadProgress.connect(lambda done, _: reply.abort() if done > _LONGEST else None)

        def finish() -> None:
            if reply.error().value:
                _LOG.info("asking %s for a newer version: %s", asked, reply.errorString())
            else:
                version = newer(bytes(reply.readAll().data())[:_LONGEST], self._present)
                if version:
                    self._tell(version)
            manager.deleteLater()

        reply.finished.connect(finish)
