"""`rftspec`: the verbs, and the one place where every failure ends in an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from rftspec import __version__
from rftspec.cli import care, data, fmt, grade, import_spec, plan, report, run, spec
from rftspec.cli.console import prepare_streams, remark, remark_diagnostics
from rftspec.cli.exits import BROKEN_PIPE, BUG, FINE, INTERRUPTED, USAGE, WRONG
from rftspec.cli.text import count_line
from rftspec.diagnostics import DiagnosticError

SECTIONS = {
    "Spec": ("validate", "explain", "schema", "fmt", "grade", "import"),
    "Plan": ("plan",),
    "Run": ("run", "resume"),
    "Read": ("report",),
    "Care": ("data", "doctor"),
}
EPILOG = """\b
Exit codes:
  0    fine
  1    the spec, the data or a grader is wrong (said with place and fix)
  2    wrong usage
  3    the run failed and can be resumed (the command is printed)
  4    finished, but a `require:` gate failed
  130  interrupted, can be resumed"""


class Verbs(click.Group):
    """The commands in the order in which they are used, under headings."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section per group of verbs."""
        for title, names in SECTIONS.items():
            rows = []
            for name in names:
                found = self.get_command(ctx, name)
                if found is not None:
                    rows.append((name, found.get_short_help_str(limit=90)))
            with formatter.section(title):
                formatter.write_dl(rows)

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


for _verb in (
    spec.validate, spec.explain, spec.schema, fmt.fmt, grade.grade, import_spec.import_spec,
    plan.plan,
    run.run, run.resume, report.report, data.data, care.doctor,
):  # fmt: skip
    cli.add_command(_verb)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code; nothing is raised but SystemExit by click."""
    prepare_streams()
    try:
        outcome = cli.main(
            args=None if argv is None else list(argv), prog_name="rftspec", standalone_mode=False
        )
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):
        # click turns a closed pipe into SystemExit, and nothing else with standalone_mode off
        return _pipe_is_gone()
    except (KeyboardInterrupt, click.Abort):
        remark("interrupted")
        return INTERRUPTED
    except (click.ClickException, DiagnosticError, OSError) as error:
        return _mistake(error)
    except Exception as error:
        from rftspec.cli.crash import bug_report

        remark(bug_report(error))
        return BUG
    return int(outcome or FINE)


def _mistake(error: click.ClickException | DiagnosticError | OSError) -> int:
    """Say what was wrong with what the person gave us or with the machine; the exit code for it."""
    if isinstance(error, click.ClickException):
        error.show()
        return USAGE if isinstance(error, click.UsageError) else WRONG
    if isinstance(error, DiagnosticError):
        remark_diagnostics(error.diagnostics)
        remark(f"{count_line(error.diagnostics)}. Nothing was run.")
        return WRONG
    place = f"{error.filename}: " if error.filename else ""
    remark(f"error: {place}{error.strerror or error}")
    return WRONG


def _pipe_is_gone() -> int:
    """The reader of our output went away: say nothing more, not even at interpreter exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return BROKEN_PIPE
