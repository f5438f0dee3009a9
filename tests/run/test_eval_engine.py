"""Saved adapters, ours and others', answer as peft itself says that they do."""

from __future__ import annotations

import warnings

import pytest
import torch

from rftspec.diagnostics import DiagnosticError
from rftspec.engine.local import LocalEngine
from rftspec.engine.saved import open_saved
from rftspec.engine.types import Prompt
from tests.engine.conftest import MESSAGES, make_plan
from tests.toy import make_toy_model

LENGTH = 12


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_toy_model(tmp_path_factory.mktemp("base"), "llama")


def save_adapter(base, folder, config):
    """An adapter of peft's own making with weights that move the answers."""
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = get_peft_model(model, config)
    torch.manual_seed(1)
    for parameter in wrapped.parameters():
        if parameter.requires_grad:
            parameter.data += 0.2 * torch.randn_like(parameter)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped.save_pretrained(folder)
    return folder


def greedy(engine, policy="tuned"):
    prompts = [Prompt(engine.encode(m), ("test", 0, n)) for n, m in enumerate(MESSAGES)]
    groups = engine.sample(prompts, samples=1, temperature=0.0, max_tokens=LENGTH, policy=policy)
    return [list(group[0].tokens) for group in groups]


def greedy_of_peft(base, folder, prompts):
    """The same answers by transformers and peft alone."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = PeftModel.from_pretrained(model, folder).eval()
    found = []
    for tokens in prompts:
        tokens = list(tokens)
        start = len(tokens)
        while len(tokens) < start + LENGTH:
            with torch.no_grad():
                logits = model(torch.tensor([tokens])).logits[0, -1]
            tokens.append(int(logits.argmax()))
            if tokens[-1] == 1:  # the toy's end of turn
                break
        found.append(tokens[start:])
    return found


def lora(**changes):
    from peft import LoraConfig

    return LoraConfig(
        **{"r": 4, "task_type": "CAUSAL_LM", "target_modules": "all-linear", **changes}
    )


def ia3():
    from peft import IA3Config

    return IA3Config(
        task_type="CAUSAL_LM",
        target_modules=["k_proj", "v_proj", "down_proj"],
        feedforward_modules=["down_proj"],
    )


KINDS = {
    "plain": (lambda: lora(), True),
    "another rank, few modules": (lambda: lora(r=9, target_modules=["q_proj", "up_proj"]), True),
    "rank-stabilised": (lambda: lora(use_rslora=True, lora_alpha=16), True),
    "ranks by pattern": (lambda: lora(rank_pattern={"q_proj": 2}, lora_alpha=3), True),
    "one layer": (lambda: lora(target_modules=["q_proj"], layers_to_transform=[1]), True),
    "DoRA": (lambda: lora(use_dora=True), False),
    "biases": (lambda: lora(lora_bias=True), False),
    "whole modules": (lambda: lora(modules_to_save=["lm_head"]), False),
    "IA3": (ia3, False),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_adapter_of_others_answers_as_peft_says(base, tmp_path, kind):
    config, lean = KINDS[kind]
    folder = save_adapter(base, tmp_path / "adapter", config())
    engine = open_saved(make_plan(base, quantization="none"), folder)
    assert (engine.slow_because is None) == lean
    prompts = [engine.encode(m) for m in MESSAGES]
    assert greedy(engine) == greedy_of_peft(base, folder, prompts)
    assert greedy(engine) != greedy(engine, "base")


def test_own_adapter_samples_as_in_its_run(base, tmp_path):
    plan = make_plan(base)
    engine = LocalEngine.open(plan)
    torch.manual_seed(2)
    for parameter in engine.learner.parameters:
        parameter.data += 0.1 * torch.randn_like(parameter)
    engine.save_adapter(tmp_path / "adapter")
    prompts = [Prompt(engine.encode(m), ("test", 0, n)) for n, m in enumerate(MESSAGES)]

    def sampled(one):
        groups = one.sample(prompts, samples=3, temperature=1.0, max_tokens=LENGTH, policy="tuned")
        return [completion.tokens for group in groups for completion in group]

    assert sampled(open_saved(plan, tmp_path / "adapter")) == sampled(engine)


def test_adapter_of_another_model_is_refused(base, tmp_path):
    other = make_toy_model(tmp_path / "other", "llama", hidden_size=32, num_attention_heads=2)
    folder = save_adapter(other, tmp_path / "adapter", lora())
    with pytest.raises(DiagnosticError, match="M212"):
        open_saved(make_plan(base, quantization="none"), folder)


def test_prompt_tuning_is_refused(base, tmp_path):
    from peft import PromptTuningConfig

    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    folder = save_adapter(base, tmp_path / "adapter", config)
    with pytest.raises(DiagnosticError, match="M216"):
        open_saved(make_plan(base), folder)


@pytest.mark.parametrize("damage", ["config", "weights"])
def test_damaged_adapter_is_told(base, tmp_path, damage):
    folder = save_adapter(base, tmp_path / "adapter", lora())
    name = {"config": "adapter_config.json", "weights": "adapter_model.safetensors"}[damage]
    (folder / name).write_bytes(b"{")
    with pytest.raises(DiagnosticError, match="M212"):
        open_saved(make_plan(base), folder)
