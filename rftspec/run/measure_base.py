"""A small real sample of the base model before a run: does it earn anything, and how fast is it?

Loads the model, answers a few training rows several times, grades, takes one optimiser step whose
result is thrown away, and keeps what was measured where `plan` finds it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.engine.types import Completion, Engine, Group, Prompt
from rftspec.expr import merge_value_types
from rftspec.graders.output import read_output, wants_json
from rftspec.graders.score import MISSING, Graded, Sample
from rftspec.plan.calibration import add_line, took
from rftspec.plan.device import Device
from rftspec.plan.estimate import learning_seconds, sampling_seconds
from rftspec.plan.measurement import Measurement, keep_measurement
from rftspec.plan.memory import Prompts
from rftspec.plan.model import Plan
from rftspec.plan.survey import Survey, survey
from rftspec.plan.work import Phase
from rftspec.run.opening import open_graders
from rftspec.run.preflight import known_device, known_shape, train_items
from rftspec.run.timing import peak_memory

ROWS, SAMPLES = 8, 4
Say = Callable[[str], None]


@dataclass(slots=True)
class _Clock:
    """Seconds by name."""

    seconds: dict[str, float]
    _last: float

    @classmethod
    def start(cls) -> _Clock:
        return cls({}, time.perf_counter())

    def stop(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


def measure_base(
    plan: Plan, *, engine: Engine | None = None, say: Say = lambda _: None
) -> Measurement:
    """Measure the base model of a plan and keep what was found.

    Raises DiagnosticError where the model or the data is not to be had. `say` is told what is done.
    """
    found = survey(plan, most=ROWS)
    device, clock = known_device(plan), _Clock.start()
    with open_graders(plan, merge_value_types(found.forms)) as graders:
        say(f"opening {plan.model.base}")
        clock.stop("before")
        engine = engine or _open(plan)
        clock.stop("opening")
        rows = found.train.rows
        prompts = [Prompt(engine.encode(row.messages), ("measure", 0, row.index)) for row in rows]
        say(f"sampling {len(rows)} rows × {SAMPLES}")
        clock.stop("before")
        groups = _sample(engine, plan, prompts)
        clock.stop("sampling")
        samples = [
            read_output(c.text, plan.response.format, finish_reason=c.finish_reason)
            for group in groups
            for c in group
        ]
        items = train_items(plan, found)
        graded = graders.grade(samples, [item for item in items for _ in range(SAMPLES)])
        clock.stop("grading")
    say("taking one step, to be thrown away")
    engine.learn(_groups(prompts, groups), step=1)
    clock.stop("learning")
    made = _measurement(plan, device, found, groups, samples, graded, clock.seconds)
    keep_measurement(plan, device, made)
    _calibrate(plan, device, prompts, made, clock.seconds)
    return made


def _open(plan: Plan) -> Engine:
    from rftspec.engine.local import LocalEngine

    return LocalEngine.open(plan)


def _sample(engine: Engine, plan: Plan, prompts: Sequence[Prompt]) -> list[list[Completion]]:
    return engine.sample(
        prompts,
        samples=SAMPLES,
        temperature=plan.response.temperature,
        max_tokens=plan.response.max_tokens,
        policy="base",
    )


def _groups(prompts: Sequence[Prompt], groups: Sequence[Sequence[Completion]]) -> list[Group]:
    """Groups with made-up rewards that differ, so that the step has all the work it can have."""
    return [
        Group(prompt, list(group), [float(n % 2) for n in range(len(group))])
        for prompt, group in zip(prompts, groups, strict=True)
    ]


def _measurement(
    plan: Plan,
    device: Device,
    found: Survey,
    groups: Sequence[Sequence[Completion]],
    samples: Sequence[Sample],
    graded: Sequence[Graded],
    seconds: Mapping[str, float],
) -> Measurement:
    lengths = [len(completion.tokens) for group in groups for completion in group]
    kept = [graded[n : n + SAMPLES] for n in range(0, len(graded), SAMPLES)]
    unparsed = wants_json(plan.response.format)
    return Measurement(
        when=round(time.time(), 1),
        device=device.key,
        rows=tuple(row.index for row in found.train.rows),
        samples=SAMPLES,
        rewards=tuple(tuple(g.reward for g in group if not g.dropped) for group in kept),
        errors=_share([g.error is not None for g in graded]),
        truncated=_share([sample.finish_reason == "length" for sample in samples]),
        unparsed=_share([unparsed and sample.output_json is MISSING for sample in samples]),
        answer_tokens=sum(lengths) / len(lengths),
        longest_answer=max(lengths),
        sampling_rate=sum(lengths) / seconds["sampling"],
        learning_rate=sum(lengths) / seconds["learning"],
        opening=seconds["opening"],
        grading=seconds["grading"] / len(graded),
        peak_memory=peak_memory(),
    )


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def _calibrate(
    plan: Plan,
    device: Device,
    prompts: Sequence[Prompt],
    made: Measurement,
    seconds: Mapping[str, Any],
) -> None:
    """Keep how far the formulas were off."""
    shape = known_shape(plan)
    ratios: dict[str, float] = {}
    if shape is not None:
        mean = sum(len(prompt.tokens) for prompt in prompts) / len(prompts)
        lengths = Prompts(mean, max(len(prompt.tokens) for prompt in prompts))
        phase = Phase("train", "measured", 1, len(prompts), made.completions, learns=True)
        tokens = made.answer_tokens
        sampling = sampling_seconds(plan, shape, device, lengths, phase, tokens)
        learning = learning_seconds(plan, shape, device, phase, mean, tokens)
        ratios = {
            "sampling": seconds["sampling"] / sampling,
            "learning": seconds["learning"] / learning,
        }
    add_line(
        took(
            plan,
            device,
            "measure",
            answer_tokens=made.answer_tokens,
            opening=made.opening,
            grading=made.grading,
            **ratios,
        )
    )
