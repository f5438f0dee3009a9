"""Graders of every shape that the hosted product's guides show run as they are, or say why not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rftspec.graders.kinds import KINDS
from tests.graders import hosted

NAMES = [f"{e['group']}: {e['name']}" for e in hosted.entries()]
FIELDS = {
    "name", "group", "grader", "item", "sample", "response", "score", "error", "builds",
    "refused", "says", "rewrite", "without_wordnet",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_wordnet(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = request.node.callspec.params.get("entry") if hasattr(request.node, "callspec") else None
    if entry is not None and entry.get("without_wordnet"):
        from tests.graders.test_text_similarity import _without_wordnet

        _without_wordnet(monkeypatch, [])


@pytest.mark.parametrize("entry", hosted.entries(), ids=NAMES)
def test_hosted_grader_gets_its_verdict(entry: Any, tmp_path: Path) -> None:
    loaded, found = hosted.load(entry, entry["grader"], tmp_path)
    errors = [d for d in found if d.severity == "error"]
    told = "\n".join(f"{d.message}\n{d.hint or ''}" for d in found)
    if "refused" in entry:
        assert {d.code for d in errors} == {entry["refused"]}, told
        assert entry["rewrite"], "whoever is refused learns what to write"
        _check_says(entry, told)
        loaded, found = hosted.load(entry, entry["rewrite"], tmp_path)
        assert loaded is not None, [d.message for d in found]
    assert loaded is not None, told
    if "builds" in entry:
        _check_says(entry, told)
        return
    score = hosted.score(entry, loaded)
    if "error" in entry:
        assert (score.value, score.error) == (None, entry["error"])
        _check_says(entry, told + str(score.detail))
    else:
        assert score.value == pytest.approx(entry["score"], abs=1e-9), score.detail
        if "refused" not in entry:
            _check_says(entry, told)


def _check_says(entry: Any, told: str) -> None:
    for part in entry.get("says", ()):
        assert part in told


def test_table_is_wide_enough_and_well_formed() -> None:
    table = hosted.entries()
    assert len(table) >= 40
    assert len({(e["group"], e["name"]) for e in table}) == len(table)
    for entry in table:
        assert entry.keys() <= FIELDS, entry["name"]
        assert sum(kind in entry for kind in ("score", "error", "builds")) == 1, entry["name"]
        assert ("rewrite" in entry) == ("refused" in entry), entry["name"]
        assert entry["grader"]["type"] == entry["group"] in KINDS
    groups = Counter(e["group"] for e in table)
    hosted_kinds = {"string_check", "text_similarity", "score_model", "label_model", "python"}
    assert groups.keys() == {*hosted_kinds, "multi"}


def test_every_operation_and_metric_of_the_hosted_product_is_in_the_table() -> None:
    graders = [e["grader"] for e in hosted.entries()]
    operations = {g["operation"] for g in graders if g["type"] == "string_check"}
    metrics = {g["evaluation_metric"] for g in graders if g["type"] == "text_similarity"}
    kinds = {name: KINDS[name].schema["properties"] for name in ("string_check", "text_similarity")}
    assert operations >= set(kinds["string_check"]["operation"]["enum"])
    assert metrics >= set(kinds["text_similarity"]["evaluation_metric"]["enum"])
