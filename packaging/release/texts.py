"""Makes man pages, and completion for bash, zsh and fish, from the commands' own help.

python -m release.texts FOLDER      # with an environment that has the program and shtab
"""

import argparse
import importlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from release.facts import FACTS, build_epoch

#: Where Debian's packages put each shell's completion, below the folder that the texts are made in.
COMPLETIONS = {
    "bash": "bash-completion/completions/cosemscope",
    "zsh": "zsh/vendor-completions/_cosemscope",
    "fish": "fish/vendor_completions.d/cosemscope.fish",
}


def whole_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The program's parser with the options of every command, and the parsers of the commands by name."""
    from cosemscope import cli

    parser = cli.build_parser()
    (action,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    for name, its_parser in action.choices.items():
        module = importlib.import_module(f"cosemscope.cli.commands.{name.replace('-', '_')}_command")
        module.add_arguments(its_parser)
        its_parser.description = module.DESCRIPTION
    return parser, dict(action.choices)


def roff(text: str) -> str:
    """Text as troff takes it: nothing in it is a request, hyphens are those of options, the rest is ASCII."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    escaped = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in escaped)
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)


def man_page(parser: argparse.ArgumentParser, title: str, summary: str, others: list[str]) -> str:
    """The man page of `parser`, which `others` (pages of section 1) are named in."""
    day = time.strftime("%Y-%m-%d", time.gmtime(build_epoch()))
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    lines = [f'.TH {title.upper()} 1 {day} "{FACTS.name} {FACTS.version}" "User Commands"']
    lines += [".SH NAME", roff(f"{title} - {summary}")]
    lines += [".SH SYNOPSIS", ".nh", f".B {roff(usage)}", ".hy"]
    lines += [".SH DESCRIPTION", roff(" ".join((parser.description or summary).split()))]
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.help != argparse.SUPPRESS]
        if actions:
            lines += [f".SH {roff((group.title or 'options').upper())}"]
            lines += [line for action in actions for line in _entries(parser, action)]
    lines += [".SH EXIT STATUS", "0 when done, 1 after an error told in a sentence, 2 for wrong usage."]
    lines += [".SH SEE ALSO", ", ".join(f".BR {roff(other)} (1)" for other in others[:1])]
    lines += [f".BR {roff(other)} (1)" for other in others[1:]]
    return "\n".join(lines) + "\n"


def _entries(parser: argparse.ArgumentParser, action: argparse.Action) -> Iterator[str]:
    """Lines of troff for an option, an argument, or each command."""
    if isinstance(action, argparse._SubParsersAction):
        for choice in action._choices_actions:
            yield from (".TP", f".B {roff(choice.dest)}", roff(choice.help or ""))
        return
    formatter = parser._get_formatter()
    formatter.add_argument(action)
    head = formatter._format_action_invocation(action)
    yield from (".TP", f".B {roff(head)}", roff(formatter._expand_help(action) if action.help else ""))


def write_man_pages(folder: Path) -> list[Path]:
    """Write a page for the program and one for each command; return their paths."""
    from cosemscope import cli

    parser, commands = whole_parser()
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"cosemscope-{name}" for name in commands]
    pages = {"cosemscope": man_page(parser, "cosemscope", FACTS.summary, names)}
    for name, its_parser in commands.items():
        title = f"cosemscope-{name}"
        pages[title] = man_page(its_parser, title, cli.COMMANDS[name], ["cosemscope"])
    for name, text in pages.items():
        (folder / f"{name}.1").write_text(text, encoding="utf-8")
    return [folder / f"{name}.1" for name in pages]


def write_completions(folder: Path) -> list[Path]:
    """Write the completion of each shell; return their paths."""
    import shtab

    parser, commands = whole_parser()
    for each in (parser, *commands.values()):
        for action in each._actions:
            if action.metavar and re.search(r"FILE|KEYS", str(action.metavar)):
                action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
    paths = []
    for shell, place in COMPLETIONS.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shtab.complete(parser, shell=shell), encoding="utf-8")
        paths.append(path)
    return paths


def main(folder: Path) -> None:
    """Write all texts below `folder`, as below /usr/share."""
    write_man_pages(folder / "man" / "man1")
    write_completions(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
