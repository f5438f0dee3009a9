"""Memory and time: what the formulas follow from, and that counts are those of the run itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rftspec.plan.calibration import Calibration
from rftspec.plan.compile import compile_plan
from rftspec.plan.device import Device, find_device
from rftspec.plan.estimate import Needs, estimate
from rftspec.plan.machine import ModelShape, shape_of, shape_of_config
from rftspec.plan.memory import (
    CPU_ROWS,
    CUDA_ROWS,
    LEAN,
    Prompts,
    is_lean,
    memory_parts,
    peak,
)
from rftspec.plan.model import Plan, ReferencePlan
from rftspec.plan.model_files import files_of
from rftspec.plan.quantities import bytes_told, percent, seconds_told, signed
from rftspec.plan.work import completions, phases
from rftspec.run.program import program
from rftspec.run.rows import read_splits
from rftspec.spec.load import load_spec
from tests.plan.test_compile import QWEN_05B
from tests.spec.samples import copy_sample, edit

CPU = Device("cpu", "a processor", 32 << 30, 30 << 30, 8e10, 2e10)
CARD = Device("cuda", "a card", 80 << 30, 79 << 30, 1e14, 1e12)
SMALL_CARD = Device("cuda", "a small card", 8 << 30, 1 << 30, 1e13, 1e11)
PROMPTS = Prompts(100.0, 200)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "here")


def _plan(spec: Path, *overrides: str) -> Plan:
    return compile_plan(load_spec(spec, overrides=overrides))


def _qwen() -> ModelShape:
    shape = shape_of_config({**QWEN_05B, "model_type": "qwen2"})
    assert shape is not None
    return shape


def _needs(plan: Plan, device: Device = CPU, prompts: Prompts = PROMPTS, **known: float) -> Needs:
    return estimate(plan, _qwen(), device, prompts, Calibration(**known))  # type: ignore[arg-type]


VOTE = ReferencePlan("vote", "vote", None, 8, "1", None)


@pytest.mark.parametrize("drop", [(), ("test",), ("validation",), ("test", "validation")])
@pytest.mark.parametrize("vote", [False, True])
@pytest.mark.parametrize("every", [1, 2, 3, 4, 9])
def test_work_is_the_work_of_the_runs_program(
    drop: tuple[str, ...], vote: bool, every: int, spec: Path
) -> None:
    """Phase by phase: what is estimated is what is done."""
    plan = _plan(spec, f"evaluate.every={every}")
    data = replace(plan.data, **dict.fromkeys(drop))
    evaluate = replace(plan.evaluate, references=(VOTE,) if vote else ())
    plan = replace(plan, data=data, evaluate=evaluate)
    units = program(plan, read_splits(plan.data, plan.seed))
    wanted = {
        "base": sum(u.completions for u in units if u.kind == "measure" and u.model == "base"),
        "train": sum(u.completions for u in units if u.kind == "step"),
        "validate": sum(u.completions for u in units if u.kind == "checkpoint"),
        "tuned": sum(u.completions for u in units if u.kind == "measure" and u.model == "tuned"),
    }
    found = {phase.name: phase.completions for phase in phases(plan)}
    assert found == {name: count for name, count in wanted.items() if count}
    assert completions(plan) == sum(wanted.values())


def test_adapter_and_optimizer_are_counted_exactly(spec: Path) -> None:
    plan = _plan(spec)
    folder = files_of("builtin:case-reader", None)
    assert folder is not None
    shape = shape_of("builtin:case-reader", folder)
    assert shape is not None
    parts = {part.name: part for part in memory_parts(plan, shape, CPU, PROMPTS)}
    # 4 layers: q, k, v, o of 256 × 256 and gate, up, down between 256 and 640; rank 16
    weights = 4 * 16 * (4 * (256 + 256) + 3 * (256 + 640))
    assert weights == 303_104  # what `engine.describe()` counts
    assert parts["adapter"].bytes == 4 * weights
    assert parts["optimizer"].bytes == 12 * weights


def test_each_part_grows_with_what_it_is_made_of(spec: Path) -> None:
    def parts(*overrides: str, prompts: Prompts = PROMPTS) -> dict[str, int]:
        found = memory_parts(_plan(spec, *overrides), _qwen(), CPU, prompts)
        return {part.name: part.bytes for part in found}

    plain = parts()
    assert parts("model.lora.rank=32")["adapter"] == 2 * plain["adapter"]
    assert parts("model.lora.rank=32")["optimizer"] == 2 * plain["optimizer"]
    assert parts("response.max_tokens=128")["kv cache"] > 1.3 * plain["kv cache"]
    assert parts("train.prompts_per_step=8")["kv cache"] > plain["kv cache"]
    assert parts(prompts=Prompts(100, 400))["kv cache"] > plain["kv cache"]
    assert parts("train.prompts_per_step=8")["sampling logits"] == 2 * plain["sampling logits"]
    assert parts(prompts=Prompts(100, 900))["activations"] > plain["activations"]
    assert parts("train.optimizer=adamw_8bit")["optimizer"] < plain["optimizer"]


def test_sampling_and_learning_take_turns_in_the_memory(spec: Path) -> None:
    parts = memory_parts(_plan(spec), _qwen(), CPU, PROMPTS)
    by_time = dict.fromkeys(("always", "sampling", "learning"), 0)
    for part in parts:
        by_time[part.when] += part.bytes
    assert min(by_time.values()) > 0
    assert peak(parts) == by_time["always"] + max(by_time["sampling"], by_time["learning"])


def test_base_takes_what_the_engine_holds_of_it(spec: Path) -> None:
    shape, size = _qwen(), _qwen().parameters

    def base(plan: Plan, device: Device) -> int:
        found = {part.name: part.bytes for part in memory_parts(plan, shape, device, PROMPTS)}
        return found["base"]

    nf4, plain = _plan(spec), _plan(spec, "model.quantization=none")
    assert base(plain, CPU) == base(nf4, CPU) == 4 * size  # a CPU computes in 32 bits
    assert base(plain, CARD) == base(nf4, CARD) == 2 * size  # the copy fits
    assert base(nf4, SMALL_CARD) < size < base(plain, SMALL_CARD)


def test_lean_path_is_foreseen_as_the_engine_takes_it(spec: Path) -> None:
    from rftspec.engine.lean import FAMILIES

    plan, shape = _plan(spec), _qwen()
    assert LEAN - {""} == FAMILIES
    assert is_lean(plan, shape, CPU)
    assert is_lean(plan, shape, CARD)
    assert not is_lean(plan, shape, SMALL_CARD)  # its weights stay in NF4
    assert not is_lean(plan, replace(shape, family="gpt_neox"), CPU)
    slow, fast = _needs(plan).seconds, estimate(
        plan, replace(shape, family="gpt_neox"), CPU, PROMPTS, Calibration()
    ).seconds  # fmt: skip
    assert slow is not None
    assert fast is not None
    assert fast > slow


def test_limits_of_memory_are_the_engines_own() -> None:
    """The estimate counts with the engine's numbers, not with some of its own."""
    from rftspec.engine import local, loss, plain, sampler
    from rftspec.plan import memory

    assert (sampler._CPU_ROWS, sampler._CUDA_ROWS, plain._ROWS) == (
        CPU_ROWS, CUDA_ROWS, memory.PLAIN_ROWS,
    )  # fmt: skip
    assert (local._CPU_TOKENS, local._CUDA_TOKENS, local._PLAIN_TOKENS) == (
        memory.CPU_TOKENS, memory.CUDA_TOKENS, memory.PLAIN_TOKENS,
    )  # fmt: skip
    assert local._CPU_KV_BYTES == memory.CPU_CACHE
    assert (loss.KEPT_ELEMENTS, loss.CHUNK_ELEMENTS) == (memory.KEPT_LOGITS, memory.CHUNK_LOGITS)


