"""rftspec's engine on the task of `peer_task.py`, and a plain loop; run by `peers.py`."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import torch  # noqa: E402 - needs the path above
from engine import make_plan  # noqa: E402
from peer_task import Settings, emit, reward, rows  # noqa: E402

from rftspec.engine.local import LocalEngine  # noqa: E402
from rftspec.engine.types import Group, Prompt  # noqa: E402


def open_engine(settings: Settings) -> LocalEngine:
    """The engine with the settings of both sides."""
    plan = make_plan("builtin:case-reader", settings.quantization)
    train = replace(
        plan.train,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        warmup_steps=0,
        max_grad_norm=settings.max_grad_norm,
    )
    return LocalEngine.open(replace(plan, seed=settings.seed, train=train))


def main() -> None:
    """Train as asked for in the first argument, and emit a line per step."""
    settings = Settings.loads(sys.argv[1])
    torch.set_num_threads(settings.threads)
    engine = open_engine(settings)
    taken = rows(settings)
    size = settings.prompts_per_step
    for step in range(1, settings.steps + 1):
        start = time.perf_counter()
        batch = taken[(step - 1) * size : step * size]
        prompts = [
            Prompt(engine.encode(row["messages"]), ("train", step, i))
            for i, row in enumerate(batch)
        ]
        found = engine.sample(
            prompts,
            samples=settings.samples_per_prompt,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            policy="tuned",
        )
        groups = []
        for row, prompt, answers in zip(batch, prompts, found, strict=True):
            scores = [reward(answer.text, row["gene"]) for answer in answers]
            groups.append(Group(prompt, answers, scores))
        metrics = engine.learn(groups, step=step)
        seconds = time.perf_counter() - start
        every = [one for group in groups for one in group.rewards]
        emit(
            "step",
            seconds=seconds,
            tokens=sum(len(answer.tokens) for answers in found for answer in answers),
            reward=sum(every) / len(every),
            mismatch=metrics["logprob_mismatch_max"],
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    versions = {name: version(name) for name in ("torch", "transformers", "peft")}
    emit("end", peak_bytes=peak, versions=versions)


if __name__ == "__main__":
    main()
