"""What every verb has in common: `--quiet`, and errors as JSON where `--json` was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import click

from rftspec.cli.console import QUIET

PROGRAM = "rftspec"
COMPLETE = "_RFTSPEC_COMPLETE"
"""The variable by which a shell asks for completions, and says which shell it is."""


def leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every verb below a group that does something itself, with its words: `import openai`."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    for name, found in command.commands.items():
        yield from leaves(found, (*path, name))


def teach(verb: click.Command) -> None:
    """Give a verb, or every verb of a group, `-q`; what has an option of this name keeps it."""
    for _, command in leaves(verb):
        taken = {name for param in command.params for name in param.opts}
        if not taken & {"-q", "--quiet"}:
            command.params.append(_quiet_option())


@dataclass(frozen=True, slots=True)
class Manner:
    """How a failure is told; read off the words, for click may not have understood them."""

    json: bool
    quiet: bool

    @classmethod
    def of(cls, words: Sequence[str]) -> Manner:
        """Of a command line, up to `--`."""
        own = list(words[: words.index("--")] if "--" in words else words)
        pairs = pairwise(own)
        as_json = "--json" in own or "--format=json" in own or ("--format", "json") in pairs
        return cls(as_json, bool({"-q", "--quiet"} & set(own)))


def _quiet_option() -> click.Option:
    return click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="No words but errors; the exit code tells the rest.",
    )


def _remember(context: click.Context, _option: click.Parameter, given: bool) -> None:
    if given:
        context.meta[QUIET] = True
