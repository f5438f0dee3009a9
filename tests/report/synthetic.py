"""A small run folder made up for tests: forty rows, three models, three metrics, twenty steps."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

from rftspec.plan.model import (
    DataPlan,
    EvaluatePlan,
    ModelPlan,
    Plan,
    ReferencePlan,
    ResponsePlan,
    SplitPlan,
    TrainPlan,
)

GENES = ["PAH", "CFTR", "FBN1", "SCN1A", "MECP2", "NF1", "TSC2", "PTPN11", "COL4A5", "GLA", "TTN"]
SIGNS = ["seizures", "short stature", "hypotonia", "ectopia lentis", "hearing loss", "ataxia"]
GATE = 'metric("top@1", tuned) - metric("top@1", base) >= 0.05'
METRICS = {
    "top@1": "(rank_of(item.gene, sample.output_json.genes) ?? 0) == 1",
    "top@5": "(rank_of(item.gene, sample.output_json.genes) ?? 9) <= 5",
    "top@max": "has(rank_of(item.gene, sample.output_json.genes))",
}
SPEC = """# Find the causative gene from a case report, most likely first.
#   rftspec run specs/rare_disease.yaml
version: 1
name: rare-disease

model:
  base: builtin:case-reader
graders:
  rank:
    type: expression
    expression: rank_decay(rank_of(item.gene, sample.output_json.genes)) ?? 0
  concise:
    type: python
    file: graders/concise.py
reward: 0.95 * rank + 0.05 * concise
train:
  steps: 20
"""


@dataclass
class Story:
    """What the made-up run was like."""

    rows: int = 40
    clusters: int = 34
    steps: int = 20
    skill: dict = field(default_factory=lambda: {"base": 0.17, "tuned": 0.42})
    samples: int = 4
    finished: bool = True
    tuned: bool = True
    test: bool = True
    control: str | None = None
    hostile: dict = field(default_factory=dict)
    """Row of the headline's split → output_text of its first tuned answer."""
    errors: bool = False
    invalid: float = 0.05
    """Share of base answers that are cut off."""
    seed: int = 0


def make_plan(story: Story, folder: Path) -> Plan:
    def split(name: str, rows: int) -> SplitPlan:
        return SplitPlan(str(folder / f"data/{name}.jsonl"), rows, "ab" * 32)

    return Plan(
        name="rare-disease",
        seed=story.seed,
        spec_path="/home/someone/specs/rare_disease.yaml",
        spec_text=SPEC,
        device="cpu",
        model=ModelPlan("builtin:case-reader", None, "nf4", 16, 32.0, ("all-linear",)),
        data=DataPlan(
            train=split("train", 110),
            validation=split("validation", story.rows),
            test=split("test", story.rows) if story.test else None,
            disjoint=("item.gene",),
            prompt=None,
            control=story.control,
        ),
        response=ResponsePlan({"type": "json_schema", "json_schema": {"schema": {}}}, 96, 1.0),
        graders={
            "rank": {"type": "expression", "expression": "rank_decay(…) ?? 0"},
            "concise": {"type": "python", "source": "def grade(sample, item): ..."},
        },
        reward="0.95 * rank + 0.05 * concise\n",
        reward_range=(0.0, 1.0),
        stop_above=0.05,
        train=TrainPlan("grpo", story.steps, 16, 8, 1e-3, 2, 0.0, 1.0, 5),
        evaluate=EvaluatePlan(
            every=5,
            samples=story.samples,
            samples_between=1,
            metrics=METRICS,
            references=_references(folder),
            pass_metric="top@1",
        ),
        require=(),
        track=(),
        reasons={
            "name": "specs/rare_disease.yaml:4",
            "train.steps": "specs/rare_disease.yaml:20",
            "model.base": "specs/rare_disease.yaml:7",
            "train.learning_rate": "derived: 1e-3 for LoRA of small models",
            "seed": "default: 0",
        },
    )


