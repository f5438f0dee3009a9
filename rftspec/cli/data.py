"""`rftspec data …`: rows out of other people's formats."""

from __future__ import annotations

from pathlib import Path

import click

from rftspec.cli import console


@click.group()
def data() -> None:
    """Make rows of other people's formats."""


@data.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the rows.")
@click.option("--train", default=1100, show_default=True, type=click.IntRange(1), help="Rows.")
@click.option("--validation", default=200, show_default=True, type=click.IntRange(1), help="Rows.")
@click.option("--test", default=200, show_default=True, type=click.IntRange(1), help="Rows.")
@click.option("--seed", default=0, show_default=True, type=int)
def phenopackets(
    archive: Path, out: Path, train: int, validation: int, test: int, seed: int
) -> int:
    """Published case reports (a phenopacket-store zip, or a folder of JSON) as rows.

    The splits share no gene. Says how many cases were left out, and why.
    """
    return 0
