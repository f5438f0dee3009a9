"""Time the engine on the demo's shapes, beside a plain loop over transformers' `generate`.

    python -m bench.engine [--model builtin:case-reader] [--repeats 5] [--plain] [--threads N]

Prints a table and writes bench/results/engine.json. Without the built-in model's weights (or
with `--model random`) it makes a random model of the same shape, whose answers end at random.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rftspec.engine.local import LocalEngine
from rftspec.engine.types import Group, Prompt
from rftspec.plan.model import (
    DataPlan,
    EvaluatePlan,
    ModelPlan,
    Plan,
    ResponsePlan,
    SplitPlan,
    TrainPlan,
)

ROOT = Path(__file__).resolve().parent.parent
MAX_TOKENS = 96
PROMPTS, SAMPLES = 16, 8
clock = time.perf_counter


def make_plan(base: str, quantization: Any = "nf4", device: Any = "cpu") -> Plan:
    """The demo's plan as far as the engine reads it."""
    return Plan(
        name="bench", seed=0, spec_path="", spec_text="", device=device,
        model=ModelPlan(base, None, quantization, 16, 32.0, ("all-linear",)),
        data=DataPlan(SplitPlan("", 0, ""), None, None, (), None, None),
        response=ResponsePlan(None, MAX_TOKENS, 1.0),
        graders={}, reward="", reward_range=(0.0, 1.0), stop_above=0.1,
        train=TrainPlan("grpo", 60, PROMPTS, SAMPLES, 1e-3, 0, 0.0, 1.0, 20),
        evaluate=EvaluatePlan(20, 4, 1, {}, (), "reward"), require=(), track=(), reasons={},
    )  # fmt: skip


def random_model(folder: Path) -> str:
    """A random Llama of the built-in model's shape, with a toy tokenizer."""
    from tests.toy import make_toy_model

    return str(
        make_toy_model(
            folder, hidden_size=256, intermediate_size=704, num_hidden_layers=4,
            num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=2048,
        )
    )  # fmt: skip


def prompts(engine: LocalEngine, count: int, stream: str, step: int) -> list[Prompt]:
    """Rows of the shipped task where they are, else random tokens of such lengths."""
    data = ROOT / "specs/data/rare_disease/train.jsonl"
    rng = np.random.default_rng([step, len(stream)])
    if data.exists() and engine.wrapped.get_base_model().config.vocab_size > 1000:
        lines = data.read_text(encoding="utf-8").splitlines()
        rows = rng.permutation(len(lines))[:count]
        encoded = [engine.encode(json.loads(lines[i])["messages"]) for i in rows]
        return [Prompt(t, (stream, step, int(i))) for t, i in zip(encoded, rows, strict=True)]
    lengths = rng.integers(60, 111, count)
    return [
        Prompt(tuple(rng.integers(5, 300, n).tolist()), (stream, step, i))
        for i, n in enumerate(lengths)
    ]


def time_steps(engine: LocalEngine, repeats: int) -> dict[str, float]:
    """Medians of a training step's two halves: 16 prompts × 8 completions."""
    rows: list[dict[str, float]] = []
    for step in range(1, repeats + 2):
        batch = prompts(engine, PROMPTS, "train", step)
        start = clock()
        found = engine.sample(
            batch, samples=SAMPLES, temperature=1.0, max_tokens=MAX_TOKENS, policy="tuned"
        )
        middle = clock()
        rng = np.random.default_rng(step)
        groups = [
            Group(p, c, rng.random(len(c)).round(1).tolist())
            for p, c in zip(batch, found, strict=True)
        ]
        metrics = engine.learn(groups, step=step)
        end = clock()
        tokens = sum(len(c.tokens) for g in found for c in g)
        rows.append(
            {
                "sample_s": middle - start, "learn_s": end - middle, "step_s": end - start,
                "tokens": tokens, "sample_tok_s": tokens / (middle - start),
                "learn_tok_s": tokens / (end - middle),
                "mismatch_max": metrics["logprob_mismatch_max"],
            }
        )  # fmt: skip
    return {k: statistics.median(r[k] for r in rows[1:]) for k in rows[0]}


