"""Mistakes about graders that stand in no spec, each made to happen: for golden messages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from rftspec.graders.grading import GraderSet, check_graders
from tests.cli.model_mistakes import Found, Make, said
from tests.graders.judges import ITEM, score_model


def _not_built(graders: dict[str, Any], reward: str = "g") -> Found:
    return said(lambda: GraderSet.from_json(graders, reward, {}, ITEM, None))


def _checked(settings: dict[str, Any]) -> Found:
    return check_graders({"g": settings}, "g", {}, ITEM, None, sandbox=None)[0]


def _no_layer(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    from rftspec.sandbox.pool import Layer, Pool, SandboxUnavailable

    def lacking(*_: object) -> None:
        raise SandboxUnavailable([Layer("seccomp", active=False, note="this kernel has none")])

    patch.setattr(Pool, "check", lacking)
    return _not_built({"g": {"type": "python", "source": "def grade(sample, item): return 1"}})


def _no_package(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    patch.setitem(sys.modules, "rouge_score", None)
    similar = {"type": "text_similarity", "input": "a", "reference": "b"}
    return _checked({**similar, "evaluation_metric": "rouge_l"})


def _no_wordnet(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    from tests.graders.test_text_similarity import _without_wordnet

    _without_wordnet(patch, [str(folder)])
    similar = {"type": "text_similarity", "input": "a", "reference": "b"}
    return _checked({**similar, "evaluation_metric": "meteor"})


def _no_client(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    find = importlib.util.find_spec
    patch.setattr(importlib.util, "find_spec", lambda n: None if n == "openai" else find(n))
    return _checked(score_model())


def _open_key(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    patch.setenv("MY_KEY", "abcd")
    return _checked(score_model("http://judge.example/v1", api_key_env="MY_KEY"))


GRADERS: dict[str, Make] = {
    "E404": _no_layer,
    "E405": lambda *_: _not_built({"g": {"type": "string_chek"}}),
    "E406": lambda *_: _not_built({"g-1": {"type": "expression", "expression": "1"}}, "1"),
    "E411": lambda *_: _not_built({"g": {"type": "string_check", "input": "x", "operation": "eq"}}),
    "E420": _no_package,
    "E421": _no_wordnet,
    "E444": _no_client,
    "W447": _open_key,
}
