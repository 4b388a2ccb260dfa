"""The update notice: off by default, asks nothing then; what it asks, what it makes of answers."""

import json
import socketserver
import threading

import pytest

from cosemscope.gui.base import settings as options
from cosemscope.gui.base import updates
from cosemscope.gui.base.settings import Settings

_SOCKET = socketserver.socket.socket  # before the fixture that forbids sockets to the window


class _Answers(socketserver.StreamRequestHandler):
    def handle(self):
        request = []
        while (line := self.rfile.readline().strip()) != b"":
            request.append(line.decode())
        self.server.requests.append(request)
        body = self.server.body
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def server(monkeypatch):
    """An HTTP server on loopback that answers with `body` and keeps what it was asked."""
    monkeypatch.setattr(socketserver.socket, "socket", _SOCKET)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Answers) as one:
        one.requests, one.body = [], json.dumps({"version": "9.1"}).encode()
        one.address = f"http://127.0.0.1:{one.server_address[1]}/latest.json"
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.shutdown()


@pytest.fixture
def settings(qapp, tmp_path):
    return Settings(tmp_path / "settings.ini")


def notice(settings, told, qapp):
    return updates.UpdateNotice(settings, "0.1.0", told.append, qapp)


def test_nothing_is_asked_unless_the_user_wants_it(settings, server, qapp):
    """The default, even with an address at hand."""
    settings.set(options.UPDATE_ADDRESS, server.address)
    assert options.UPDATE_NOTICE.default is False
    assert not notice(settings, [], qapp).ask_if_due()
    assert settings.get(options.UPDATE_DAY) == ""
    assert server.requests == []


def test_a_build_that_names_no_address_asks_nothing(settings, qapp):
    """A checkout names none."""
    settings.set(options.UPDATE_NOTICE, True)
    assert updates.built_in_address() == ""
    assert not notice(settings, [], qapp).ask_if_due()


def test_asked_once_a_day_and_told(settings, server, qapp, qtbot):
    """One request, that tells nothing of the user; the newer version is told; not asked again today."""
    settings.set(options.UPDATE_NOTICE, True)
    settings.set(options.UPDATE_ADDRESS, server.address)
    told = []
    asking = notice(settings, told, qapp)
    assert asking.ask_if_due()
    qtbot.waitUntil(lambda: told == ["9.1"])
    assert not asking.ask_if_due()
    (request,) = server.requests
    names = {line.split(":")[0].lower() for line in request[1:]}
    assert names <= {"host", "connection", "accept-encoding", "accept-language", "user-agent"}
    assert "user-agent: cosemscope" in [line.lower() for line in request]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b'{"version": "0.2.0"}', "0.2.0"),
        (b'{"version": "v0.1.1"}', "0.1.1"),
        (b'{"version": "0.1.0"}', ""),
        (b'{"version": "0.0.9"}', ""),
        (b'{"version": "<b>9</b>"}', ""),
        (b'{"version": 9}', ""),
        (b"[]", ""),
        (b"[" * 100_000, ""),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_only_a_newer_version_is_told(answer, told):
    """Nonsense is nothing, never an error."""
    assert updates.newer(answer, "0.1.0") == told


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://example.org/latest.json", True),
        ("http://127.0.0.1:8000/x", True),
        ("http://example.org/x", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("latest.json", False),
    ],
)
def test_only_safe_addresses_are_asked(text, good):
    """What could be changed on the way is not asked."""
    assert (updates.refusal(text) == "") is good
