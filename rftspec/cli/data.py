"""`rftspec data …`: rows out of other people's formats."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.spec import JSON
from rftspec.cli.text import shown_path

if TYPE_CHECKING:
    from rftspec.data.phenopackets import ImportSummary

BUILTIN = "builtin"


@click.group(short_help="Make rows of other people's formats.")
def data() -> None:
    """Make rows of other people's formats."""


@data.command(short_help="Published case reports as rows for gene ranking.")
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the rows.")
@click.option("--train", default=1100, show_default=True, type=click.IntRange(1), help="Rows.")
@click.option("--validation", default=200, show_default=True, type=click.IntRange(1), help="Rows.")
@click.option("--test", default=200, show_default=True, type=click.IntRange(1), help="Rows.")
@click.option("--seed", default=0, show_default=True, type=int, help="Deals out the genes.")
@click.option(
    "--genes",
    metavar="FILE|builtin",
    help="Only cases of these genes, one a line; builtin: those that the built-in model knows.",
)
@JSON
def phenopackets(
    archive: Path,
    out: Path,
    train: int,
    validation: int,
    test: int,
    seed: int,
    genes: str | None,
    as_json: bool,
) -> int:
    """Published case reports (a phenopacket-store zip, or a folder of JSON) as rows.

    The splits share no gene. Says how many cases were left out, and why.

    \b
    rftspec data phenopackets all_phenopackets.zip --out specs/data/phenopackets
    """
    from rftspec.data.phenopackets import import_phenopackets, read_genes

    summary = import_phenopackets(
        archive,
        out,
        train=train,
        validation=validation,
        test=test,
        seed=seed,
        genes=None if genes is None else read_genes(_gene_file(genes)),
    )
    if as_json:
        console.say_json({"format": "rftspec.data/1", "out": str(out), **asdict(summary)})
    else:
        _say(summary, out)
    return 0


def _gene_file(given: str) -> Path:
    from rftspec.resources import resource

    return resource("models", "case-reader", "genes.txt") if given == BUILTIN else Path(given)


def _say(summary: ImportSummary, out: Path) -> None:
    console.say(f"{summary.found:,} cases read, {summary.kept:,} written to {shown_path(out)}")
    for split, rows in summary.rows.items():
        console.say(f"  {split:<12} {rows:>6,} rows of {summary.genes[split]:,} genes")
    if summary.shortened:
        console.say(f"  {summary.shortened:,} of them with fewer signs than published")
    left = sum(summary.left_out.values())
    console.say(f"{left:,} left out:" if left else "none left out")
    for reason, count in summary.left_out.items():
        console.say(f"  {count:>6,}  {reason}")
