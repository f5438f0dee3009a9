"""A grader that asks a judge: prompts from samples, replies from cache or judge, and scores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rftspec.diagnostics import Collector, DiagnosticError
from rftspec.graders.building import Builder, Settings
from rftspec.graders.remote.keys import Redactor
from rftspec.graders.remote.messages import Messages, Rendered, read_messages
from rftspec.graders.remote.settings import ChatSettings, check_judge, read_judge
from rftspec.graders.remote.usage import Meter
from rftspec.graders.remote.verdict import (
    PROMPT_VERSION,
    NoVerdict,
    Verdict,
    instructed,
    read_verdict,
    response_format,
)
from rftspec.graders.score import Item, Sample, Score
from rftspec.graders.services import Judge, JudgeRequest, Services
from rftspec.sandbox.protocol import clean
from rftspec.template import MissingVariable

if TYPE_CHECKING:
    from rftspec.graders.remote.cache import ReplyCache
    from rftspec.graders.remote.panel import Panel

_LOCAL_BATCH = 16

Heard = Callable[[int, str, float], None]
"""Takes a reply: the number of its question, the text, and the seconds that it took."""


class JudgeGrader:
    """A model's verdicts on samples; grading blocks, and may be called from several threads."""

    def __init__(
        self, kind: str, messages: Messages, verdict: Verdict, judge: ChatSettings
    ) -> None:
        self.range = verdict.range
        self._kind = kind
        self._messages = messages
        self._verdict = verdict
        self._settings = judge
        self._meter = Meter()
        self._redactor = Redactor([judge.api_key()])
        self._open = threading.Lock()
        self._closed = False
        self._panel: Panel | None = None
        self._cache: ReplyCache | None = None
        self._local: Judge | None = None
        self._services = Services()

    def serve(self, services: Services) -> None:
        """Take over what is at hand while graders run. Raises DiagnosticError of the engine."""
        self._services = services
        if self._settings.local and services.judge is not None:
            self._local = services.judge(self._settings.model)

    def usage(self) -> dict[str, int]:
        """What asking has cost since the grader was opened (see `usage.Counts`)."""
        return self._meter.read()

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Score]:
        """The judge's verdict on each sample, in their order."""
        scores: list[Score | None] = [None] * len(samples)
        asked: dict[str, list[int]] = {}
        prompts: dict[str, Rendered] = {}
        for index, (sample, item) in enumerate(zip(samples, items, strict=True)):
            try:
                rendered = self._messages.render(sample, item)
            except MissingVariable as missing:
                scores[index] = Score(None, "invalid_variable_error", clean(str(missing)))
                continue
            key = self._key(rendered) if self._settings.cache else f"{index}"
            asked.setdefault(key, []).append(index)
            prompts[key] = rendered
        found = self._answers(prompts)
        for key, indices in asked.items():
            for index in indices:
                scores[index] = found[key]
            self._meter.add(cached=len(indices) - 1)
        return [score for score in scores if score is not None]

    def close(self) -> None:
        """End what is being asked, and give back connections and files."""
        with self._open:
            self._closed = True
            panel, cache = self._panel, self._cache
        if panel is not None:
            panel.close()
        if cache is not None:
            cache.close()

    def _answers(self, prompts: Mapping[str, Rendered]) -> dict[str, Score]:
        """A score for each prompt: from the cache, else from the judge."""
        scores: dict[str, Score] = {}
        cache = self._opened_cache()
        if cache is not None:
            for key in prompts:
                score = self._known(cache.get(key))
                if score is not None:
                    scores[key] = score
            self._meter.add(cached=len(scores))
        open_ = [key for key in prompts if key not in scores]
        if not open_:
            return scores

        def heard(number: int, text: str, seconds: float) -> None:
            score = self._read(text, seconds)
            scores[open_[number]] = score
            if cache is not None and score.value is not None:
                cache.put(open_[number], self._redactor.hide(text))

        failed = self._ask([(key, prompts[key]) for key in open_], heard)
        return {**{open_[number]: score for number, score in failed.items()}, **scores}

    def _ask(self, questions: Sequence[tuple[str, Rendered]], heard: Heard) -> dict[int, Score]:
        """Let each reply be heard; gives the scores of the questions that have none."""
        if self._settings.local:
            return self._ask_here(questions, heard)
        with self._open:
            if self._panel is None and not self._closed:
                from rftspec.graders.remote.panel import Panel

                self._panel = Panel(self._settings, self._verdict, self._meter)
            panel = self._panel
        if panel is None:
            return dict.fromkeys(range(len(questions)), _down("the grader is closed"))
        return panel.ask(questions, heard)

    def _ask_here(
        self, questions: Sequence[tuple[str, Rendered]], heard: Heard
    ) -> dict[int, Score]:
        """Ask the local judge, some questions at a time so that `close` is not kept waiting."""
        failed: dict[int, Score] = {}
        for start in range(0, len(questions), _LOCAL_BATCH):
            part = questions[start : start + _LOCAL_BATCH]
            numbers = range(start, start + len(part))
            if self._local is None or self._closed:
                failed.update(dict.fromkeys(numbers, _down("no local judge is open")))
                continue
            began = time.monotonic()
            try:
                texts = self._local.answer([self._request(messages) for _, messages in part])
            except Exception as error:
                detail = self._redactor.detail(f"{type(error).__name__}: {error}")
                failed.update(dict.fromkeys(numbers, _down(detail)))
                continue
            self._meter.add(calls=len(part))
            seconds = (time.monotonic() - began) / len(part)
            for number, text in zip(numbers, texts, strict=True):
                heard(number, text, seconds)
        return failed

    def _request(self, messages: Rendered) -> JudgeRequest:
        sampling = self._settings.sampling
        return JudgeRequest(
            [{"role": r, "content": c} for r, c in instructed(messages, self._verdict)],
            temperature=float(sampling.get("temperature", 0.0)),
            top_p=float(sampling.get("top_p", 1.0)),
            seed=int(sampling.get("seed", 0)),
            max_tokens=self._settings.longest_reply,
        )

    def _read(self, text: str, seconds: float) -> Score:
        try:
            value, conclusion = read_verdict(text, self._verdict)
        except NoVerdict as error:
            why = self._redactor.detail(str(error))
            return Score(None, "model_grader_parse_error", why, seconds=seconds)
        detail = None if conclusion is None else self._redactor.detail(conclusion)
        return Score(value, detail=detail, seconds=seconds)

    def _known(self, text: str | None) -> Score | None:
        """The score of a cached reply; one that is no verdict (any more) is asked anew."""
        if text is None:
            return None
        score = self._read(text, 0.0)
        return None if score.value is None else score

    def _opened_cache(self) -> ReplyCache | None:
        folder = self._services.cache
        if folder is None or not self._settings.cache:
            return None
        with self._open:
            if self._cache is None and not self._closed:
                from rftspec.graders.remote.cache import ReplyCache

                self._cache = ReplyCache(folder)
            return self._cache

    def _key(self, messages: Rendered) -> str:
        from rftspec.graders.remote.cache import key_of

        judge = self._settings
        return key_of(
            version=PROMPT_VERSION,
            kind=self._kind,
            where="local" if judge.local else judge.base_url.rstrip("/"),
            model=judge.model,
            sampling=dict(judge.sampling),
            longest_reply=judge.longest_reply,
            answer_format=judge.answer_format,
            schema=response_format(self._verdict),
            verdict={k: sorted(v) if isinstance(v, frozenset) else v
                     for k, v in asdict(self._verdict).items()},
            messages=messages,
        )  # fmt: skip


def build_judge(
    kind: str,
    settings: Settings,
    builder: Builder,
    make_verdict: Callable[[Settings, Builder], Verdict],
) -> JudgeGrader:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    found = Collector()
    messages: Messages | None = None
    verdict: Verdict | None = None
    try:
        messages = read_messages(settings["input"], builder)
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    try:
        verdict = make_verdict(settings, builder)
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    problems: list[Any] = check_judge(settings, builder)
    builder.warnings.extend(d for d in problems if d.severity != "error")
    found.extend(d for d in problems if d.severity == "error")
    found.raise_errors()
    assert messages is not None
    assert verdict is not None
    grader = JudgeGrader(kind, messages, verdict, read_judge(settings))
    grader.serve(builder.services)
    return grader


def _down(detail: str) -> Score:
    return Score(None, "model_grader_server_error", detail)
