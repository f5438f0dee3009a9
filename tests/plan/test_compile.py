"""The plan: every number with a reason, a hash over what decides the run, and back from JSON."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftspec.diagnostics import DiagnosticError
from rftspec.plan.compile import compile_plan
from rftspec.plan.machine import ModelShape, shape_of, shape_of_config
from rftspec.plan.model import Plan
from rftspec.plan.rates import learning_rate
from rftspec.spec.load import load_spec
from tests.spec.samples import copy_sample, edit

FLAT = "    name: ranked_genes\n    schema:\n"
QWEN_05B = {
    "hidden_size": 896, "num_hidden_layers": 24, "vocab_size": 151936, "num_attention_heads": 14,
    "num_key_value_heads": 2, "intermediate_size": 4864, "tie_word_embeddings": True,
    "max_position_embeddings": 32768,
}  # fmt: skip


def plan_of(spec: Path, *overrides: str, **more: Any) -> Plan:
    return compile_plan(load_spec(spec, overrides=overrides), **more)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "here")


def _leaves(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict) and value:
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{path}.{key}")]
    return [path.lstrip(".")]


def test_every_number_of_the_plan_has_a_reason(spec: Path) -> None:
    plan = plan_of(spec)
    content = plan.to_json()
    for section in ("model", "response", "train", "evaluate"):
        for name, value in content[section].items():
            if value is not None:  # what does not apply has no value
                assert plan.reasons.get(f"{section}.{name}"), f"{section}.{name}"
    for name in ("seed", "device", "name", "reward", "reward_range", "stop_above", "require"):
        assert plan.reasons.get(name), name
    assert plan.reasons["data.train"] == "ranking.yaml:11"
    assert all(reason.strip() for reason in plan.reasons.values())


def test_reasons_name_the_line_the_default_the_formula_and_the_command_line(spec: Path) -> None:
    plan = plan_of(spec, "train.kl=0.5", seed=7)
    assert plan.reasons["train.steps"].startswith("ranking.yaml:")
    assert plan.reasons["train.kl"] == "--set train.kl=0.5"
    assert plan.reasons["seed"] == "--seed"
    assert plan.reasons["model.quantization"].startswith("default: ")
    assert plan.reasons["train.learning_rate"].startswith("derived: 5e-5 ")


def test_plan_comes_back_from_json_as_it_was(spec: Path) -> None:
    plan = plan_of(spec)
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert again.hash == plan.hash


@pytest.mark.parametrize("content", [{}, {"format": "plan/0"}, {"format": "plan/1", "name": "x"}])
def test_something_else_is_not_read_as_a_plan(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="plan"):
        Plan.from_json(content)


def test_hash_does_not_depend_on_place_name_or_comments(spec: Path, tmp_path: Path) -> None:
    first = plan_of(spec)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(spec.parent, elsewhere)
    other = elsewhere / "other-name.yaml"
    (elsewhere / spec.name).rename(other)
    edit(other, "# A small spec", "# Another comment\n# A small spec")
    assert plan_of(other).hash == first.hash
    assert plan_of(other, name="x").hash == first.hash
    assert len(first.hash) == 12


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "train.steps=5",
        "train.learning_rate=1e-4",
        "train.kl=0.1",
        "model.lora.rank=8",
        "model.quantization=none",
        "response.max_tokens=65",
        "response.temperature=0.5",
        "reward=rank",
        "evaluate.samples=3",
        "on_error.stop_above=0.5",
        "graders.rank.range=[0, 2]",
        "evaluate.metrics.listed=rank",
    ],
)
def test_hash_changes_with_everything_that_decides_the_run(spec: Path, override: str) -> None:
    assert plan_of(spec, override).hash != plan_of(spec).hash


def test_hash_changes_with_the_data_and_with_a_graders_source(spec: Path) -> None:
    first = plan_of(spec).hash
    edit(spec.parent / "ranking" / "train.jsonl", "sign 0", "sign 9")
    second = plan_of(spec).hash
    edit(spec.parent / "ranking" / "concise.py", "<= 3", "<= 4")
    third = plan_of(spec).hash
    edit(spec.parent / "ranking" / "outputs.jsonl", "by hand", "by machine")
    assert len({first, second, third, plan_of(spec).hash}) == 4


def test_control_and_seed_of_the_command_line_are_in_the_plan(spec: Path) -> None:
    plan = plan_of(spec, seed=3, control="shuffled-answers")
    assert plan.data.control == "shuffled-answers"
    assert plan.seed == 3
    assert plan.hash != plan_of(spec, seed=3).hash


def test_rows_taken_for_validation_are_whole_groups_and_leave_the_rest(spec: Path) -> None:
    edit(
        spec, "  validation: ranking/validation.jsonl", "  validation: { split: 7, by: item.gene }"
    )
    plan = plan_of(spec)
    validation = plan.data.validation
    assert validation is not None
    assert validation.indices is not None
    assert plan.data.train.indices is not None
    # Twelve genes of two rows each: seven rows cannot be met, six can.
    assert validation.rows == 6
    assert plan.data.train.rows == 18
    assert {i % 12 for i in validation.indices}.isdisjoint(i % 12 for i in plan.data.train.indices)


def test_few_rows_get_larger_groups_of_fewer_prompts(spec: Path) -> None:
    edit(spec, "  prompts_per_step: 4\n  samples_per_prompt: 4\n", "")
    train = plan_of(spec).train
    assert (train.prompts_per_step, train.samples_per_prompt) == (8, 16)


def test_epochs_become_steps(spec: Path) -> None:
    edit(spec, "  steps: 4\n", "  epochs: 2\n")
    plan = plan_of(spec)
    assert plan.train.steps == 12
    assert plan.reasons["train.steps"] == "derived: 2 epochs × 24 rows / 4 (ranking.yaml:43)"


def test_flat_response_format_is_made_into_the_nested_one(spec: Path) -> None:
    nested = plan_of(spec).response.format
    edit(spec, "    json_schema:\n      name: ranked_genes\n      schema:\n", FLAT)
    assert plan_of(spec).response.format == nested


def test_parameters_of_a_known_config_are_counted_exactly() -> None:
    shape = shape_of_config(QWEN_05B)
    assert shape is not None
    # Qwen2.5-0.5B has 494,032,768 weights, 27,648 of them attention biases.
    assert shape.parameters == 494_032_768 - 24 * (896 + 128 + 128)


def test_size_in_a_name_gives_a_shape_near_the_real_one() -> None:
    shape = shape_of("Qwen/Qwen2.5-1.5B-Instruct", None)
    assert shape is not None
    assert shape.parameters == 1_500_000_000
    assert shape_of("gpt2", None) is None


def _shape(parameters: int) -> ModelShape:
    return ModelShape(parameters, 256, 4, 8192, 256, 2048, "config.json", 1000)


def test_automatic_learning_rate_meets_its_anchors() -> None:
    assert learning_rate(_shape(3_400_000), 128).value == 1e-3
    assert learning_rate(_shape(1_500_000_000), 128).value == 5e-5
    assert learning_rate(_shape(14_000_000_000), 128).value == pytest.approx(2e-5, rel=0.25)
    assert learning_rate(None, 128).value == 5e-5


@given(st.integers(10**6, 10**11), st.integers(10**6, 10**11), st.integers(4, 2048))
def test_larger_models_never_learn_faster(one: int, other: int, batch: int) -> None:
    small, large = sorted((one, other))
    rates = [learning_rate(_shape(size), batch).value for size in (small, large)]
    assert rates[0] >= rates[1]
    assert all(1e-5 <= rate <= 1e-3 for rate in rates)


def test_plan_is_frozen(spec: Path) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan_of(spec).seed = 3  # type: ignore[misc]


def test_answers_longer_than_the_context_are_refused_at_their_place(spec: Path) -> None:
    folder = spec.parent / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**QWEN_05B, "max_position_embeddings": 64}))
    edit(spec, "builtin:case-reader", "./model")
    with pytest.raises(DiagnosticError) as caught:
        plan_of(spec)
    (found,) = caught.value.diagnostics
    assert found.code == "E506"
    assert found.path == "response.max_tokens"
    assert plan_of(spec, "response.max_tokens=63").response.max_tokens == 63


def test_folder_of_a_model_is_absolute_in_the_plan_and_its_place_does_not_count(
    spec: Path, tmp_path: Path
) -> None:
    folder = spec.parent / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(QWEN_05B))
    edit(spec, "builtin:case-reader", "./model")
    plan = plan_of(spec)
    assert Path(plan.model.base) == folder.resolve()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(spec.parent, elsewhere)
    assert plan_of(elsewhere / spec.name).hash == plan.hash


def test_four_times_the_batch_doubles_the_automatic_rate() -> None:
    shape = _shape(1_500_000_000)
    assert learning_rate(shape, 512).value == pytest.approx(2 * learning_rate(shape, 128).value)
