"""Jobs and command lines: whatever a job says comes back from its words, by the real command's parser."""

import argparse
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope import cli
from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.capture.capturing.libpcap import OpenOptions
from cosemscope.capture.job_options import add_options, job_of, job_of_words, words_of
from cosemscope.live.check.bench import CheckOptions
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.live.commands.listen_job import Answer, ListenJob

JOBS = (CaptureJob, ConnectJob, ListenJob)
#: With what a shell or a parser might take for something else. Python before 3.13 loses a value that is "--".
TEXT = st.one_of(st.text("-=ab /[]:\n", max_size=6), st.sampled_from(["-", "--json", "-f"])).filter(
    lambda text: text != "--"
)
COUNT = st.integers(1, 2**31 - 1)
SECONDS = st.one_of(st.integers(0, 10**6), st.floats(0, 10**6))

#: Values of a field: by its name where its kind has bounds of its own, else by its type.
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "client": st.integers(0, 65535),
    "server": st.integers(0, 65535),
    "wports": st.lists(st.integers(0, 65535), min_size=1, max_size=3).map(tuple),
    "further_ports": st.lists(st.integers(1, 65535), max_size=3).map(tuple),
    "apdus": st.lists(st.binary(min_size=1, max_size=5), max_size=3).map(tuple),
    "answers": st.lists(
        st.builds(Answer, st.none() | st.integers(0, 255), st.binary(min_size=1, max_size=4)), max_size=3
    ).map(tuple),
    "buffer": st.integers(1, 4096).map(lambda number: number << 20),
    "way": st.sampled_from(["auto", "libpcap", "dumpcap"]),
    "keep_alive": st.none() | SECONDS,
    "hold": st.just(OpenOptions.hold),
    "write": st.none() | TEXT.map(Path),
}
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: COUNT,
    float: st.integers(1, 10**6) | st.floats(0.001, 10**6),
    str: TEXT,
    str | None: st.none() | TEXT,
    tuple[str, ...]: st.lists(TEXT, max_size=3).map(tuple),
}


def jobs(made: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(made)
    return st.builds(
        made,
        **{
            one.name: jobs(hints[one.name])
            if is_dataclass(hints[one.name])
            else BY_NAME.get(one.name, BY_TYPE.get(hints[one.name]))
            for one in fields(made)
        },
    )


@pytest.mark.parametrize("made", JOBS)
@settings(max_examples=60)
@given(data=st.data())
def test_a_job_comes_back_from_its_words(made: type[Any], data: st.DataObject) -> None:
    """The window's job is the one that its process does, whatever a person typed."""
    job = data.draw(jobs(made))
    if made is ListenJob and not (job.tcp or job.udp):
        job = replace(job, tcp=True)  # neither is no command
    assert job_of_words(made, words_of(job)) == job
    arguments = cli.build_parser(job.command).parse_args([job.command, "--control", *words_of(job)])
    assert (job_of(made, arguments), arguments.control) == (job, True)


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (ConnectJob("h"), ["--", "h"]),
        (
            ConnectJob("h:1", client=17, udp=True, apdus=(b"\x62", b"\xc0\x01"), timeout=0.5),
            ["--client=17", "--udp", "--send=62", "--send=c001", "--timeout=0.5", "--", "h:1"],
        ),
        (ListenJob(), []),
        (ListenJob(udp=False, answers=(Answer(0x60, b"\x61"),)), ["--answer=60=61", "--tcp-only"]),
        (CaptureJob(pipe="-"), ["--", "-"]),
        (CheckOptions(answer=2, udp=False), ["--no-udp", "--timeout=2"]),
        (CheckOptions(pause=9), []),
    ],
)
def test_words(job: Any, words: list[str]) -> None:
    """What is at its default is not said; an option that a job has no flag for stays in the program."""
    assert words_of(job) == words


def test_defaults_are_those_of_the_job_and_stand_in_the_help() -> None:
    """One place has the figure: the parser and its help follow."""
    parser = argparse.ArgumentParser()
    add_options(parser, ConnectJob)
    assert job_of(ConnectJob, parser.parse_args(["h"])) == ConnectJob("h")
    text = " ".join(parser.format_help().split())
    for words in ("own wPort (default 16)", "its wPort (default 1)", "wait for an answer (10 s)"):
        assert words in text


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (ConnectJob, []),
        (ConnectJob, ["--client=70000", "h"]),
        (ConnectJob, ["--fly", "h"]),
        (ListenJob, ["--tcp-only", "--udp-only"]),
        (CaptureJob, ["--by=magic"]),
        (CaptureJob, ["--buffer=0"]),
    ],
)
def test_words_that_ask_for_no_job(made: type[Any], words: list[str]) -> None:
    """They end neither the window nor a test: a ValueError says what is wrong."""
    with pytest.raises(ValueError, match=r"."):
        job_of_words(made, words)
