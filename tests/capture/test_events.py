"""Events and commands at the pipe: every one comes back as it was told, and nothing else passes for one."""

import json
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.capturing import capture_events
from cosemscope.capture.capturing.capture_events import CAPTURE_COMMANDS, CAPTURE_EVENTS
from cosemscope.capture.events import Event, MessageError, PipeMessage, Trouble, Vocabulary, line_of
from cosemscope.live.commands import live_events
from cosemscope.live.commands.live_events import LIVE_COMMANDS, LIVE_EVENTS

VOCABULARIES = {
    "capture events": (CAPTURE_EVENTS, capture_events, True),
    "capture commands": (CAPTURE_COMMANDS, capture_events, False),
    "live events": (LIVE_EVENTS, live_events, True),
    "live commands": (LIVE_COMMANDS, live_events, False),
}

TEXT = st.text(max_size=12)
VALUES = {
    str: TEXT,
    int: st.integers(-(2**63), 2**64),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(min_size=1, max_size=12),
    Path: st.builds(Path, st.text("abc/. ", min_size=1, max_size=8)),
    tuple[str, ...]: st.lists(TEXT, max_size=3).map(tuple),
    tuple[Path, ...]: st.lists(st.builds(Path, st.text("ab/", min_size=1)), max_size=3).map(tuple),
    type(None): st.none(),
}


def classes(module: object, *, events: bool) -> list[type[PipeMessage]]:
    """The message classes of a module that have a word, events or commands."""
    found = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, PipeMessage)]
    return [one for one in found if hasattr(one, "word") and issubclass(one, Event) is events]


def values_of(hint: object) -> st.SearchStrategy[object]:
    kinds = getattr(hint, "__args__", ()) if hint not in VALUES else (hint,)
    return st.one_of(*(VALUES[kind] for kind in kinds))


def messages(made: type[PipeMessage]) -> st.SearchStrategy[PipeMessage]:
    hints = get_type_hints(made)
    return st.builds(made, **{one.name: values_of(hints[one.name]) for one in fields(made)})


@pytest.mark.parametrize("name", VOCABULARIES)
@settings(max_examples=25)
@given(data=st.data())
def test_every_message_comes_back_as_it_was_told(name: str, data: st.DataObject) -> None:
    """Line and back, for every class that its module has: none is missing in the vocabulary."""
    vocabulary, module, are_events = VOCABULARIES[name]
    for made in classes(module, events=are_events):
        message = data.draw(messages(made))
        line = line_of(message)
        assert "\n" not in line
        assert vocabulary.decode(line.encode()) == message


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            live_events.ApduSent(
                time=7, apdu=b"\x62\x00", local_wport=16, remote_wport=1, remote="192.0.2.1:4059"
            ),
            {"event": "sent", "time": 7, "apdu": "6200", "name": "RLRQ", "local_wport": 16}
            | {"remote_wport": 1, "remote": "192.0.2.1:4059"},
        ),
        (
            capture_events.CaptureKept(time=7, file=Path("a"), files=(Path("a"),), packets=0, dropped=None),
            {"event": "kept", "time": 7, "file": "a", "files": ["a"], "packets": 0, "dropped": None},
        ),
        (
            Trouble(time=7, fault="gone", message="ä"),
            {"event": "error", "time": 7, "fault": "gone", "message": "ä"},
        ),
        (live_events.AnswerWith(answer=None), {"answer": None}),
        (live_events.SendApdu(send=b"\xc0", to="h:1"), {"send": "c0", "to": "h:1"}),
    ],
)
def test_what_stands_at_the_pipe(message: PipeMessage, line: dict[str, object]) -> None:
    """The keys, their order and their values are an interface."""
    assert list(json.loads(line_of(message)).items()) == list(line.items())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no command in JSON: ''"),
        ("7", "no command in JSON: '7'"),
        ("[" * 100_000, "no command in JSON: '[[[["),
        ('{"fly": 1}', "no command in JSON: '{\"fly\": 1}'"),
        ('{"event": "send", "send": "00"}', "command 'send': there is no 'event' in it"),
        ('{"event": ["send"]}', "no command in JSON"),
        ('{"send": 5}', "command 'send': 'send' cannot be '5'"),
        ('{"send": "0g"}', "command 'send': '0g' is not hexadecimal"),
        ('{"send": ""}', "command 'send': an APDU has at least one octet"),
        ('{"send": "00", "local_wport": true}', "command 'send': 'local_wport' cannot be 'True'"),
        ('{"send": "00", "wport": 1}', "command 'send': there is no 'wport' in it"),
    ],
)
def test_what_is_no_command_is_said(line: str, words: str) -> None:
    """A key that is spelt wrong or a value of another kind is never passed over."""
    with pytest.raises(MessageError) as caught:
        LIVE_COMMANDS.decode(line.encode())
    assert str(caught.value).startswith(words)


def test_octets_of_commands_are_written_as_people_do() -> None:
    """Spaces and colons may stand between octets."""
    for text in ("c001 81", "C0:01:81", " c0 01 81 "):
        assert LIVE_COMMANDS.decode(json.dumps({"send": text}).encode()) == live_events.SendApdu(
            send=b"\xc0\x01\x81"
        )


def test_a_field_that_is_missing_is_said() -> None:
    """An event of another version of the program is refused, not half understood."""
    with pytest.raises(MessageError, match="event 'counts': 'dropped' is missing"):
        CAPTURE_EVENTS.decode(b'{"event": "counts", "packets": 1, "octets": 2}')


def test_a_vocabulary_takes_its_own_words_only() -> None:
    """What a link tells is no event of a capture."""
    line = line_of(live_events.LinkClosed(message="closed", remote="h:1")).encode()
    with pytest.raises(MessageError, match="no event in JSON"):
        CAPTURE_EVENTS.decode(line)
    assert Vocabulary("event", live_events.LinkClosed).decode(line).word == "closed"