def time_evaluation(engine: LocalEngine, rows: int = 200, samples: int = 4) -> dict[str, float]:
    """An evaluation of the base: rows × samples with slot refill."""
    batch = prompts(engine, rows, "test", 0)
    start = clock()
    found = engine.sample(
        batch, samples=samples, temperature=1.0, max_tokens=MAX_TOKENS, policy="base"
    )
    seconds = clock() - start
    count = sum(map(len, found))
    return {"eval_s": seconds, "completions_s": count / seconds}


def time_plain(engine: LocalEngine, repeats: int) -> dict[str, float]:
    """The plain loop: padded `generate`, then one padded forward and backward with full logits."""
    model, rows = engine.wrapped, []
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.0)
    stops = list(engine.stop)
    for step in range(1, repeats + 2):
        batch = [p.tokens for p in prompts(engine, PROMPTS, "train", step) for _ in range(SAMPLES)]
        width = max(map(len, batch))
        ids = torch.tensor([[0] * (width - len(t)) + list(t) for t in batch])
        mask = torch.tensor([[0] * (width - len(t)) + [1] * len(t) for t in batch])
        start = clock()
        with torch.no_grad():
            out = model.generate(
                input_ids=ids, attention_mask=mask, do_sample=True, top_k=0, temperature=1.0,
                max_new_tokens=MAX_TOKENS, eos_token_id=stops, pad_token_id=0,
            )  # fmt: skip
        middle = clock()
        answer = out[:, width:]
        ended = torch.isin(answer, torch.tensor(stops))
        real = (ended.cumsum(1) - ended.long()) == 0
        whole = torch.cat([mask, real.long()], 1)
        for part in range(0, len(batch), 32):
            rows_ = slice(part, part + 32)
            logits = model(
                input_ids=out[rows_], attention_mask=whole[rows_],
                position_ids=(whole[rows_].cumsum(1) - 1).clamp(min=0),
            ).logits[:, width - 1 : -1]  # fmt: skip
            logp = logits.log_softmax(-1).gather(-1, answer[rows_, :, None])[..., 0]
            (-(logp * real[rows_]).sum() / real.sum()).backward()
        optimizer.step()
        optimizer.zero_grad()
        end = clock()
        rows.append({"sample_s": middle - start, "learn_s": end - middle, "step_s": end - start})
    return {k: statistics.median(r[k] for r in rows[1:]) for k in rows[0]}


def main() -> None:
    """Measure, print, write."""
    global clock
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="builtin:case-reader")
    parser.add_argument("--quantization", default="nf4", choices=["nf4", "none"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--plain", action="store_true", help="time the plain loop too")
    parser.add_argument("--threads", type=int, default=0, help="torch's threads (its own choice)")
    parser.add_argument(
        "--cpu-time", action="store_true", help="CPU seconds, for a machine that is busy otherwise"
    )
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.cpu_time:
        clock = time.process_time
    base = arguments.model
    with tempfile.TemporaryDirectory() as folder:
        weights = ROOT / "models/case-reader/model.safetensors"
        if base == "random" or (base == "builtin:case-reader" and not weights.exists()):
            base = random_model(Path(folder))
        engine = LocalEngine.open(make_plan(base, arguments.quantization))
        if engine.wrapped.get_base_model().config.vocab_size < 1000:
            engine.stop = tuple(range(1, 301, 50))  # a random model ends its answers at random
        seconds = "CPU seconds" if arguments.cpu_time else "seconds of wall clock"
        described = {**engine.describe(), "base": arguments.model, "clock": seconds}
        result: dict[str, Any] = {"engine": described}
        result["step"] = time_steps(engine, arguments.repeats)
        result["evaluation"] = time_evaluation(engine)
        if arguments.plain:
            result["plain_step"] = time_plain(engine, max(1, arguments.repeats // 2))
    for name, part in result.items():
        print(name)
        for key, value in part.items():
            print(f"  {key:24} {value:.6g}" if isinstance(value, float) else f"  {key:24} {value}")
    target = ROOT / "bench/results/engine.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
