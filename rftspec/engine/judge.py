"""LocalJudge: a causal language model on this machine that answers a grader's questions.

An answer is a function of the model and of the request: the prompt is rendered by the model's own
chat template, temperature 0 takes the likeliest token, and above it the random numbers come from
the request's seed and messages. Requests of one padded width are computed together, at most
`ROWS` at a time.

What stands in a message is data: where it spells a control token, a space is put behind that
token's first character, so that no answer can end its message and speak as the judge.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import numpy as np
import torch

from rftspec.engine import noise
from rftspec.engine.load import choose_device, load_model, load_tokenizer, stop_tokens
from rftspec.engine.problems import problem
from rftspec.engine.service import find_model
from rftspec.graders.services import JudgeRequest

ROWS = 16
_WIDTH_STEP = 32


@dataclass(frozen=True, slots=True)
class _Job:
    """One request as tokens: its place in the order, its prompt, and how long it may answer."""

    index: int
    request: JudgeRequest
    tokens: list[int]
    longest: int

    @property
    def width(self) -> int:
        """The prompt's length, rounded up: requests of one width are computed together."""
        return -(-len(self.tokens) // _WIDTH_STEP) * _WIDTH_STEP


class LocalJudge:
    """A model that judges; found when it is made, loaded when it is first asked."""

    def __init__(self, name: str, device: Literal["cpu", "cuda", "auto"] = "auto") -> None:
        self._place = find_model(name)
        self._device = choose_device(device)
        self._lock = threading.Lock()
        self._model: Any = None
        self._tokenizer: Any = None
        self._stop: tuple[int, ...] = ()

    def answer(self, requests: Sequence[JudgeRequest]) -> list[str]:
        """The answers' texts, in the order of the requests.

        A prompt that leaves no room in the model's context has an empty answer, and so no verdict.
        Raises DiagnosticError (M2xx) when the model cannot be loaded or does not take the messages.
        """
        with self._lock:
            self._load()
            answers = [""] * len(requests)
            waiting: dict[int, list[_Job]] = {}
            for index, request in enumerate(requests):
                job = self._job(index, request)
                if job.longest > 0:
                    waiting.setdefault(job.width, []).append(job)
            for width in sorted(waiting):
                jobs = waiting[width]
                for start in range(0, len(jobs), ROWS):
                    part = jobs[start : start + ROWS]
                    for job, text in zip(part, self._answered(part), strict=True):
                        answers[job.index] = text
            return answers

    def _load(self) -> None:
        if self._model is not None:
            return
        from transformers import GenerationConfig

        tokenizer = load_tokenizer(self._place, None)
        dtype = torch.float32 if self._device.type == "cpu" else torch.bfloat16
        model: Any = load_model(self._place, None, dtype).to(self._device)
        self._stop = stop_tokens(model, tokenizer)
        # the model's own sampling defaults would be mixed into ours
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=list(self._stop) or None, pad_token_id=0
        )
        self._tokenizer, self._model = tokenizer, model

    def _job(self, index: int, request: JudgeRequest) -> _Job:
        tokens = self._encode(request.messages)
        context = getattr(self._model.config, "max_position_embeddings", None)
        job = _Job(index, request, tokens, request.max_tokens)
        if context is None:
            return job
        return _Job(index, request, tokens, min(request.max_tokens, context - job.width))

    def _encode(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        template = str(self._tokenizer.chat_template)
        as_system = "developer" not in template and "system" in template
        shown = [
            {
                "role": "system" if m["role"] == "developer" and as_system else m["role"],
                "content": self._harmless(str(m["content"])),
            }
            for m in messages
        ]
        try:
            text = self._tokenizer.apply_chat_template(
                shown, add_generation_prompt=True, tokenize=False
            )
        except Exception as error:
            raise problem("M214", f"the judge's chat template refused: {error}") from error
        for message in shown:
            if message["role"] != "assistant" and message["content"].strip() not in text:
                said = f"the judge's chat template leaves out a {message['role']} message"
                raise problem("M214", said)
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens

    def _harmless(self, text: str) -> str:
        """The text with no control token in it."""
        for token in self._tokenizer.added_tokens_decoder.values():
            written = token.content
            if len(written) > 1 and written in text:
                text = text.replace(written, f"{written[0]} {written[1:]}")
        return text

    @torch.no_grad()
    def _answered(self, jobs: Sequence[_Job]) -> list[str]:
        from transformers import LogitsProcessorList

        width, longest = jobs[0].width, max(job.longest for job in jobs)
        tokens = torch.zeros(len(jobs), width, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, job in enumerate(jobs):
            tokens[row, width - len(job.tokens) :] = torch.tensor(job.tokens)
            mask[row, width - len(job.tokens) :] = 1
        made = self._model.generate(
            input_ids=tokens.to(self._device),
            attention_mask=mask.to(self._device),
            max_new_tokens=longest,
            logits_processor=LogitsProcessorList([_Draw(jobs, self._device)]),
        )
        return [
            self._text(row[: job.longest])
            for job, row in zip(jobs, made[:, width:].tolist(), strict=True)
        ]

    def _text(self, tokens: list[int]) -> str:
        ends = [place for place, token in enumerate(tokens) if token in self._stop]
        text: str = self._tokenizer.decode(
            tokens[: ends[0]] if ends else tokens, skip_special_tokens=True
        )
        return text


class _Draw:
    """Chooses the next token of each row by its request: the likeliest, or drawn by inverse CDF."""

    def __init__(self, jobs: Sequence[_Job], device: torch.device) -> None:
        self._rows = [row for row, job in enumerate(jobs) if job.request.temperature > 0]
        hot = [jobs[row] for row in self._rows]
        self._longest = max((job.longest for job in hot), default=0)
        table = np.stack([_noise(job, self._longest) for job in hot]) if hot else np.empty((0, 0))
        self._noise = torch.from_numpy(table).to(device)
        self._heat = torch.tensor([[j.request.temperature] for j in hot], device=device)
        self._top_p = torch.tensor([[j.request.top_p] for j in hot], device=device)
        self._step = 0

    def __call__(self, _tokens: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores [rows, vocabulary]; in drawn rows all but the drawn token are impossible."""
        step, self._step = self._step, self._step + 1
        if not self._rows or step >= self._longest:
            return scores
        p = (scores[self._rows].double() / self._heat).softmax(-1)
        ordered, places = p.sort(dim=-1, descending=True, stable=True)
        # the smallest set of tokens whose probability reaches top_p: the first is always in it
        kept = ordered * (ordered.cumsum(-1) - ordered < self._top_p)
        below = kept.cumsum(-1)
        drawn = torch.searchsorted(below, self._noise[:, step, None] * below[:, -1:], right=True)
        last = (kept > 0).sum(-1, keepdim=True) - 1
        token = places.gather(-1, drawn.minimum(last))
        out = scores.clone()
        out[self._rows] = torch.full_like(scores[self._rows], -torch.inf).scatter(-1, token, 0.0)
        return out


def _noise(job: _Job, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    said = json.dumps([dict(m) for m in job.request.messages], sort_keys=True)
    stream = f"judge {sha256(said.encode()).hexdigest()}"
    return noise.uniforms(job.request.seed, (stream, 0, 0), 0, count)
