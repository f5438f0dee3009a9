"""`rftspec`: the verbs, and the one place where every failure ends in an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from rftspec import __version__
from rftspec.cli.console import complain, prepare_streams, say_failure, wants_color
from rftspec.cli.exits import BROKEN_PIPE, BUG, FINE, INTERRUPTED, USAGE, WRONG
from rftspec.cli.manners import COMPLETE, Manner
from rftspec.cli.shelf import SECTIONS, Shelf
from rftspec.cli.text import count_line, render_all
from rftspec.diagnostics import DiagnosticError

EPILOG = """\b
Exit codes:
  0    fine
  1    the spec, the data or a grader is wrong (said with place and fix)
  2    wrong usage
  3    the run failed and can be resumed (the command is printed)
  4    finished, but a `require:` gate or `--fail-on-regression` failed
  130  interrupted, can be resumed"""


class Verbs(click.Group):
    """The commands in the order in which they are used, under headings."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section per group of verbs, which need not be imported for that."""
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, caption) for name, (_, caption) in verbs.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one was probably meant."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1, cutoff=0.5)
            meant = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"there is no command `{args[0]}`.{meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="rftspec", message="%(prog)s %(version)s")
@click.option("--no-color", is_flag=True, help="No colours (so does NO_COLOR in the environment).")
def cli(no_color: bool) -> None:
    """Reinforcement fine-tuning from one YAML file: a better model and the proof.

    \b
    rftspec validate specs/rare_disease.yaml    is everything right? nothing is run
    rftspec plan specs/rare_disease.yaml        every number, with its reason
    rftspec run specs/rare_disease.yaml         measure, train, measure again, report
    """


cli.commands = Shelf()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code; nothing is raised but SystemExit by click."""
    prepare_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if COMPLETE in os.environ:
            from rftspec.cli.completing import answer

            return answer(cli, os.environ[COMPLETE])
        outcome = cli.main(args=words, prog_name="rftspec", standalone_mode=False)
        if sys.stdout is not None:  # it is None where the shell closed it
            sys.stdout.flush()
        return int(outcome or FINE)
    except (BrokenPipeError, SystemExit):
        # click turns a closed pipe into SystemExit, and nothing else with standalone_mode off
        return _pipe_is_gone()
    except (Exception, KeyboardInterrupt) as error:
        return _failure(error, Manner.of(words))


def _failure(error: BaseException, manner: Manner) -> int:
    """Say what was wrong with what the person gave us, the machine, or us; its exit code."""
    code, message = _account(error)
    found = error.diagnostics if isinstance(error, DiagnosticError) else ()
    if manner.json:
        say_failure(code, message, found)
        return code
    if isinstance(error, click.UsageError):
        error.show()
    elif found:
        shown = [one for one in found if one.severity == "error" or not manner.quiet]
        complain(render_all(shown, color=wants_color(sys.stderr)) + "\n")
        if not manner.quiet:
            complain(message)
    else:
        complain(message)
    return code


def _account(error: BaseException) -> tuple[int, str]:
    """The exit code of a failure, and the words for it."""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED, "interrupted"
    if isinstance(error, click.ClickException):
        code = USAGE if isinstance(error, click.UsageError) else WRONG
        return code, f"error: {error.format_message()}"
    if isinstance(error, DiagnosticError):
        return WRONG, f"{count_line(error.diagnostics)}. Nothing was run."
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return WRONG, f"error: {place}{error.strerror or error}"
    from rftspec.cli.crash import bug_report

    return BUG, bug_report(error)


def _pipe_is_gone() -> int:
    """The reader of our output went away: say nothing more, not even at interpreter exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return BROKEN_PIPE
