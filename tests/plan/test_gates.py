"""Gates: each opens, passes, warns or fails for its own reason, and says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rftspec.diagnostics import Diagnostic
from rftspec.plan.calibration import Calibration
from rftspec.plan.compile import compile_plan
from rftspec.plan.estimate import estimate
from rftspec.plan.gates import CODES, Evidence, Gate, extreme, gates
from rftspec.plan.gold import given_gold
from rftspec.plan.lengths import Lengths, Spread
from rftspec.plan.machine import shape_of_config
from rftspec.plan.memory import Prompts
from rftspec.plan.probe import Earned, Probe
from rftspec.spec.load import load_spec
from tests.plan.test_calibration import CPU, _measurement
from tests.plan.test_compile import QWEN_05B
from tests.spec.samples import copy_sample


def _spread(longest: int) -> Spread:
    return Spread(10, longest, longest, longest, float(longest), "")


def _probe(**changes: Any) -> Probe:
    earned = (
        Earned("gold", "the right answer", (1.0, 1.0), 0, 0.0, "x"),
        Earned("empty", "nothing at all", (0.0, 0.1), 0, 0.0, ""),
    )
    made = Probe(given_gold("{{ item.gene }}"), earned, (0.0, 1.0), (0, 1), (), ("A", 0.2))
    return replace(made, **changes)


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    plan = compile_plan(load_spec(copy_sample(tmp_path / "here")))
    lengths = Lengths({"train": _spread(30)}, _spread(20), "counted", exact=True, whole=True)
    needs = estimate(plan, shape_of_config(QWEN_05B), CPU, Prompts(30.0, 30), Calibration())
    return Evidence(plan, _probe(), ("A", 0.2), (), lengths, 4096, needs, None)


def _gate(evidence: Evidence, name: str) -> tuple[Gate, list[str]]:
    made, told = gates(evidence)
    return next(gate for gate in made if gate.name == name), [one.code for one in told]


def test_good_spec_passes_all_that_needs_no_model(evidence: Evidence) -> None:
    made, told = gates(evidence)
    assert told == []
    assert {gate.name: gate.status for gate in made} == {
        "gold answers": "pass", "lazy answers": "pass", "label balance": "pass",
        "prompt lengths": "pass", "answer lengths": "pass", "memory": "pass",
        "headroom": "open", "group signal": "open",
    }  # fmt: skip


def test_measured_spec_passes_all(evidence: Evidence) -> None:
    made, told = gates(replace(evidence, measurement=_measurement()))
    assert told == []
    assert all(gate.status == "pass" for gate in made)
    assert "0.500, between 0 and 1" in next(g.told for g in made if g.name == "headroom")


@pytest.mark.parametrize(
    ("rewards", "codes"),
    [
        (((0.0, 0.0), (0.0, 0.0)), ["W612", "W613"]),
        (((1.0, 1.0), (1.0, 1.0)), ["W612", "W613"]),
        (((0.9, 1.0), (1.0, 0.9)), ["W612"]),
        (((0.3, 0.3), (0.6, 0.6)), ["W613"]),
        (((0.3, 0.3), (0.6, 0.7)), []),
    ],
)
def test_base_rewards_at_an_extreme_or_without_spread_warn(
    rewards: tuple[tuple[float, ...], ...], codes: list[str], evidence: Evidence
) -> None:
    made, told = gates(replace(evidence, measurement=_measurement(rewards=rewards)))
    assert [one.code for one in told] == codes
    assert all(one.severity == "warning" and one.hint for one in told)
    assert [gate.code for gate in made if gate.code] == codes


def test_headroom_is_strictly_between_the_extremes() -> None:
    assert extreme(0.5, 0, 1, "it") is None
    assert "least" in (extreme(0.0, 0, 1, "it") or "")
    assert "most" in (extreme(1.0, 0, 1, "it") or "")
    assert "little is left" in (extreme(0.95, 0, 1, "it") or "")
    assert extreme(-0.5, -1, 0, "it") is None
    assert extreme(0.0, 0, 0, "it") is None  # a reward of one value is told elsewhere


def test_gold_answers_that_would_be_cut_warn(evidence: Evidence) -> None:
    long = replace(evidence, lengths=replace(evidence.lengths, gold=_spread(65)))
    gate, codes = _gate(long, "answer lengths")
    assert (gate.status, gate.code, codes) == ("warn", "W611", ["W611"])
    just = replace(evidence, lengths=replace(evidence.lengths, gold=_spread(64)))
    assert _gate(just, "answer lengths")[0].status == "pass"


def test_base_answers_that_are_cut_warn(evidence: Evidence) -> None:
    cut = replace(evidence, measurement=_measurement(truncated=0.5))
    gate, codes = _gate(cut, "answer lengths")
    assert (gate.status, codes) == ("warn", ["W615"])


def test_prompts_beyond_the_context_fail(evidence: Evidence) -> None:
    found = Diagnostic("M210", "too long")
    gate, _ = _gate(replace(evidence, found=(found,), context=50), "prompt lengths")
    assert (gate.status, gate.code) == ("fail", "M210")
    assert "more than the model's 50" in gate.told


def test_prompts_that_were_not_counted_leave_the_gate_open(evidence: Evidence) -> None:
    guessed = replace(evidence.lengths, exact=False, by="estimated")
    assert _gate(replace(evidence, lengths=guessed), "prompt lengths")[0].status == "open"
    assert _gate(replace(evidence, context=None), "prompt lengths")[0].status == "open"


def test_too_little_memory_warns_with_what_would_help(evidence: Evidence) -> None:
    small = replace(CPU, total=1 << 30)
    needs = replace(evidence.needs, device=small)
    made, told = gates(replace(evidence, needs=needs))
    assert [one.code for one in told] == ["W614"]
    assert "would need" in told[0].message or "smaller base model" in told[0].message
    assert next(gate for gate in made if gate.name == "memory").status == "warn"


@pytest.mark.parametrize(
    ("code", "name", "status"),
    [
        ("E602", "lazy answers", "fail"), ("W604", "lazy answers", "warn"),
        ("W605", "lazy answers", "warn"), ("W603", "gold answers", "warn"),
        ("W610", "label balance", "warn"),
    ],
)  # fmt: skip
def test_findings_of_the_probe_mark_their_gate(
    code: str, name: str, status: str, evidence: Evidence
) -> None:
    gate, _ = _gate(replace(evidence, found=(Diagnostic(code, "x"),)), name)
    assert (gate.status, gate.code) == (status, code)


def test_gold_answers_that_cannot_be_graded_or_are_unknown(evidence: Evidence) -> None:
    failing = Earned("gold", "the right answer", (0.0, 1.0), 1, 0.0, "x", "it raised")
    broken = _probe(earned=(failing, *_probe().earned[1:]))
    assert _gate(replace(evidence, probe=broken), "gold answers")[0].code == "E601"
    unknown = _probe(gold=None, earned=_probe().earned[1:])
    assert _gate(replace(evidence, probe=unknown), "gold answers")[0].code == "W609"


def test_graders_that_ask_a_model_leave_gates_open(evidence: Evidence) -> None:
    asking = replace(evidence, probe="not tried: `judge` asks a model", common=None)
    made, _ = gates(asking)
    by_name = {gate.name: gate for gate in made}
    assert by_name["gold answers"].told == "not tried: `judge` asks a model"
    assert {by_name[n].status for n in ("gold answers", "lazy answers", "label balance")} == {
        "open"
    }


def test_every_code_has_a_page_that_says_what_to_do() -> None:
    from rftspec.cli.pages import find_page

    for code, text in CODES.items():
        page = find_page(code)
        assert page is not None
        assert page.body == text
        assert len(text) > 120
