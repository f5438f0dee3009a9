"""rftspec beside TRL's GRPOTrainer and a plain loop: seconds per step, memory, reward.

    python bench/peers.py --trl PYTHON          three seeds, fp32 and NF4, and the results file
    python bench/peers.py --trl PYTHON --quick  one seed of six steps; writes nothing

PYTHON is an interpreter that has TRL, in an environment of its own:

    python -m venv ENV && ENV/bin/pip install -c constraints.txt torch trl bitsandbytes

All sides have the same model, rows in the same order, 16 prompts × 8 completions, 96 tokens, LoRA
on all linear layers, AdamW, loss normalised by the batch's tokens, reward function and threads; no
evaluation, no logging to disk. A step is sampling, grading and learning together. TRL runs with
the best of three settings, which are tried first; then the sides take turns, seed by seed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from peer_task import UNCOUNTED, Settings

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "peers.json"
TRL_SETTINGS = (
    {"micro_batch": 128},
    {"micro_batch": 32},
    {"micro_batch": 128, "continuous_batching": True},
)
"""One micro-batch; four; one, sampled by transformers' continuous batching."""
TRIAL_STEPS = 6
LAST = 5
"""Steps at the end whose mean reward is compared."""


@dataclass
class Outcome:
    """One side's run."""

    side: str
    quantization: str
    seed: int
    seconds: float
    """Median of a step."""
    tokens_per_second: float
    peak_bytes: int
    reward: float
    """Mean of the last five steps."""
    first_reward: float
    versions: dict[str, str]
    mismatch: float | None = None
    """The largest difference of log-probabilities between sampler and learner, where measured."""


def main() -> int:
    """Try, measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--trl", required=True, help="a Python interpreter that has TRL")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20 + UNCOUNTED)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    wish = parser.parse_args()
    steps, seeds = (TRIAL_STEPS, 1) if wish.quick else (wish.steps, wish.seeds)
    outcomes: list[Outcome] = []
    chosen: dict[str, Any] = {}
    for quantization in ("none", "nf4"):
        settings = Settings(steps=steps, threads=wish.threads, quantization=quantization)
        chosen[quantization] = best_of_trl(wish.trl, settings)
        for seed in range(seeds):
            for one in sides(wish.trl, replace(settings, seed=seed), chosen[quantization]):
                outcomes.append(one)
                print(line(one), flush=True)
    print()
    print(table(outcomes))
    if not wish.quick:
        report = {
            "machine": {"processor": platform.processor(), "cores": os.cpu_count()},
            "trl_settings": chosen,
            "runs": [asdict(one) for one in outcomes],
        }
        RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def best_of_trl(python: str, settings: Settings) -> dict[str, Any]:
    """The fastest of TRL's settings, by a few steps of each; what fails is said and left out."""
    tried: list[tuple[float, dict[str, Any]]] = []
    for options in TRL_SETTINGS:
        trial = replace(settings, steps=TRIAL_STEPS, **options)
        try:
            found = measure("TRL", [python, "peer_trl.py"], trial)
        except subprocess.CalledProcessError as error:
            last = (error.stderr or "").strip().splitlines()[-1:]
            print(f"TRL with {options}: fails: {' '.join(last)[:200]}", flush=True)
            continue
        print(f"TRL with {options}: {found.seconds:.2f} s per step", flush=True)
        tried.append((found.seconds, options))
    return min(tried, key=lambda one: one[0])[1]


def sides(python: str, settings: Settings, options: dict[str, Any]) -> Iterator[Outcome]:
    """One seed of every side, one after the other."""
    yield measure("rftspec", [sys.executable, "peer_ours.py"], settings)
    yield measure("TRL", [python, "peer_trl.py"], replace(settings, **options))
    yield measure(
        "plain loop", [sys.executable, "peer_plain.py"], replace(settings, micro_batch=32)
    )


def measure(side: str, command: list[str], settings: Settings) -> Outcome:
    """One run in a process of its own. Raises CalledProcessError when it fails."""
    python, script = command
    threads = str(settings.threads)
    done = subprocess.run(
        [python, str(HERE / script), settings.dumps()],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1"},
    )
    told = [json.loads(text) for text in done.stdout.splitlines() if text.startswith('{"kind"')]
    steps, end = [one for one in told if one["kind"] == "step"], told[-1]
    if len(steps) != settings.steps or end["kind"] != "end":
        raise RuntimeError(f"{side} told of {len(steps)} steps, not of {settings.steps}")
    counted = steps[UNCOUNTED:]
    mismatches = [one["mismatch"] for one in steps if "mismatch" in one]
    return Outcome(
        side,
        settings.quantization,
        settings.seed,
        statistics.median(one["seconds"] for one in counted),
        statistics.median(one["tokens"] / one["seconds"] for one in counted),
        end["peak_bytes"],
        statistics.fmean(one["reward"] for one in steps[-LAST:]),
        statistics.fmean(one["reward"] for one in steps[:LAST]),
        end["versions"],
        max(mismatches) if mismatches else None,
    )


def line(one: Outcome) -> str:
    """One run on one line."""
    return (
        f"{one.quantization:4} seed {one.seed} {one.side:10} {one.seconds:6.2f} s per step  "
        f"{one.tokens_per_second:6.0f} tokens/s  {one.peak_bytes / 1e6:6.0f} MB  "
        f"reward {one.first_reward:.3f} → {one.reward:.3f}"
    )


def table(outcomes: list[Outcome]) -> str:
    """Medians over the seeds, and how many times as much of it a peer takes."""
    lines = [
        "| weights | side | s per step | × rftspec | tokens/s | peak memory | × rftspec "
        "| reward of the last steps, by seed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for quantization in ("none", "nf4"):
        ours: tuple[float, float] | None = None
        for side in ("rftspec", "TRL", "plain loop"):
            runs = [o for o in outcomes if (o.side, o.quantization) == (side, quantization)]
            if not runs:
                continue
            seconds = statistics.median(one.seconds for one in runs)
            peak = statistics.median(one.peak_bytes for one in runs)
            ours = ours or (seconds, peak)
            rewards = ", ".join(f"{one.reward:.3f}" for one in runs)
            speed = statistics.median(one.tokens_per_second for one in runs)
            name = "fp32" if quantization == "none" else "NF4"
            lines.append(
                f"| {name} | {side} | {seconds:.2f} | {seconds / ours[0]:.2f} | {speed:,.0f} "
                f"| {peak / 1e6:,.0f} MB | {peak / ours[1]:.2f} | {rewards} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