def _references(folder: Path) -> tuple[ReferencePlan, ...]:
    note = "a ceiling: it uses the annotations that drew the patients"
    outputs = str(folder / "p.jsonl")
    return (
        ReferencePlan("phenotype-matching", "outputs", outputs, 1, None, note),
        ReferencePlan("base-vote-8", "vote", None, 8, "sample.output_json.genes[0]", None),
    )


def make_run(folder: Path, story: Story | None = None) -> Path:
    """Write the run folder; gives its path."""
    story = story or Story()
    folder.mkdir(parents=True, exist_ok=True)
    maker = _Maker(story, random.Random(story.seed))
    plan = make_plan(story, folder)
    (folder / "plan.json").write_text(json.dumps(plan.to_json()), encoding="utf-8")
    maker.write()
    for name in ("rows", "samples", "events", "timings"):
        lines = [json.dumps(line) for line in getattr(maker, name)]
        (folder / f"{name}.jsonl").write_text("".join(f"{x}\n" for x in lines), encoding="utf-8")
    return folder


class _Maker:
    """Makes the lines of the streams."""

    def __init__(self, story: Story, chance: random.Random) -> None:
        self.story = story
        self.chance = chance
        self.rows, self.samples, self.events, self.timings = [], [], [], []
        self.genes = {}

    def event(self, kind: str, **fields) -> None:
        self.events.append({"seq": len(self.events), "event": kind, **fields})

    def write(self) -> None:
        story = self.story
        versions = {"rftspec": "0.1.0", "python": "3.12.3", "torch": "2.13.0", "peft": "0.21.0"}
        self.event("run_started", name="rare-disease", plan_hash="x", versions=versions)
        headline = "test" if story.test else "validation"
        for split in dict.fromkeys(("validation", headline, "train")):
            for row in range(story.rows):
                self.row(split, row)
        self.evaluate("base", headline, 0, story.skill["base"], story.samples)
        if story.test:
            self.evaluate("base", "validation", 0, story.skill["base"], 1)
        self.evaluate("base", "train", 0, story.skill["base"], 1)
        self.evaluate("phenotype-matching", headline, 0, 0.62, 1)
        self.evaluate("base-vote-8", headline, 0, 0.25, 1)
        last = story.steps if story.tuned else story.steps // 2 + 1
        for step in range(1, last + 1):
            self.step(step)
        if story.tuned:
            self.evaluate("tuned", headline, last, story.skill["tuned"], story.samples)
            self.evaluate("tuned", "train", last, story.skill["tuned"] + 0.03, 1)
        if story.finished and story.tuned:
            self.event("best", step=last, valid_reward_mean=0.5)
            gate = {"expression": GATE, "passed": True, "detail": "0.25 >= 0.05"}
            self.event("finished", best_step=last, gates=[gate])

    def row(self, split: str, row: int) -> None:
        cluster = row % self.story.clusters
        gene = f"{GENES[cluster % len(GENES)]}{cluster}"
        self.genes[split, row] = gene
        signs = ", ".join(self.chance.sample(SIGNS, 3))
        prompt = (
            f"A {self.chance.randint(1, 60)}-year-old with {signs}. Absent: {SIGNS[row % 6]}.\n"
            "Answer with a JSON dictionary: a reasoning string and a list of genes."
        )
        item = {"messages": [{"role": "user", "content": prompt}], "gene": gene, "onset": "child"}
        self.rows.append({"split": split, "row": row, "id": f"{split}-{row:04d}", "item": item})

    def evaluate(self, model: str, split: str, step: int, skill: float, samples: int) -> None:
        rewards = []
        for row in range(self.story.rows):
            ease = (row * 7 % 10) / 10 - 0.45
            for index in range(samples):
                rank = self.rank(min(max(skill + 0.5 * ease, 0.02), 0.97))
                line = self.sample("evaluation", model, split, step, row, index, rank)
                rewards.append(line["reward"])
                self.samples.append(line)
        mean = sum(rewards) / len(rewards)
        self.event(
            "evaluation",
            model=model,
            split=split,
            step=step,
            rows=self.story.rows,
            samples=len(rewards),
            metrics={"reward": mean},
        )
        self.timings.append({"phase": "eval", "model": model, "eval": 3.2})

    def rank(self, skill: float) -> int:
        if self.chance.random() < skill:
            return 1
        return self.chance.choice([2, 3, 4, 6, 0, 0, 0])

    def sample(self, kind, model, split, step, row, index, rank) -> dict:
        gene = self.genes[split, row]
        others = [g for g in GENES if not gene.startswith(g)]
        genes = self.chance.sample(others, 6)
        if rank:
            genes.insert(rank - 1, gene)
        text = json.dumps(
            {
                "reasoning": f"{self.chance.choice(SIGNS)} with {SIGNS[row % 6]} absent points to "
                f"{genes[0]}; {genes[1]} would explain less.",
                "genes": genes,
            }
        )
        headline = "test" if self.story.test else "validation"
        if (model, split, index) == ("tuned", headline, 0):
            text = self.story.hostile.get(row, text)
        invalid = model == "base" and self.chance.random() < self.story.invalid
        if invalid:
            text, rank = text[:70], 0
        value = 0.7 ** (rank - 1) if rank else 0.0
        scores = {"rank": {"value": value}, "concise": {"value": round(self.chance.random(), 2)}}
        error = None
        if self.story.errors and row % 9 == 0:
            scores["concise"] = {
                "value": None,
                "error": "python_grader_runtime_error",
                "detail": "line 3: KeyError: 'genes'",
            }
            error = {"kind": "python_grader_runtime_error", "grader": "concise", "detail": "line 3"}
        concise = scores["concise"]["value"] or 0.0
        return {
            "kind": kind,
            "model": model,
            "split": split,
            "step": step,
            "row": row,
            "index": index,
            "output_text": text,
            "finish_reason": "length" if invalid else "stop",
            "completion_tokens": len(text) // 4,
            "reward": 0.0 if error else 0.95 * value + 0.05 * concise,
            "error": error,
            "scores": scores,
            "metrics": {"top@1": rank == 1, "top@5": 0 < rank <= 5, "top@max": rank > 0},
            **({"parse_error": True} if invalid else {}),
        }

    def step(self, step: int) -> None:
        share = step / self.story.steps
        skill = self.story.skill["base"] * (1 - share) + self.story.skill["tuned"] * share
        for n in range(16):
            rank = self.rank(skill)
            row = (step * 16 + n) % self.story.rows
            self.samples.append(self.sample("rollout", "tuned", "train", step, row, n, rank))
        noise = self.chance.gauss(0, 0.03)
        metrics = {
            "train_reward_mean": 0.3 + 0.25 * share + noise,
            "train_reward_std": 0.3 - 0.05 * share,
            "graders/rank/train_reward_mean": 0.3 + 0.26 * share + noise,
            "graders/concise/train_reward_mean": 0.5 + noise,
            "groups_no_signal_share": 0.1 + 0.2 * share,
            "completion_tokens_mean": 40 + 2 * noise,
            "truncated_share": 0.0,
            "loss": noise / 10,
            "learning_rate": 1e-3,
            "grad_norm": 0.4 + abs(noise),
            "entropy": 1.1 - 0.4 * share,
            "train_sample_parse_error_mean": max(0.0, 0.05 - 0.04 * share),
        }
        self.event("step", step=step, metrics=metrics)
        self.timings.append({"phase": "step", "sampling": 1.5, "training": 1.0, "grading": 0.1})
        if step % 5 == 0:
            self.evaluate(f"step-{step}", "validation", step, skill, 1)
            path = f"checkpoints/step-{step:06d}"
            self.event("checkpoint", step=step, path=path, valid_reward_mean=0.3 + 0.2 * share)
        if step == 7:
            message = "no group had any signal for 10 steps"
            self.event("warning", code="H1", message=message, step=step)
