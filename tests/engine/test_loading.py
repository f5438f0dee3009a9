"""Opening an engine: NF4, adapters that peers can load, and one clear message when it fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rftspec.diagnostics import DiagnosticError
from rftspec.engine import load
from rftspec.engine.load import load_model
from rftspec.engine.local import LocalEngine
from rftspec.engine.problems import CODES
from rftspec.engine.quantize import dequantize, hold_exact_copy, quantize_nf4
from rftspec.engine.types import Prompt
from tests.engine.conftest import MESSAGES, make_plan
from tests.toy import make_toy_tokenizer

Toy = Callable[..., Path]


def four_bit(folder: Path) -> torch.nn.Module:
    """The model as anyone would load it in NF4 with transformers and bitsandbytes."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )
    return AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=config, dtype=torch.float32, device_map="cpu"
    )


def test_nf4_codes_are_those_of_transformers_own_loading(toy: Toy) -> None:
    theirs = dict(four_bit(toy()).named_modules())
    model = load_model(str(toy()), None, torch.float32)
    assert quantize_nf4(model, torch.float32) == 14
    for name, module in model.named_modules():
        if type(module).__name__ == "Linear4bit":
            assert torch.equal(module.weight.data, theirs[name].weight.data)
            assert torch.equal(dequantize(module), dequantize(theirs[name]))


def test_the_exact_copy_holds_the_dequantised_values_and_spares_the_head(toy: Toy) -> None:
    model = load_model(str(toy()), None, torch.float32)
    fresh = {n: p.clone() for n, p in model.named_parameters()}
    quantize_nf4(model, torch.float32)
    expected = {
        f"{n}.weight": dequantize(m)
        for n, m in model.named_modules()
        if type(m).__name__ == "Linear4bit"
    }
    hold_exact_copy(model)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, expected.get(name, fresh[name])), name
        assert name not in expected or not torch.equal(parameter, fresh[name]), name


def test_unquantised_models_keep_their_weights(toy: Toy) -> None:
    engine = LocalEngine.open(make_plan(toy(), quantization="none"))
    fresh = load_model(str(toy()), None, torch.float32)
    got = engine.wrapped.get_base_model().model.layers[1].mlp.up_proj.base_layer.weight
    assert torch.equal(got, fresh.model.layers[1].mlp.up_proj.weight)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # peft's own
@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_plain_peft_loads_the_adapter_and_says_the_same(
    toy: Toy, tmp_path: Path, family: str
) -> None:
    from peft import PeftModel

    engine = LocalEngine.open(make_plan(toy(family)))
    generator = torch.Generator().manual_seed(3)
    for parameter in engine.learner.parameters:
        parameter.data.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    engine.save_adapter(tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == str(toy(family))
    theirs = PeftModel.from_pretrained(four_bit(toy(family)), tmp_path)
    # in training mode bitsandbytes dequantises; its packed CPU kernel rounds to bfloat16
    theirs.train()
    prompts = [Prompt(engine.encode(m), ("test", 0, i)) for i, m in enumerate(MESSAGES)]
    ours = engine.sample(prompts, samples=1, temperature=0.0, max_tokens=12, policy="tuned")
    base = engine.sample(prompts, samples=1, temperature=0.0, max_tokens=12, policy="base")
    assert [g[0].text for g in ours] != [g[0].text for g in base]
    for prompt, (completion,) in zip(prompts, ours, strict=True):
        tokens = torch.tensor([prompt.tokens])
        with torch.no_grad():
            for _ in completion.tokens:
                following = theirs(input_ids=tokens).logits[:, -1].argmax(-1, keepdim=True)
                tokens = torch.cat([tokens, following], 1)
        assert tuple(tokens[0, len(prompt.tokens) :].tolist()) == completion.tokens


def test_adapters_of_one_seed_are_equal_and_leave_the_global_generator_alone(toy: Toy) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    engines = [LocalEngine.open(make_plan(toy(), seed=s)) for s in (0, 0, 1)]
    assert torch.equal(torch.rand(1), expected)
    first, again, other = ([p.detach() for p in e.learner.parameters] for e in engines)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_targets_choose_the_layers(toy: Toy) -> None:
    engine = LocalEngine.open(make_plan(toy(), lora_targets=("q_proj", "down_proj")))
    names = {n.split(".")[-4] for n, p in engine.wrapped.named_parameters() if p.requires_grad}
    assert engine.describe()["path"].startswith("lean")
    assert names <= {"q_proj", "down_proj", "self_attn", "mlp"}
    assert len(engine.learner.parameters) == 2 * 2 * 2


def broken(toy: Toy, folder: Path, what: str) -> Path:
    """A copy of the toy model with one thing wrong."""
    shutil.copytree(toy(), folder)
    if what == "no config":
        (folder / "config.json").unlink()
    if what == "no weights":
        (folder / "model.safetensors").unlink()
    if what == "cut weights":
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
    if what == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    if what == "bad tokenizer":
        (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    if what == "no template":
        shutil.rmtree(folder)
        shutil.copytree(toy(), folder)
        (folder / "chat_template.jinja").unlink()
        make_toy_tokenizer(folder, chat_template=False)
    if what == "no language model":
        text = '{"model_type": "vit", "architectures": ["ViTModel"]}'
        (folder / "config.json").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("no config", "M204"),
        ("no weights", "M204"),
        ("cut weights", "M204"),
        ("no tokenizer", "M205"),
        ("bad tokenizer", "M205"),
        ("no template", "M206"),
        ("no language model", "M207"),
    ],
)
def test_a_broken_model_folder_is_one_diagnostic(
    toy: Toy, tmp_path: Path, what: str, code: str
) -> None:
    with pytest.raises(DiagnosticError) as caught:
        LocalEngine.open(make_plan(broken(toy, tmp_path / "model", what)))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code, diagnostic
    assert diagnostic.hint
    assert "\n" not in diagnostic.message