def test_time_grows_with_steps_answers_and_the_model(spec: Path) -> None:
    plain = _needs(_plan(spec)).seconds or 0
    assert (_needs(_plan(spec, "train.steps=8")).seconds or 0) > plain
    assert (_needs(_plan(spec, "response.max_tokens=128")).seconds or 0) > plain
    assert (_needs(_plan(spec), CARD).seconds or 0) < plain
    assert (_needs(_plan(spec), answer_tokens=10.0).seconds or 0) < plain


def test_phases_sum_to_the_whole(spec: Path) -> None:
    needs = _needs(_plan(spec))
    assert needs.times is not None
    assert needs.seconds == needs.opening + sum(time.seconds for time in needs.times)
    learning = [time.phase.name for time in needs.times if time.learning]
    assert learning == ["train"]
    told = needs.to_json()
    assert [phase["name"] for phase in told["time"]["phases"]] == [
        "base", "train", "validate", "tuned",
    ]  # fmt: skip
    assert "upper bound" in told["time"]["answer_tokens_from"]


def test_calibration_scales_what_it_measured(spec: Path) -> None:
    plan = _plan(spec)
    plain, scaled = _needs(plan), _needs(plan, sampling=2.0, learning=3.0, memory=1.5, opening=4.0)
    assert plain.times is not None
    assert scaled.times is not None
    for before, after in zip(plain.times, scaled.times, strict=True):
        assert after.sampling == pytest.approx(2 * before.sampling)
        assert after.learning == pytest.approx(3 * before.learning)
    assert scaled.opening == 4.0
    assert scaled.bytes == pytest.approx(1.5 * (plain.bytes or 0), rel=1e-6)


