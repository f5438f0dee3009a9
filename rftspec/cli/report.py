"""`rftspec report`: read a run folder and write its report again, whenever wanted."""

from __future__ import annotations

from pathlib import Path

import click

from rftspec.cli import console
from rftspec.cli.text import shown_path


@click.command(short_help="Write the report of a run again, finished or not.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json.")
def report(run: Path, open_it: bool, as_json: bool) -> int:
    """Write report.html, report.json and SUMMARY.md of a run, finished or not.

    \b
    rftspec report runs/rare-disease-7f3a91 --open
    """
    import json
    import webbrowser

    from rftspec.report.build import build_report

    files = build_report(run)
    if as_json:
        told = json.loads(files.json.read_text(encoding="utf-8"))
        console.say_json({"format": "rftspec.report/1", **told})
    else:
        console.say(f"report   {shown_path(files.html)}")
        console.say(f"numbers  {shown_path(files.json)}")
        console.say(f"summary  {shown_path(files.markdown)}")
    if open_it and not webbrowser.open(files.html.resolve().as_uri()):
        console.remark(f"no browser could be started; open {shown_path(files.html)} yourself")
    return 0
