"""docs/graders/: the pages are what the code makes, and their examples are true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rftspec.graders.kinds import KINDS
from tests.graders import hosted
from tools import docs_graders

EXAMPLES = docs_graders.examples()


@pytest.mark.parametrize("name", sorted(docs_graders.pages()))
def test_page_is_what_the_code_makes(name: str) -> None:
    """`python -m tools.docs_graders` was run after the last change."""
    page = (docs_graders.PAGES / name).read_text("utf-8")
    assert page == docs_graders.pages()[name]


def test_there_is_a_page_for_every_kind_and_no_other() -> None:
    assert {path.name for path in docs_graders.PAGES.glob("*.md")} == set(docs_graders.pages())
    overview = (docs_graders.ROOT / "docs" / "graders.md").read_text("utf-8")
    assert [name for name in docs_graders.pages() if f"(graders/{name})" not in overview] == []


def test_every_kind_has_an_example() -> None:
    assert {example["kind"] for example in EXAMPLES} == set(KINDS)
    model_kinds = {"score_model", "label_model", "endpoint"}
    shown = {example["kind"] for example in EXAMPLES if example.get("cases")}
    assert shown == set(KINDS) - model_kinds


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{e['kind']}: {e['title']}" for e in EXAMPLES])
def test_example_is_valid_and_scores_what_the_page_says(
    example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none is asked")
    [settings] = yaml.safe_load(example["spec"]).values()
    assert settings["type"] == example["kind"]
    for case in example.get("cases") or [{"item": _row(example), "answer": ""}]:
        entry = {**case, "sample": case["answer"]}
        if "tools" in case:
            entry["sample"] = {"text": case["answer"], "tools": case["tools"]}
        complete = {**case["item"], **{k: "x" for k in _row(example) if k not in case["item"]}}
        loaded, found = hosted.load({**entry, "item": complete}, settings, tmp_path)
        assert loaded is not None, [d.message for d in found]
        assert list(found) == []
        if "cases" not in example:
            continue
        score = hosted.score(entry, loaded, complete)
        assert score.error == case.get("error"), score
        if "score" in case:
            assert score.value == pytest.approx(case["score"], abs=5e-5), score


def _row(example: Any) -> dict[str, Any]:
    """A row with the fields of the example's first one, which a grader's templates name."""
    return dict((example.get("cases") or [{"item": {"answer": "x"}}])[0]["item"])
