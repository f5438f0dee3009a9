"""Variants of LoRA, patterns of targets, and training that goes on with a saved adapter."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from rftspec.diagnostics import DiagnosticError
from rftspec.engine import adapter
from rftspec.engine.local import LocalEngine
from rftspec.spec.adapters import read_adapter
from tests.engine.conftest import make_plan
from tests.engine.test_exactness import stir
from tests.engine.test_learning import adapter_bytes, groups_of

Toy = Callable[..., Path]


def texts(engine: LocalEngine) -> list[str]:
    return [c.text for g in groups_of(engine, 1) for c in g.completions]


@pytest.mark.parametrize(("variant", "path"), [("rslora", "lean"), ("dora", "transformers'")])
def test_a_variant_is_in_the_config_and_sampler_and_learner_agree(
    toy: Toy, tmp_path: Path, variant: str, path: str
) -> None:
    engine = LocalEngine.open(make_plan(toy(), lora_variant=variant))
    assert engine.describe()["path"].startswith(path)
    stir(engine)
    metrics = engine.learn(groups_of(engine, 1), step=1)
    assert metrics["logprob_mismatch_max"] <= 1e-5
    engine.save_adapter(tmp_path / "saved")
    config = json.loads((tmp_path / "saved" / "adapter_config.json").read_text())
    assert (config["use_rslora"], config["use_dora"]) == (variant == "rslora", variant == "dora")
    assert read_adapter(tmp_path / "saved").variant == variant


def test_rslora_scales_by_the_root_of_the_rank(toy: Toy) -> None:
    engine = LocalEngine.open(make_plan(toy(), lora_variant="rslora"))
    layers = [m for m in engine.wrapped.modules() if hasattr(m, "lora_A")]
    scales = {m.scaling["default"] for m in layers}
    assert scales == {8.0 / 4**0.5}


def test_a_pattern_picks_layers_by_their_whole_names(toy: Toy) -> None:
    targets = ("layers.0.self_attn.*", "layers.1.*.down_proj", "gate_proj")
    engine = LocalEngine.open(make_plan(toy(), lora_targets=targets))
    found = {
        n.split(".lora_")[0].split("layers.")[1] for n, _ in adapter.parameters(engine.wrapped)
    }
    attention = {f"0.self_attn.{x}_proj" for x in "qkvo"}
    assert found == attention | {"1.mlp.down_proj", "0.mlp.gate_proj", "1.mlp.gate_proj"}


@pytest.mark.parametrize("target", ["layers.9.*", "nothing", "*lm_head"])
def test_targets_that_match_nothing_are_a_diagnostic(toy: Toy, target: str) -> None:
    with pytest.raises(DiagnosticError, match="M208"):
        LocalEngine.open(make_plan(toy(), lora_targets=(target,)))


def test_training_goes_on_with_an_adapter_of_ours(toy: Toy, tmp_path: Path) -> None:
    first = LocalEngine.open(make_plan(toy()))
    first.learn(groups_of(first, 1), step=1)
    first.save_adapter(tmp_path / "saved")
    second = LocalEngine.open(make_plan(toy(), adapter=str(tmp_path / "saved"), lora_rank=99))
    assert adapter_bytes(second) == adapter_bytes(first)
    assert texts(second) == texts(first)
    base = LocalEngine.open(make_plan(toy()))
    prompt = [g.prompt for g in groups_of(base, 1)]
    how = {"samples": 2, "temperature": 1.0, "max_tokens": 8, "policy": "base"}
    assert second.sample(prompt, **how)[0][0].tokens == base.sample(prompt, **how)[0][0].tokens
    second.learn(groups_of(second, 2), step=1)
    assert adapter_bytes(second) != adapter_bytes(first)
    second.save_state(tmp_path / "state")
    third = LocalEngine.open(make_plan(toy(), adapter=str(tmp_path / "saved")))
    third.load_state(tmp_path / "state")
    assert adapter_bytes(third) == adapter_bytes(second)


def test_training_goes_on_with_an_adapter_that_plain_peft_has_saved(
    toy: Toy, tmp_path: Path
) -> None:
    model = AutoModelForCausalLM.from_pretrained(toy())
    config = LoraConfig(r=3, lora_alpha=5, target_modules=r".*\.(q|v)_proj", lora_dropout=0.1,
                        task_type="CAUSAL_LM")  # fmt: skip
    with warnings.catch_warnings():  # peft asks transformers by a name that it has renamed
        warnings.simplefilter("ignore", FutureWarning)
        made = get_peft_model(model, config)
    for name, parameter in made.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    made.save_pretrained(tmp_path / "theirs")
    saved = read_adapter(tmp_path / "theirs")
    assert (saved.rank, saved.alpha, saved.variant) == (3, 5.0, "lora")
    engine = LocalEngine.open(make_plan(toy(), adapter=str(tmp_path / "theirs")))
    assert engine.slow_because is None
    assert engine.learn(groups_of(engine, 1), step=1)["logprob_mismatch_max"] <= 1e-5
    engine.save_adapter(tmp_path / "ours")
    assert read_adapter(tmp_path / "ours").rank == 3


def test_an_adapter_of_another_model_is_a_diagnostic(toy: Toy, tmp_path: Path) -> None:
    LocalEngine.open(make_plan(toy("llama", hidden_size=32))).save_adapter(tmp_path / "saved")
    with pytest.raises(DiagnosticError, match="M212"):
        LocalEngine.open(make_plan(toy(), adapter=str(tmp_path / "saved")))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "adapter_config.json` is missing"),
        ({"adapter_config.json": "{}"}, "adapter_model.safetensors` is missing"),
        ({"adapter_config.json": "[1", "adapter_model.bin": ""}, "no readable"),
        ({"adapter_config.json": "[]", "adapter_model.bin": ""}, "no readable"),
        ({"adapter_config.json": '{"peft_type": "IA3"}', "adapter_model.bin": ""}, "kind IA3"),
    ],
)
def test_a_folder_that_holds_no_lora_says_so(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        read_adapter(tmp_path)
