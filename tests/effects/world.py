"""Where the specs of the effect tests run: a folder with a toy model and rows, and its records."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha1
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np

from rftspec.diagnostics import DiagnosticError
from rftspec.engine.types import Completion, Prompt
from rftspec.plan.compile import compile_plan
from rftspec.record.folder import Record
from rftspec.run.loop import run_plan
from rftspec.spec.load import load_spec
from tests.effects.table import DROP, Effect
from tests.graders.fake_server import FakeServer
from tests.run.fake_engine import FakeEngine
from tests.toy import make_toy_model

BASE: dict[str, Any] = {
    "version": 1,
    "name": "effect",
    "seed": 1,
    "device": "cpu",
    "model": {"base": "./toy", "lora": {"rank": 2, "alpha": 8}},
    "data": {
        "train": "train.jsonl",
        "validation": "valid.jsonl",
        "prompt": "{{ item.question }}",
    },
    "response": {"max_tokens": 6},
    "graders": {
        "length": {
            "type": "expression",
            "expression": "len(sample.output_text) / 100",
            "range": [0, 1],
        }
    },
    "train": {
        "steps": 2,
        "prompts_per_step": 2,
        "samples_per_prompt": 4,
        "learning_rate": 0.01,
        "warmup_steps": 0,
    },
    "evaluate": {"every": 1, "samples": 1},
}
"""The spec that every row of a table changes."""


GRADER_FILES = {
    "half.py": "def grade(sample, item):\n    return len(sample['output_text']) / 2\n",
    "odd.py": "def grade(sample, item):\n    return len(sample['output_text']) % 2\n",
    "person.json": '{"type": "object", "required": ["a", "b"]}',
    "list.json": '{"type": "array"}',
}
SCORED = ("reward", "error", "dropped", "scores")
HUB_MODEL = "someone/toy"
"""A model of the hub's local cache, in two revisions."""


class Observed(TypedDict):
    """What a run has left behind, by parts that are compared each for itself.

    The plan's own words (its hash, plan.json, the adapter's page) are in none of them.
    """

    adapter: Any
    """The last checkpoint's weights, byte for byte."""
    published: Any
    """The weights of the adapter that the run gives away: the best checkpoint's."""
    adapter_config: Any
    """Its adapter_config.json."""
    answers: Any
    """Every sampled answer with its place."""
    base_answers: Any
    """Those of the base model."""
    scores: Any
    """Reward, scores and error of every answer."""
    metrics: Any
    """The spec's metrics of every answer."""
    rows: Any
    """The rows that were asked, with the messages that the model saw."""
    learning: Any
    """What each optimiser step measured."""
    steps: Any
    """The numbers of the steps."""
    evaluations: Any
    """Which model was measured on which split at which step, on how many samples."""
    means: Any
    """The numbers of each evaluation."""
    gates: Any
    """The gates' text, verdict and detail."""
    summary: Any
    """The last event: models, gain, best step."""
    warnings: Any
    """What the health rules said."""
    files: Any
    """The names of the files."""
    start: Any
    """The name that the run goes by."""
    end: Any
    """How the run ended: exit code and message, or the diagnostic that refused it."""
    folder: Any
    """Where the run stands, for what reads records."""
    requests: Any
    """What the judges' server was asked."""


class Scripted(FakeEngine):
    """An engine whose answers are given: for graders, whose effect is the score of an answer."""

    def __init__(self, answers: Sequence[str]) -> None:
        super().__init__()
        self.answers = answers

    def _complete(self, prompt: Prompt, index: int, skill: float) -> Completion:
        text = self.answers[index % len(self.answers)]
        tokens = tuple(text.encode()) or (0,)
        return Completion(tokens, text, "stop", np.zeros(len(tokens), dtype=np.float32))


