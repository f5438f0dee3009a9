"""text_similarity by embeddings: the angle, what an empty text earns, a model that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rftspec.graders.score import Sample, Score
from rftspec.graders.services import Services
from tests.graders.grading import built, score
from tests.graders.test_text_similarity import grader


class Letters:
    """Embeds a text as its counts of a, b, c; refuses texts with `refuse` in them."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append(list(texts))
        if any("refuse" in text for text in texts):
            raise RuntimeError("the model\nrefuses")
        return [self.vector(text) for text in texts]

    @staticmethod
    def vector(text: str) -> list[float]:
        counts = [text.count(letter) - text.count("-" + letter) * 2.0 for letter in "abc"]
        length = sum(c * c for c in counts) ** 0.5 or 1.0
        return [c / length for c in counts]


def cosines(pairs: Sequence[tuple[str, str]], model: Any = None) -> list[Score]:
    services = Services(embedder=lambda name: model or Letters())
    made = built(grader("cosine", model="letters"), services)
    return made.grade([Sample(a) for a, _ in pairs], [{"answer": b} for _, b in pairs])


def test_cosine_is_the_angle_between_embeddings() -> None:
    found = [s.value for s in cosines([("a", "a"), ("a", "b"), ("aab", "ab"), ("abc", "a")])]
    wanted = [1.0, 0.0, 3 / (5**0.5 * 2**0.5), 3**-0.5]
    assert found == pytest.approx(wanted, abs=1e-9)


def test_cosine_below_zero_counts_as_zero() -> None:
    assert cosines([("-a", "a")])[0].value == 0.0


def test_cosine_of_an_empty_text_is_zero_without_asking_the_model() -> None:
    model = Letters()
    assert [s.value for s in cosines([("", "a"), (" \n", "a"), ("a", ""), ("", "")], model)] == [
        0
    ] * 4
    assert model.asked == [[]] or model.asked == []


def test_cosine_asks_the_model_by_name_once_and_keeps_references() -> None:
    model, opened = Letters(), []
    services = Services(embedder=lambda name: opened.append(name) or model)
    made = built(grader("cosine", model="letters"), services)
    assert opened == []
    for text in ("a", "b"):
        made.grade([Sample(text), Sample(text)], [{"answer": "abc"}] * 2)
    assert opened == ["letters"]
    assert model.asked == [["a", "abc"], ["b"]]


def test_text_that_the_model_refuses_costs_only_itself() -> None:
    found = cosines([("a", "a"), ("refuse", "a"), ("b", "b")])
    assert [s.value for s in found] == [1.0, None, 1.0]
    assert found[1] == Score(None, "other_error", r"letters: the model\nrefuses")


@pytest.mark.parametrize(
    "vectors",
    [[[0.0, 0.0], [1.0, 0.0]], [[float("nan")], [1.0]], [[1.0], [1.0, 0.0]], []],
    ids=["zero", "nan", "lengths", "none"],
)
def test_cosine_of_bad_vectors_is_an_error(vectors: list[list[float]]) -> None:
    class Bad:
        def embed(self, texts: Sequence[str]) -> list[list[float]]:
            return vectors[: len(texts)]

    [found] = cosines([("a", "b")], Bad())
    assert (found.value, found.error) == (None, "other_error")


def test_cosine_without_a_model_at_hand_is_an_error_that_is_never_dropped() -> None:
    """Not an infrastructure error: such a sample gets the floor, not a second chance."""
    found = score(grader("cosine", model="letters"), "a", {"answer": "a"})
    assert found == Score(None, "other_error", "letters: no embedding model can be opened here")

    def fail(name: str) -> Any:
        raise OSError("no such folder")

    failed = score(grader("cosine", model="x"), "a", {"answer": "a"}, Services(embedder=fail))
    assert failed == Score(None, "other_error", "x: no such folder")
