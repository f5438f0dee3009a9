"""Who is compared: a model of a run, or an evaluation, read as far as its folder can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rftspec.plan.model import Plan, SplitPlan
from rftspec.record.evaluations import EvalRecord, is_evaluation
from rftspec.record.folder import FolderState, Record
from rftspec.report.evidence import Answers, Evidence, Source, read_evidence
from rftspec.report.subjects import SPLITS, split_columns


class NoSuchModel(LookupError):
    """A folder does not have the model that was asked for; the message names those it has."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One side of a comparison."""

    folder: Path
    model: str
    """`tuned`, `base`, `step-20`, or an evaluation's own label."""
    label: str
    """The model for a person: `tuned (step 60)`."""
    state: FolderState
    evidence: Evidence
    answers: Mapping[str, Answers]
    """The model's answers by split."""

    @property
    def plan(self) -> Plan:
        """The plan of the run, or of the evaluation."""
        return self.evidence.plan

    def data(self, split: str) -> SplitPlan | None:
        """The file of a split."""
        found: SplitPlan | None = getattr(self.plan.data, split, None)
        return found

    def notes(self) -> list[str]:
        """What a reader must know of this folder before believing its numbers."""
        found = []
        if self.state == "running":
            found.append("is being written at this moment: what is there now is compared")
        elif self.state == "unfinished":
            found.append("is not finished: what is there is compared")
        if self.evidence.damaged:
            found.append(f"{self.evidence.damaged} damaged lines are left out")
        if self.plan.data.control is not None:
            found.append(f"is a negative control ({self.plan.data.control})")
        return found + _failures(self)


def read_entrant(folder: Path, model: str | None = None) -> Entrant:
    """Read a run or an evaluation; `model` picks one of a run's, by default the tuned one.

    Raises RecordError R404 where the folder is neither, NoSuchModel where it lacks the model.
    """
    if is_evaluation(folder):
        record = EvalRecord.open(folder)
        evidence = read_evidence(record)
        name = model or record.head.subject.label
        found = _named(evidence, name)
        return Entrant(folder, name, name, record.state, evidence, _checked(found, evidence, name))
    run = Record.open(folder)
    evidence = read_evidence(run)
    if model is not None:
        found = _checked(_named(evidence, model), evidence, model)
        return Entrant(folder, model, model, run.state, evidence, found)
    return _default(folder, run.state, evidence)


def models_of(evidence: Evidence) -> list[str]:
    """The models that a folder has answers of."""
    return sorted({source.model for source in evidence.answers})


def _default(folder: Path, state: FolderState, evidence: Evidence) -> Entrant:
    """The tuned model of a run: the final one, else the best checkpoint so far, else the base."""
    model = label = "base"
    answers: dict[str, Answers] = {}
    for role in ("tuned", "base"):
        for split in SPLITS:
            for column in split_columns(evidence, split):
                if column.role == role:
                    answers[split] = column.answers
                    model, label = column.key, column.label
        if answers:
            break
    return Entrant(folder, model, label, state, evidence, answers)


def _named(evidence: Evidence, model: str) -> dict[str, Answers]:
    """A model's answers by split; of several steps the last."""
    chosen: dict[str, Source] = {}
    for source in evidence.answers:
        known = chosen.get(source.split)
        if source.model == model and (known is None or source.step > known.step):
            chosen[source.split] = source
    return {split: evidence.answers[source] for split, source in chosen.items()}


def _checked(found: dict[str, Answers], evidence: Evidence, model: str) -> dict[str, Answers]:
    if not found and (names := models_of(evidence)):
        raise NoSuchModel(f"no answers of `{model}` are there; there are some of: "
                          f"{', '.join(names)}")  # fmt: skip
    return found


def _failures(entrant: Entrant) -> list[str]:
    """How many of its answers could not be graded."""
    answers = [a for part in entrant.answers.values() for found in part.values() for a in found]
    failed = sum(answer.error is not None for answer in answers)
    if not failed:
        return []
    share = failed / len(answers)
    return [f"{failed} of {len(answers)} answers could not be graded ({share:.0%}): they earn the "
            "floor of the reward"]  # fmt: skip