@pytest.mark.parametrize(
    "base", ["builtin:none-such", "/no/such/folder", "./no/such", "some/hub/thing", "a b/c"]
)
def test_a_base_that_is_nowhere_is_said_at_once(base: str) -> None:
    with pytest.raises(DiagnosticError, match="M201"):
        LocalEngine.open(make_plan(base))


def test_an_unreachable_hub_is_said_without_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(load, "_answers", lambda endpoint: False)
    with pytest.raises(DiagnosticError, match=r"M201.*cannot be reached"):
        LocalEngine.open(make_plan("someone/some-model-not-cached"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("GatedRepoError", "M203"),
        ("RepositoryNotFoundError", "M202"),
        ("RevisionNotFoundError", "M202"),
        ("LocalEntryNotFoundError", "M201"),
    ],
)
def test_the_hubs_refusals_are_told_apart_by_their_causes(error: str, code: str) -> None:
    cause = type(error, (Exception,), {})("403")
    outer = OSError("You are trying to access a gated repo.\nMore lines.")
    outer.__cause__ = cause
    found = load._explained(outer, "a/b", "M204", "it cannot be read")
    assert isinstance(found, DiagnosticError)
    assert found.diagnostics[0].code == code


def test_targets_that_match_nothing_are_a_diagnostic(toy: Toy) -> None:
    with pytest.raises(DiagnosticError, match="M208"):
        LocalEngine.open(make_plan(toy(), lora_targets=("query_key_value",)))


def test_a_prompt_beyond_the_context_names_its_row(engine: LocalEngine) -> None:
    prompt = Prompt((5,) * 500, ("train", 3, 41))
    with pytest.raises(DiagnosticError, match=r"M210.*row 41 of train has 500"):
        engine.sample([prompt], samples=1, temperature=1.0, max_tokens=16, policy="base")


def test_a_chat_template_that_refuses_is_a_diagnostic(engine: LocalEngine) -> None:
    engine.tokenizer.chat_template = "{{ raise_exception('no system messages') }}"
    with pytest.raises(DiagnosticError, match=r"M214.*no system messages"):
        engine.encode([{"role": "system", "content": "x"}])


def test_encoding_equals_apply_chat_template(engine: LocalEngine) -> None:
    tokens = engine.encode(MESSAGES[0])
    text = engine.tokenizer.apply_chat_template(
        MESSAGES[0], add_generation_prompt=True, tokenize=False
    )
    assert engine.tokenizer.decode(tokens) == text


def test_every_code_has_a_page() -> None:
    assert all(len(page) > 40 for page in CODES.values())
    source = "".join(p.read_text(encoding="utf-8") for p in Path(load.__file__).parent.glob("*.py"))
    used = {code for code in CODES if source.count(f'"{code}"') > 1}
    assert used == set(CODES)
