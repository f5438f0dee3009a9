"""docs/plan.md lists what is derived, by which formula, and from where."""

from __future__ import annotations

import re
from pathlib import Path

from rftspec.plan import estimate, gates, memory, rates
from rftspec.plan.compile import compile_plan
from rftspec.plan.lengths import GOLD_ROWS
from rftspec.plan.survey import MOST_ROWS
from rftspec.spec.load import load_spec
from tests.house.rules import ROOT
from tests.spec.samples import copy_sample, edit

PAGE = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
TABLE = PAGE.split("## Values that follow from others")[1].split("## Tokens")[0]


def test_every_derived_value_stands_in_the_table(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path / "here")
    edit(spec, "  steps: 4\n  prompts_per_step: 4\n  samples_per_prompt: 4\n", "  kl: 0.0\n")
    edit(
        spec, "  validation: ranking/validation.jsonl", "  validation: { split: 7, by: item.gene }"
    )
    edit(spec, "  disjoint: [item.gene]\n", "")
    edit(spec, "name: ranking\n", "")
    reasons = compile_plan(load_spec(spec)).reasons
    derived = {field for field, reason in reasons.items() if reason.startswith("derived")}
    derived |= {"train.steps", "train.prompts_per_step", "train.samples_per_prompt", "name"}
    assert derived >= {"train.learning_rate", "train.checkpoint_every", "data.disjoint"}
    missing = {field for field in derived if f"`{field}" not in TABLE}
    assert not missing


def test_the_pages_numbers_are_the_codes() -> None:
    first = f"{rates.REFERENCE_RATE:.0e}".replace("e-0", "e-")
    assert f"{first} · √({rates.REFERENCE_PARAMETERS:.1e} / parameters)".replace("e+0", "e") in PAGE
    assert f"√(batch / {rates.REFERENCE_BATCH})" in PAGE
    for value in (rates.LOWEST_RATE, rates.HIGHEST_RATE):
        assert f"{value:.0e}".replace("e-0", "e-") in TABLE
    assert f"below {rates.FEW_ROWS} rows" in TABLE
    assert f"{MOST_ROWS:,} rows" in PAGE
    assert f"up to {GOLD_ROWS} of them" in PAGE
    assert f"{memory.NF4_BYTES} per weight" in PAGE
    assert (
        f"at most {memory.CPU_ROWS} answers at once on a CPU, {memory.CUDA_ROWS} on a card" in PAGE
    )
    assert f"{memory.CPU_TOKENS:,} on a CPU, {memory.CUDA_TOKENS:,} on a card" in PAGE
    assert memory.KEPT_LOGITS == 2**25
    assert memory.CHUNK_LOGITS == 2**22
    assert f"L · {estimate.LAYER_SECONDS * 1000:g} ms" in PAGE
    assert f"× {estimate.PLAIN_FACTOR:g} (bench/engine.py)" in PAGE
    assert f"{estimate.GRADE_SECONDS * 1000:g} ms an answer" in PAGE
    assert f"{estimate.OPEN_SECONDS['cpu']:g} (CPU) or {estimate.OPEN_SECONDS['cuda']:g}" in PAGE


def test_every_code_of_the_gates_stands_on_the_page() -> None:
    for code in gates.CODES:
        assert code in PAGE
    codes = set(re.findall(r"\b[EWMH]\d+\b", PAGE))
    from rftspec.cli.pages import find_page

    assert all(find_page(code) is not None for code in codes)
