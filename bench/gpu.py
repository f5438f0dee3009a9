"""Rollout and training speed and peak memory of a random-weight model of Qwen2.5's shape.

    python -m bench.gpu [--part toy|0.5b|1.5b|7b] [--device auto|cpu|cuda] [--steps 3]

Builds the model from its configuration on the spot (nothing is downloaded), quantises it to NF4,
and prints tokens per second of sampling and of learning, peak memory and the log-probability
mismatch; appends a line to bench/results/gpu.jsonl. `toy` runs in seconds on a CPU.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.engine import ROOT, make_plan
from rftspec.engine.local import LocalEngine
from rftspec.engine.types import Group, Prompt

SHAPES: dict[str, dict[str, Any]] = {
    "toy": {
        "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2,
    },
    "0.5b": {
        "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
        "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151936,
    },
    "1.5b": {
        "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
        "num_attention_heads": 12, "num_key_value_heads": 2, "vocab_size": 151936,
    },
    "7b": {
        "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
        "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064,
        "tie_word_embeddings": False,
    },
}  # fmt: skip
LENGTHS = {"toy": (32, 32), "0.5b": (512, 256), "1.5b": (512, 512), "7b": (512, 512)}


def build(folder: Path, shape: dict[str, Any]) -> str:
    """Write a random model of a shape with a small tokenizer; gives its folder."""
    from transformers import AutoModelForCausalLM

    from tests.toy import make_toy_tokenizer, toy_config

    tokenizer = make_toy_tokenizer(folder)
    settings = {"max_position_embeddings": 4096, **shape}
    vocabulary = settings.pop("vocab_size", len(tokenizer))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(
        toy_config("qwen2", vocabulary, **settings), dtype=torch.bfloat16
    )
    model.save_pretrained(folder)
    return str(folder)


def measure(engine: LocalEngine, part: str, steps: int, shape: tuple[int, int]) -> dict[str, Any]:
    """The best step of a few: 16 prompts × 8 samples (2 × 4 for `toy`)."""
    prompts, samples = (2, 4) if part == "toy" else (16, 8)
    length, answer = shape
    # a random model never ends by itself: one token in sixteen ends an answer of the toy
    engine.stop = tuple(range(0, 300, 16)) if part == "toy" else ()
    best: dict[str, Any] = {}
    for step in range(1, steps + 1):
        rng = np.random.default_rng(step)
        batch = [
            Prompt(tuple(rng.integers(5, 300, length).tolist()), ("train", step, i))
            for i in range(prompts)
        ]
        start = time.perf_counter()
        found = engine.sample(
            batch, samples=samples, temperature=1.0, max_tokens=answer, policy="tuned"
        )
        middle = time.perf_counter()
        groups = [
            Group(p, c, rng.random(len(c)).tolist()) for p, c in zip(batch, found, strict=True)
        ]
        metrics = engine.learn(groups, step=step)
        end = time.perf_counter()
        tokens = sum(len(c.tokens) for g in found for c in g)
        row = {
            "tokens": tokens,
            "sample_s": middle - start,
            "learn_s": end - middle,
            "sample_tok_s": tokens / (middle - start),
            "learn_tok_s": tokens / (end - middle),
            "mismatch_max": metrics["logprob_mismatch_max"],
            "grad_norm": metrics["grad_norm"],
        }
        if not best or row["sample_s"] + row["learn_s"] < best["sample_s"] + best["learn_s"]:
            best = row
    return best


def peak_bytes(engine: LocalEngine) -> int:
    """Peak memory: of the card, else of the process."""
    if engine.device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(engine.device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Build, measure, print, append."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="toy", choices=list(SHAPES))
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--steps", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = build(Path(folder), SHAPES[arguments.part])
        engine = LocalEngine.open(make_plan(place, "nf4", arguments.device))
        result = {
            "part": arguments.part,
            **measure(engine, arguments.part, arguments.steps, LENGTHS[arguments.part]),
            "peak_bytes": peak_bytes(engine),
            "engine": {**engine.describe(), "base": f"random Qwen2.5 {arguments.part}"},
        }
    for key, value in result.items():
        print(f"{key:14} {value:.6g}" if isinstance(value, float) else f"{key:14} {value}")
    target = ROOT / "bench/results/gpu.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
