"""Documents: the tree is generated, numbers name their command, commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rftspec.cli.main import cli
from tests.house import rules
from tools import readme_tree

DOCS = sorted([rules.ROOT / "README.md", *(rules.ROOT / "docs").glob("**/*.md")])
CALL = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?rftspec\s+([a-z]+)", flags=re.MULTILINE)


def _name(path: Path) -> str:
    return str(path.relative_to(rules.ROOT))


def test_readmes_tree_is_the_captions_of_the_modules() -> None:
    """`make readme` was run after the last change of a module's first line."""
    text = (rules.ROOT / "README.md").read_text(encoding="utf-8")
    assert readme_tree.with_tree(text) == text


@pytest.mark.parametrize("path", DOCS, ids=_name)
def test_numbers_stand_beside_the_command_that_made_them(path: Path) -> None:
    """A table of numbers names its command, and the command is in the repository."""
    text = path.read_text(encoding="utf-8")
    assert not rules.unsourced_tables(text)
    targets = rules.make_targets()
    missing = [
        command
        for command in rules.named_commands(text)
        if not rules.command_exists(command, cli.commands, targets)
    ]
    assert not missing


@pytest.mark.parametrize("path", DOCS, ids=_name)
def test_every_verb_that_is_shown_exists(path: Path) -> None:
    """In code blocks that show the command line."""
    text = path.read_text(encoding="utf-8")
    assert set(CALL.findall(text)) <= set(cli.commands)


@pytest.mark.parametrize("path", DOCS, ids=_name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    """Relative links and pictures name files that are there."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert not [link for link in local if not (path.parent / link).exists()]


def test_every_verb_is_in_the_command_reference() -> None:
    """docs/commands.md has a heading for each."""
    text = (rules.ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## `rftspec ([a-z]+)", text, flags=re.MULTILINE))
    assert headings == set(cli.commands)


def test_exit_codes_are_documented() -> None:
    """The same list in the reference as in the help."""
    from rftspec.cli import exits

    text = (rules.ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for code in (
        exits.FINE,
        exits.WRONG,
        exits.USAGE,
        exits.RESUMABLE,
        exits.GATE,
        exits.INTERRUPTED,
    ):
        assert re.search(rf"^\| {code} \|", text, flags=re.MULTILINE), code
