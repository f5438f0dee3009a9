"""Codes of runs, models, probes and health rules: each made to happen, its message held (golden).

Codes whose mistake stands in a spec are in tests/spec/test_messages.py, with an example each, and
in tests/spec/test_special_messages.py. Those of `rftspec import` are in tests/spec/test_imports.py.
"""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any

import pytest

from rftspec.cli.text import render_all
from rftspec.diagnostics import Diagnostic
from rftspec.plan.model import Plan
from rftspec.plan.probe_findings import findings
from rftspec.record import commit as commit_module
from rftspec.record.events import best
from rftspec.record.folder import Record
from rftspec.record.writer import RecordWriter
from tests.cli.grader_mistakes import GRADERS
from tests.cli.model_mistakes import MODELS, Found, Make, said
from tests.data import test_phenopackets as packets
from tests.plan.test_probe import RANK, rows, tried
from tests.run.runs import small_plan
from tests.spec.samples import copy_sample, edit
from tests.spec.test_messages import check_golden

# --- the record


def _held(folder: Path, _: pytest.MonkeyPatch) -> Found:
    (folder / "run").mkdir()
    (folder / "run" / "letter.txt").write_text("dear")
    return said(lambda: RecordWriter.create(folder / "run", small_plan(folder)))


def _not_writable(folder: Path, _: pytest.MonkeyPatch) -> Found:
    (folder / "file").write_text("")
    return said(lambda: RecordWriter.create(folder / "file" / "run", small_plan(folder)))