class World:
    """The folder, and every run that was done in it."""

    def __init__(self, folder: Path, server: FakeServer) -> None:
        self.folder = folder
        self.server = server
        self._seen: dict[str, Observed] = {}
        self._count = 0
        make_toy_model(folder / "toy")
        make_toy_model(folder / "other", seed=5)
        self.write_hub(first="toy", second="other")
        self.write_rows("train", range(4))
        self.write_rows("more", range(30, 36))
        self.write_rows("valid", range(10, 12))
        self.write_rows("test", range(20, 22))
        self.write_rows("one", range(40, 41))
        self.write_rows("other", range(41, 42))
        for name, text in GRADER_FILES.items():
            (folder / name).write_text(text, "utf-8")
        self.write_outputs("outputs", "a short one")
        self.write_outputs("outputs2", "another, a little longer")

    def write_hub(self, **revisions: str) -> None:
        """A cache of the hub that holds a model at some revisions, each a folder of this world."""
        cached = self.folder / "hub" / f"models--{HUB_MODEL.replace('/', '--')}"
        for name, source in revisions.items():
            commit = sha1(name.encode()).hexdigest()
            shutil.copytree(self.folder / source, cached / "snapshots" / commit)
            (cached / "refs").mkdir(exist_ok=True)
            (cached / "refs" / name).write_text(commit, "utf-8")

    def write_rows(self, name: str, numbers: Sequence[int], **extra: Any) -> None:
        """A file of questions, with fields that graders can look at."""
        rows = [
            {"question": f"ataxia and seizures {n}", "answer": f"{n}", "kind": f"{n // 2}", **extra}
            for n in numbers
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (self.folder / f"{name}.jsonl").write_text(text, "utf-8")

    def write_outputs(self, name: str, text: str) -> None:
        """A file of answers to the validation rows."""
        rows = [{"row": n, "output_text": text} for n in range(2)]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (self.folder / f"{name}.jsonl").write_text(lines, "utf-8")

    def run(self, spec: Mapping[str, Any], answers: Sequence[str] = ()) -> Observed:
        """Run a spec, or remember how that went."""
        text = json.dumps(spec, ensure_ascii=False).replace("{server}", self.server.url)
        key = text + json.dumps(list(answers))
        if key not in self._seen:
            self._count += 1
            path = self.folder / f"spec-{self._count}.yaml"
            path.write_text(text, "utf-8")
            self._seen[key] = self._run(path, answers)
        return self._seen[key]

    def _run(self, path: Path, answers: Sequence[str]) -> Observed:
        folder = path.with_suffix("")
        plan = compile_plan(load_spec(path, sandbox=None))
        engine = Scripted(answers) if answers else None
        self.server.seen.clear()
        try:
            outcome = run_plan(plan, folder, engine=engine)
        except DiagnosticError as error:
            return cast(Observed, {"end": [(d.code, d.message) for d in error.diagnostics]})
        end = (outcome.exit_code, outcome.message.replace(str(folder), ""))
        seen = [
            (s.path, [s.headers.get(name) for name in ("authorization", "x-team")], s.json)
            for s in self.server.seen
        ]
        return {**observe(folder, end), "requests": sorted(seen, key=repr)}


def observe(folder: Path, end: Any) -> Observed:
    """Read a run folder in the parts that are compared."""
    record = Record.open(folder)
    lines = [*record.samples(), *record.samples(kind="ballot")]
    found = list(record.events())
    place = ("kind", "model", "split", "step", "row", "index")
    last = [e for e in found if e["event"] == "finished"]
    adapter = folder / "adapter"
    saved = sorted(folder.glob("checkpoints/*/adapter_model.safetensors"))
    answers = [
        [*(line.get(n) for n in place), line["output_text"], line["finish_reason"]]
        for line in lines
    ]
    return {
        "adapter": saved[-1].read_bytes() if saved else None,
        "published": _bytes(adapter / "adapter_model.safetensors"),
        "adapter_config": _json(adapter / "adapter_config.json"),
        "answers": answers,
        "base_answers": [a for a in answers if a[1] == "base"],
        "scores": [[line.get(name) for name in SCORED] for line in lines],
        "metrics": [line["metrics"] for line in lines],
        "rows": list(record.rows()),
        "learning": [e["metrics"] for e in found if e["event"] == "step"],
        "steps": [e["step"] for e in found if e["event"] == "step"],
        "evaluations": [
            [e[n] for n in ("model", "split", "step", "rows", "samples")]
            for e in found
            if e["event"] == "evaluation"
        ],
        "means": [e["metrics"] for e in found if e["event"] == "evaluation"],
        "gates": [e["gates"] for e in last],
        "summary": last,
        "warnings": [(e["code"], e["message"]) for e in found if e["event"] == "warning"],
        "files": sorted({str(p.relative_to(folder)) for p in folder.rglob("*")}),
        "start": [e["name"] for e in found if e["event"] == "run_started"],
        "end": end,
        "folder": folder,
        "requests": [],
    }


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def changed(spec: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a spec with some fields (dotted) set, or dropped."""
    made = copy.deepcopy(dict(spec))
    for path, value in changes.items():
        *parents, last = path.split(".")
        section = made
        for name in parents:
            section = section.setdefault(name, {})
        if value == DROP:
            section.pop(last, None)
        else:
            section[last] = copy.deepcopy(value)
    return made


def check(world: World, effect: Effect) -> None:
    """Run what a row of a table says, and hold that it is so."""
    base = changed(BASE, effect.base)
    specs = [base] + [
        changed(base, {**effect.beside, effect.place: value}) for value in effect.values
    ]
    runs: list[Any] = [world.run(spec, effect.answers) for spec in specs]
    for run in runs:
        assert effect.differs == ("end",) or "adapter" in run, run["end"]
    for part in effect.differs:
        for n, run in enumerate(runs):
            for other in runs[:n]:
                assert run[part] != other[part], f"{effect.field} does not change: {part}"
    for part in effect.same:
        for run in runs[1:]:
            assert run[part] == runs[0][part], f"{effect.field} changes: {part}"
