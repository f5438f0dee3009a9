"""`cosine`: the angle between two texts' embeddings, from a local model of the user's choice."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from rftspec.graders.score import Score
from rftspec.graders.services import Embedder
from rftspec.sandbox.protocol import clean

MAX_REFERENCES = 4096
"""Vectors that are kept from one batch to the next; rows come again, answers do not."""
Vector = Sequence[float]
Pair = tuple[str, str]


class Cosine:
    """Scores pairs of texts by an embedding model that is opened when it is first needed."""

    def __init__(self, model: str, open_model: Callable[[str], Embedder] | None) -> None:
        self._model = model
        self._open = open_model
        self._embedder: Embedder | None = None
        self._kept: dict[str, Vector] = {}
        self._lock = threading.Lock()

    def scores(self, pairs: Sequence[Pair]) -> list[Score]:
        """The cosine of each pair, negative ones as 0; an empty text is like nothing."""
        full = [pair for pair in pairs if all(text.strip() for text in pair)]
        # a grader is called from several threads, and a model is one
        with self._lock:
            try:
                embedder = self._opened()
            except Exception as error:
                told = clean(f"{self._model}: {error}")
                return [Score(None, "other_error", told) for _ in pairs]
            vectors = self._vectors(embedder, full)
            self._keep(vectors, [reference for _, reference in full])
        return [_score(pair, vectors) for pair in pairs]

    def _opened(self) -> Embedder:
        if self._embedder is None:
            if self._open is None:
                raise LookupError("no embedding model can be opened here")
            self._embedder = self._open(self._model)
        return self._embedder

    def _vectors(self, embedder: Embedder, pairs: Sequence[Pair]) -> dict[str, Vector | str]:
        """A vector for each text, or why there is none."""
        texts = dict.fromkeys(text for pair in pairs for text in pair)
        out: dict[str, Vector | str] = {t: self._kept[t] for t in texts if t in self._kept}
        new = [text for text in texts if text not in out]
        if new:
            out.update(zip(new, self._embed(embedder, new), strict=True))
        return out

    def _embed(self, embedder: Embedder, texts: list[str]) -> list[Vector | str]:
        try:
            found = embedder.embed(texts)
            if len(found) != len(texts):
                raise ValueError(f"{len(found)} vectors for {len(texts)} texts")
            return list(found)
        except Exception as error:
            if len(texts) == 1:
                return [f"{self._model}: {error}"]
            # one by one: a text that the model cannot take must not cost its neighbours
            return [self._embed(embedder, [text])[0] for text in texts]

    def _keep(self, vectors: dict[str, Vector | str], references: list[str]) -> None:
        for text in references:
            vector = vectors[text]
            if not isinstance(vector, str):
                self._kept[text] = vector
        while len(self._kept) > MAX_REFERENCES:
            del self._kept[next(iter(self._kept))]


def _score(pair: Pair, vectors: dict[str, Vector | str]) -> Score:
    if not all(text.strip() for text in pair):
        return Score(0.0, detail="a text is empty")
    a, b = (vectors[text] for text in pair)
    for vector in (a, b):
        if isinstance(vector, str):
            return Score(None, "other_error", clean(vector))
    return _cosine([float(x) for x in a], [float(x) for x in b])


def _cosine(a: list[float], b: list[float]) -> Score:
    if len(a) != len(b):
        return Score(None, "other_error", f"vectors of {len(a)} and {len(b)} numbers")
    lengths = math.hypot(*a) * math.hypot(*b)
    value = math.fsum(x * y for x, y in zip(a, b, strict=True)) / lengths if lengths else math.nan
    if not math.isfinite(value):
        return Score(None, "other_error", "the embedding is zero or not finite")
    # the model's angle may be wider than a right one; rounding may carry 1 above itself
    return Score(min(max(value, 0.0), 1.0))
