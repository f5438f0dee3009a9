"""LocalEmbedder: texts as vectors, the mean of a model's last hidden states, of length 1."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from rftspec.engine.load import choose_device
from rftspec.engine.problems import problem
from rftspec.engine.service import find_model

ROWS = 32
_LONGEST = 8192


class LocalEmbedder:
    """An embedding model; found when it is made, loaded when it is first asked."""

    def __init__(self, name: str, device: Literal["cpu", "cuda", "auto"] = "auto") -> None:
        self._place = find_model(name)
        self._device = choose_device(device)
        self._lock = threading.Lock()
        self._model: Any = None
        self._tokenizer: Any = None
        self._longest = _LONGEST

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 per text; a text beyond the model's context is cut at its end.

        Texts are computed `ROWS` at a time, shortest first. Raises DiagnosticError (M2xx) when
        the model cannot be loaded.
        """
        with self._lock:
            self._load()
            tokens = [self._encode(text) for text in texts]
            order = sorted(range(len(texts)), key=lambda i: (len(tokens[i]), i))
            vectors: list[list[float]] = [[] for _ in texts]
            for start in range(0, len(order), ROWS):
                part = order[start : start + ROWS]
                rows = self._vectors([tokens[i] for i in part])
                for index, vector in zip(part, rows, strict=True):
                    vectors[index] = vector
            return vectors

    def _load(self) -> None:
        if self._model is not None:
            return
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            tokenizer = AutoTokenizer.from_pretrained(self._place)
            model: Any = AutoModel.from_pretrained(self._place, dtype=torch.float32)
        except Exception as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            said = f"{self._place}: the embedding model cannot be loaded ({first[:200]})"
            raise problem("M204", said) from error
        finally:
            if shown:
                logging.enable_progress_bar()
        context = getattr(model.config, "max_position_embeddings", _LONGEST)
        self._longest = min(context, tokenizer.model_max_length, _LONGEST)
        self._tokenizer, self._model = tokenizer, model.eval().to(self._device)

    def _encode(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text, truncation=True, max_length=self._longest)[
            "input_ids"
        ]
        if tokens:
            return tokens
        # an empty text without special tokens: one token that means nothing
        tokenizer = self._tokenizer
        return [
            next(t for t in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if t is not None)
        ]

    def _vectors(self, rows: Sequence[Sequence[int]]) -> list[list[float]]:
        width = max(map(len, rows))
        tokens = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, own in enumerate(rows):
            tokens[row, : len(own)] = torch.tensor(own)
            mask[row, : len(own)] = 1
        hidden = self._model(
            input_ids=tokens.to(self._device), attention_mask=mask.to(self._device)
        ).last_hidden_state.float()
        weight = mask.to(self._device)[..., None].float()
        mean = (hidden * weight).sum(1) / weight.sum(1)
        vectors: list[list[float]] = F.normalize(mean.double(), dim=-1).tolist()
        return vectors