def _full(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    plan = small_plan(folder)
    patch.setattr(commit_module.os, "fsync", refuse)
    return said(lambda: RecordWriter.create(folder / "run", plan))


def _no_run(folder: Path, _: pytest.MonkeyPatch) -> Found:
    return said(lambda: Record.open(folder / "run"))


def _all_damaged(folder: Path, _: pytest.MonkeyPatch) -> Found:
    with RecordWriter.create(folder / "run", small_plan(folder)) as writer:
        writer.event(best(1, None))
        writer.commit(1)
    (folder / "run" / "events.jsonl").write_text("")
    return said(lambda: RecordWriter.resume(folder / "run"))


def _in_use(folder: Path, _: pytest.MonkeyPatch) -> Found:
    with RecordWriter.create(folder / "run", small_plan(folder)):
        return said(lambda: RecordWriter.resume(folder / "run"))


def _data_changed(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.run.rows import read_splits

    plan = small_plan(folder)
    with Path(plan.data.train.path).open("a") as file:
        file.write('{"messages": []}\n')
    return said(lambda: read_splits(plan.data, plan.seed))


def _outputs(folder: Path, text: str | None) -> Found:
    from rftspec.run.outputs import check_outputs
    from rftspec.run.rows import read_splits

    plan = small_plan(folder)
    told = read_splits(plan.data, plan.seed)
    path = Path(str(plan.evaluate.references[0].path))
    path.unlink() if text is None else path.write_text(text + "\n")
    return said(lambda: check_outputs(plan, told.of(told.headline)))


def _another_evaluation(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.record.evaluations import EvalWriter
    from tests.run.evaluations import head

    plan = small_plan(folder)
    EvalWriter.open(folder / "eval", head(plan)).__exit__(None, None, None)
    return said(lambda: EvalWriter.open(folder / "eval", head(plan, samples=3)))


def _no_adapter(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.run.candidate import adapter_subject

    (folder / "adapter").mkdir()
    return said(lambda: adapter_subject(folder / "adapter"))


# --- data and plans


def _cases(folder: Path, what: str) -> Found:
    source = folder / "cases"
    if what == "no archive":
        source.write_text("not a zip")
    else:
        packets.folder(source, packets.plain_packets(genes=1 if what == "too few" else 9))
    if what == "no folder":
        (folder / "out").write_text("here first")
    return said(lambda: packets.run(source, folder / "out"))


def _too_long(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from tests.plan.test_compile import QWEN_05B, plan_of

    spec = copy_sample(folder)
    (folder / "model").mkdir()
    config = {**QWEN_05B, "max_position_embeddings": 64}
    (folder / "model" / "config.json").write_text(json.dumps(config))
    edit(spec, "builtin:case-reader", "./model")
    return said(lambda: plan_of(spec))


def _plan(folder: Path, *overrides: str) -> Plan:
    from rftspec.plan.compile import compile_plan
    from rftspec.spec.load import load_spec

    spec = folder / "ranking.yaml"
    return compile_plan(
        load_spec(spec if spec.exists() else copy_sample(folder), overrides=overrides)
    )


def _other_plan(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.cli.planning import refuse_other_plan

    there, plan = _plan(folder), _plan(folder, "train.steps=8", "train.kl=0.01")
    return said(lambda: refuse_other_plan(plan, there, Path("runs/ranking"), "unfinished"))


def _saved(folder: Path, content: str) -> Found:
    from rftspec.plan.saved import read_saved

    (folder / "plan.json").write_text(content)
    return said(lambda: read_saved(Path("plan.json")))


def _changed_plan(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.cli.planning import plan_of
    from rftspec.plan.saved import save_plan

    save_plan(_plan(folder), Path("plan.json"))
    return said(lambda: plan_of(Path("plan.json"), seed=3))


def _drifted(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.plan.saved import refuse_drift

    plan = _plan(folder)
    (folder / "ranking" / "test.jsonl").unlink()
    return said(lambda: refuse_drift(plan, Path("plan.json"), "rftspec plan ranking.yaml"))


def _lock(folder: Path, content: str | None) -> Found:
    from rftspec.plan.lock import read_lock

    if content is not None:
        (folder / "ranking.lock").write_text(content)
    return said(lambda: read_lock(Path("ranking.lock"), "rftspec plan ranking.yaml --lock"))


def _lock_of_a_model_never_seen(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.plan.lock import _refuse_unknown_models

    plan = _plan(folder, "model.base=owner/never-seen")
    return said(lambda: _refuse_unknown_models(plan, {}))


def _not_as_locked(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.plan.difference import plan_changes
    from rftspec.plan.lock import refuse_changes

    found = plan_changes(_plan(folder), _plan(folder, "train.steps=8"))
    again = "rftspec plan ranking.yaml --lock"
    return said(lambda: refuse_changes(found, Path("ranking.lock"), again))


# --- gates


def _gate(name: str, folder: Path, **facts: Any) -> Found:
    """What one gate says of a sample plan and of what was measured."""
    from types import SimpleNamespace

    from rftspec.plan import gates

    told: list[Diagnostic] = []
    measured = {"truncated": 0.0, "answer_tokens": 40.0, "mean": 0.5, "errors": 0.0, "flat": 0.0}
    measured |= {"samples": 4, "rows": (0, 1), "rewards": ((0.0, 1.0),) * 8}
    found = SimpleNamespace(**{**measured, **facts})
    needs = SimpleNamespace(
        bytes=30 << 30, fits=False, shape=None, device=SimpleNamespace(total=24 << 30, kind="cuda")
    )
    gold = SimpleNamespace(longest=facts.get("gold", 20))
    lengths = SimpleNamespace(gold=gold, exact=True)
    evidence = SimpleNamespace(
        plan=_plan(folder), measurement=found, needs=needs, lengths=lengths, context=512
    )
    getattr(gates, name)(evidence, told)
    return told


# --- health


def _fired(folder: Path, code: str, trace: list[dict[str, float | None]]) -> Found:
    from tests.run.test_health import fired

    found = [one for one in fired(small_plan(folder), trace) if one[0] == code]
    return [Diagnostic(c, f"{told} (step {step})", severity="warning") for c, step, told in found]


def _nothing_to_climb(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.run.headroom import before_training
    from rftspec.run.history import History

    history = History()
    where = {"model": "base", "split": "validation", "step": 0, "rows": 4, "samples": 8}
    history.take("evaluation", {**where, "metrics": {"reward": 0.0}})
    event = before_training(history, small_plan(folder))
    assert event is not None
    return [Diagnostic(event.fields["code"], event.fields["message"], severity="warning")]


FLAT = {"groups_no_signal_share": 1.0, "groups_all_wrong_share": 1.0}
MISMATCH = {"mismatch_beyond_bound_share": 1.0, "logprob_mismatch_max": 0.5}


# --- probes


def _probed(code: str, expression: str, items: Any = None, **more: Any) -> Found:
    return [one for one in findings(tried(expression, items, **more)) if one.code == code][:1]


def _dice(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.graders.score import Graded
    from rftspec.plan.probe import probe
    from tests.plan.test_probe import FORM

    class Dice:
        reward_range = (0.0, 1.0)
        calls = 0

        def grade(self, samples: Any, items: Any) -> Any:
            self.calls += 1
            return [Graded(0.5 + 0.01 * self.calls) for _ in samples]

    return [one for one in findings(probe(Dice(), rows(), FORM)) if one.code == "W606"]


LISTED = "has(rank_of(item.gene, sample.output_json.genes))"
FAILS = f"({RANK}) / (1 - (if {LISTED} then 1 else 0))"


CASES: dict[str, Make] = {
    **MODELS,
    **GRADERS,
    "R401": _held,
    "R402": _not_writable,
    "R403": _full,
    "R404": _no_run,
    "R405": _all_damaged,
    "R406": _in_use,
    "R407": _data_changed,
    "R408": lambda folder, _: _outputs(folder, '{"id": "test-100"}'),
    "R409": lambda folder, _: _outputs(folder, None),
    "E230": lambda folder, _: _cases(folder, "no archive"),
    "E231": lambda folder, _: _cases(folder, "too few"),
    "E232": lambda folder, _: _cases(folder, "no folder"),
    "E506": _too_long,
    "E601": lambda *_: _probed("E601", FAILS, gold={"why": "x", "genes": ["{{ item.gene }}"]}),
    "E602": lambda *_: _probed("E602", "if has(sample.output_json) then 1 else 0"),
    "W603": lambda *_: _probed("W603", f"0.8 * ({RANK})"),
    "W604": lambda *_: _probed(
        "W604", f"0.3 * ({RANK}) + (if has(sample.output_json) then 0.7 else 0)"
    ),
    "W605": lambda *_: _probed("W605", f'if item.gene == "GENEA" then 0.4 else ({RANK})'),
    "W611": lambda folder, _: _gate("_answers", folder, gold=80),
    "W612": lambda folder, _: _gate("_headroom", folder, mean=0.0),
    "W613": lambda folder, _: _gate("_signal", folder, flat=0.875),
    "W614": lambda folder, _: _gate("_memory", folder),
    "W615": lambda folder, _: _gate("_answers", folder, truncated=0.75),
    "W606": _dice,
    "W607": lambda *_: _probed("W607", f"if {LISTED} then 1 else 0"),
    "W608": lambda *_: _probed("W608", "if contains(sample.output_text, item.gene) then 1 else 0"),
    "W609": lambda *_: _probed(
        "W609",
        "if sample.output_text == 'secret' then 1 else 0",
        [{**row, "gene": "?"} for row in rows()],
    ),
    "W610": lambda *_: _probed("W610", RANK, rows("AAAAAB")),
    "R410": _other_plan,
    "R411": lambda folder, _: _saved(folder, '{"format": "plan/1", '),
    "R412": _changed_plan,
    "R413": _another_evaluation,
    "R414": _no_adapter,
    "R418": _drifted,
    "R419": lambda folder, _: _lock(folder, None),
    "R415": lambda folder, _: _lock(folder, "lock = 1\nplan =\n"),
    "R416": _lock_of_a_model_never_seen,
    "R417": _not_as_locked,
    "H0": _nothing_to_climb,
    "H1": lambda folder, _: _fired(folder, "H1", [FLAT] * 10),
    "H2": lambda folder, _: _fired(folder, "H2", [{"truncated_share": 0.95}]),
    "H3": lambda folder, _: _fired(
        folder, "H3", [{"train_error_share": 0.02, "train_other_error_count": 3.0}]
    ),
    "H4": lambda folder, _: _fired(
        folder, "H4", [{"completion_tokens_mean": 40.0 + 6 * n} for n in range(20)]
    ),
    "H9": lambda folder, _: _fired(folder, "H9", [{"grad_norm": None}]),
    "H10": lambda folder, _: _fired(folder, "H10", [MISMATCH] * 10),
}


@pytest.mark.parametrize("code", CASES)
def test_mistake_gives_its_code_and_its_golden_message(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rftspec.cli.console.how_to_call", lambda: "rftspec")
    monkeypatch.chdir(tmp_path)
    found = CASES[code](tmp_path, monkeypatch)
    assert [one.code for one in found] == [code]
    hashed = re.sub(r"(ranking-)[0-9a-f]{6}", r"\1HASH", render_all(found))
    check_golden(code, hashed, tmp_path)