def test_what_does_not_fit_with_a_tenth_to_spare_does_not_fit(spec: Path) -> None:
    needs = _needs(_plan(spec))
    assert needs.fits
    tight = replace(CPU, total=round((needs.bytes or 0) * 1.05))
    assert _needs(_plan(spec), tight).fits is False
    assert _needs(_plan(spec), replace(CPU, total=None)).fits is None


def test_unknown_models_have_no_needs(spec: Path) -> None:
    needs = estimate(_plan(spec), None, CPU, PROMPTS, Calibration())
    assert (needs.bytes, needs.seconds, needs.fits, needs.disk) == (None, None, None, None)
    assert needs.to_json()["memory"] is None


def test_cached_config_gives_context_and_memory_but_not_the_learning_rate(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan must stay the same when its model has been downloaded meanwhile."""
    import json

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    edit(spec, "builtin:case-reader", "some/model-7B")
    before = _plan(spec)
    folder = tmp_path / "hub" / "models--some--model-7B" / "snapshots" / "main"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**QWEN_05B, "model_type": "qwen2"}))
    assert _plan(spec).hash == before.hash
    shape = shape_of("some/model-7B", files_of("some/model-7B", None))
    assert shape is not None
    assert shape.context == 32_768


def test_this_machine_is_known() -> None:
    device = find_device("cpu")
    assert device.kind == "cpu"
    assert device.total is not None
    assert device.free is not None
    assert 0 < device.free <= device.total
    assert device.key.startswith("cpu:")
    assert find_device("cpu").key == device.key


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (bytes_told(999), "1 kB"), (bytes_told(12.4e6), "12 MB"), (bytes_told(1.44e9), "1.4 GB"),
        (seconds_told(59.6), "1 m 00 s"), (seconds_told(7), "7 s"), (seconds_told(190), "3 m 10 s"),
        (seconds_told(6600), "1 h 50 m"), (seconds_told(86400 * 3 + 7200), "3 d 2 h"),
        (percent(0.172), "17 %"), (percent(0.012), "1.2 %"), (percent(0), "0 %"),
        (signed(-0.136), "−14 %"), (signed(0.028), "+2.8 %"),
    ],
)  # fmt: skip
def test_quantities_read_well(told: str, wanted: str) -> None:
    assert told == wanted
