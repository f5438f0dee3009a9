"""`rftspec plan`: every number of a run, with its reason, before anything runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from rftspec.cli import console
from rftspec.cli.exits import FINE, WRONG
from rftspec.cli.spec import JSON, SANDBOX, SET, SPEC, Sandbox
from rftspec.cli.text import shown_path


@click.command(short_help="Every number of the run with its reason; nothing is run.")
@SPEC
@SET
@click.option("--seed", type=int, help="Another seed than the spec's.")
@click.option("--control", type=click.Choice(["shuffled-answers"]), help="A negative control.")
@SANDBOX
@JSON
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the plan; `rftspec run FILE.json` does exactly that.",
)
def plan(
    spec: Path,
    overrides: tuple[str, ...],
    seed: int | None,
    control: str | None,
    sandbox: Sandbox,
    as_json: bool,
    out: Path | None,
) -> int:
    """Show every number of the run and the reason for its value; nothing is run."""
    from rftspec.cli.grade_text import probe_summary
    from rftspec.cli.plan_text import plan_text
    from rftspec.cli.planning import plan_of
    from rftspec.plan.probe import Probe
    from rftspec.plan.probe_findings import findings
    from rftspec.record.layout import run_folder
    from rftspec.run.probing import probe_plan

    made = plan_of(spec, overrides=overrides, seed=seed, control=control, sandbox=sandbox)
    if out is not None:
        text = json.dumps(made.to_json(), indent=1, ensure_ascii=False) + "\n"
        out.write_text(text, encoding="utf-8")
    probed = probe_plan(made)
    told = findings(probed) if isinstance(probed, Probe) else []
    code = WRONG if any(one.severity == "error" for one in told) else FINE
    if as_json:
        tried = probed.to_json() if isinstance(probed, Probe) else None
        found = {"probe": tried, "findings": [one.to_json() for one in told]}
        console.say_json({**made.to_json(), "hash": made.hash, **found})
        return code
    console.say(plan_text(made, color=console.wants_color(sys.stdout)))
    for line in probe_summary(probed):
        console.say(line)
    console.remark_diagnostics(told)
    source = out if out is not None else spec
    words = ["run", shown_path(source)]
    if out is None:
        words += [word for one in overrides for word in ("--set", one)]
        words += ["--seed", str(seed)] if seed is not None else []
        words += ["--control", control] if control is not None else []
    saved = f" Saved to {shown_path(out)}." if out is not None else ""
    console.say(f"\nNothing was run.{saved} To run exactly this: {console.command(*words)}")
    console.say(f"It would go to {run_folder(made)}/")
    return code
