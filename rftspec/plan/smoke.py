"""A smoke run of a plan: its whole path, as small as it goes, before GPU hours are spent.

Model, graders, judges, references, answer length, batch of samples and update are the plan's own;
rows, steps and repetitions are few. It says that the path works, and nothing about the model.
"""

from __future__ import annotations

from dataclasses import replace

from rftspec.plan.model import Plan, ReferencePlan, SplitPlan

STEPS = 2
ROWS = 4
"""Of each split."""
SAMPLES = 8
"""Samples of a prompt, at most: a group must differ in its rewards to be learned from."""
STOP_ABOVE = 0.5
"""Among so few samples one failure is above most limits; half of them is a broken grader."""
WHY = "--smoke"


def smoke_plan(plan: Plan) -> Plan:
    """Two steps on four rows of each split, every kind of unit in it once at least.

    The name ends in `-smoke` and the hash is another, so that it never mixes with a run.
    """
    data = plan.data
    train = replace(
        plan.train,
        steps=STEPS,
        prompts_per_step=min(plan.train.prompts_per_step, ROWS),
        samples_per_prompt=min(plan.train.samples_per_prompt, SAMPLES),
        warmup_steps=0,
        checkpoint_every=1,
        early_stopping=None,
    )
    evaluate = replace(
        plan.evaluate,
        every=1,
        samples=min(plan.evaluate.samples, 2),
        samples_between=1,
        references=tuple(_reference(one) for one in plan.evaluate.references),
    )
    changed = (
        "train.steps", "train.prompts_per_step", "train.samples_per_prompt", "train.warmup_steps",
        "train.checkpoint_every", "evaluate.every", "evaluate.samples", "evaluate.samples_between",
        "data.train", "data.validation", "data.test", "name",
        "stop_above",
    )  # fmt: skip
    return replace(
        plan,
        name=f"{plan.name}-smoke",
        smoke=True,
        data=replace(
            data,
            train=first_rows(data.train, ROWS),
            validation=data.validation and first_rows(data.validation, ROWS),
            test=data.test and first_rows(data.test, ROWS),
        ),
        train=train,
        evaluate=evaluate,
        stop_above=max(plan.stop_above, STOP_ABOVE),
        reasons={**plan.reasons, **dict.fromkeys(changed, WHY)},
    )


def first_rows(split: SplitPlan, count: int) -> SplitPlan:
    """The first rows of a split; all of one that has no more."""
    if split.rows <= count:
        return split
    indices = split.indices if split.indices is not None else tuple(range(split.rows))
    return replace(split, rows=count, indices=tuple(sorted(indices)[:count]))


def _reference(reference: ReferencePlan) -> ReferencePlan:
    """A vote of two; outputs as they are."""
    return replace(reference, samples=min(reference.samples, 2))
