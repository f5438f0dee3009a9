"""Spec → Plan: every number of the run, with the reason for its value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from rftspec.data.rows import file_hash, read_rows
from rftspec.data.split import carve
from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.plan import rates
from rftspec.plan.machine import ModelShape, shape_of
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
from rftspec.plan.smoke import first_rows
from rftspec.plan.training import GROUPED, knobs
from rftspec.spec.adapters import read_adapter
from rftspec.spec.fields import settings_of
from rftspec.spec.load import Loaded
from rftspec.spec.model import Carve, Evaluate, Lora, Model, OnError, Response, Spec
from rftspec.spec.overrides import AsJson
from rftspec.spec.paths import model_folder, model_kind
from rftspec.spec.train import Train
from rftspec.spec.values import fold, value_at

Control = Literal["shuffled-answers"]


def compile_plan(
    loaded: Loaded,
    *,
    seed: int | None = None,
    control: Control | None = None,
    name: str | None = None,
    limit: int | None = None,
) -> Plan:
    """The exact plan of a spec.

    `seed`, `control` and `name` come from the command line and win over the spec; `limit` takes
    that many rows of each split at most, the first ones.
    Raises DiagnosticError when a data file has changed into something unreadable meanwhile.
    """
    return _Compiler(loaded, seed, control, name, limit).plan()


class _Compiler:
    """Collects the reasons while the plan's parts are made."""

    def __init__(
        self,
        loaded: Loaded,
        seed: int | None,
        control: Control | None,
        name: str | None,
        limit: int | None,
    ) -> None:
        self.loaded = loaded
        self.limit = limit
        self.spec = loaded.spec
        self.folder = loaded.document.path.parent
        self.control = control
        self.name = name
        self.reasons: dict[str, str] = {}
        self.seed = self.spec.seed if seed is None else seed
        self._explain_fields()
        if seed is not None:
            self.reasons["seed"] = "--seed"

    def plan(self) -> Plan:
        """Put the plan together."""
        spec = self.spec
        model, shape = self._model()
        data = self._data()
        train = self._train(data.train, shape, model.lora_rank)
        self._derive_rest()
        return Plan(
            name=self._name(),
            seed=self.seed,
            spec_path=str(self.loaded.path),
            spec_text=self.loaded.document.source.text,
            device=spec.device,
            model=model,
            data=data,
            response=ResponsePlan(
                response_format(spec.response.format),
                spec.response.max_tokens,
                spec.response.temperature,
            ),
            graders=self.loaded.graders,
            reward=self.loaded.reward,
            reward_range=self.loaded.reward_range,
            stop_above=spec.on_error.stop_above,
            infrastructure=spec.on_error.infrastructure,
            train=train,
            evaluate=self._evaluate(),
            require=spec.require,
            track=spec.track,
            reasons=dict(sorted(self.reasons.items())),
            options=self._options(),
        )

    def _options(self) -> tuple[str, ...]:
        """What was typed on the command line."""
        words: list[str] = []
        for argument in self.loaded.overridden.values():
            words += ["--set-json" if isinstance(argument, AsJson) else "--set", argument]
        seed = self.seed if self.reasons.get("seed") == "--seed" else None
        for option, value in (
            ("--seed", seed), ("--control", self.control), ("--limit", self.limit)
        ):  # fmt: skip
            words += [] if value is None else [option, str(value)]
        return tuple(words)

    def _explain_fields(self) -> None:
        """The reason of every field that stands in the spec or has a fixed default."""
        sections: tuple[tuple[str, str, Any], ...] = (
            ("", "", Spec),
            ("model.", "model.", Model),
            ("model.lora_", "model.lora.", Lora),
            ("response.", "response.", Response),
            ("", "on_error.", OnError),
            ("train.", "train.", Train),
            ("evaluate.", "evaluate.", Evaluate),
        )
        for target, source, section in sections:
            for field, _, told in settings_of(section):
                place = self._place(source + field)
                if place is not None:
                    self.reasons[target + field] = place
                elif told.reason:
                    self.reasons[target + field] = f"default: {told.reason}"
                else:
                    self.reasons[target + field] = "default"
        for section in ("model", "data", "response", "train", "evaluate", "on_error", "meta"):
            self.reasons.pop(section, None)
        grouped = (f"train.{field}" for field in GROUPED)
        for field in ("model.lora", "version", "train.epochs", *grouped):
            self.reasons.pop(field, None)

    def _place(self, path: str) -> str | None:
        if path in self.loaded.overridden:
            argument = self.loaded.overridden[path]
            return f"--set{'-json' if isinstance(argument, AsJson) else ''} {argument}"
        return self.loaded.document.place(path)

    def _name(self) -> str:
        if self.name is not None:
            self.reasons["name"] = "--name"
            return self.name
        if self.spec.name is not None:
            return self.spec.name
        self.reasons["name"] = "default: the file's name"
        return self.loaded.path.stem.removesuffix(".rft")

    def _model(self) -> tuple[ModelPlan, ModelShape | None]:
        model = self.spec.model
        found = model_folder(model.base, self.folder)
        shape = shape_of(model.base, found)
        base = (
            str(found) if found is not None and model_kind(model.base) == "folder" else model.base
        )
        targets = (model.lora.targets,) if isinstance(model.lora.targets, str) else None
        self._refuse_long_answers(shape)
        plan = ModelPlan(
            base=base,
            revision=model.revision,
            quantization=model.quantization,
            lora_rank=model.lora.rank,
            lora_alpha=model.lora.alpha,
            lora_targets=targets or tuple(model.lora.targets),
            lora_variant=model.lora.variant,
        )
        return self._continued(plan, model.adapter), shape

    def _continued(self, plan: ModelPlan, adapter: str | None) -> ModelPlan:
        """With a saved adapter: its own settings in place of the spec's."""
        if adapter is None:
            self.reasons.pop("model.adapter", None)
            return plan
        try:
            saved = read_adapter((self.folder / adapter).resolve())
        except ValueError as error:  # it has changed since it was checked
            message = f"the folder `{adapter}` {error}"
            raise DiagnosticError([Diagnostic("E507", message, path="model.adapter")]) from error
        for name in ("rank", "alpha", "targets", "variant"):
            self.reasons[f"model.lora_{name}"] = "derived: model.adapter's own"
        self.reasons["model.adapter_sha256"] = "derived: its configuration and weights"
        return dataclasses.replace(
            plan,
            lora_rank=saved.rank,
            lora_alpha=saved.alpha,
            lora_targets=saved.targets,
            lora_variant=saved.variant,
            adapter=str(saved.folder),
            adapter_sha256=saved.sha256,
        )

    def _refuse_long_answers(self, shape: ModelShape | None) -> None:
        """An answer and its prompt must fit in what the model can see."""
        most = self.spec.response.max_tokens
        if shape is None or shape.context is None or most < shape.context:
            return
        message = (
            f"answers of {most:,} tokens do not fit in the model's context of {shape.context:,}"
        )
        hint = "lower `response.max_tokens`, so that the prompt fits too"
        node = self.loaded.document.at("response.max_tokens")
        path = "response.max_tokens"
        if node is None:
            raise DiagnosticError([Diagnostic("E506", message, None, hint, path=path)])
        raise DiagnosticError([node.problem("E506", message, hint=hint, path=path)])

    def _data(self) -> DataPlan:
        data = self.spec.data
        splits: dict[str, SplitPlan | None] = {
            name: self._split(name) for name in ("train", "validation", "test")
        }
        train = splits["train"]
        if train is None:
            raise AssertionError("a loaded spec has a training file")
        validation = splits["validation"]
        if isinstance(data.validation, Carve):
            train, validation = self._carve(train, data.validation)
        for name, split in (("train", train), ("validation", validation), ("test", splits["test"])):
            place = self._place(f"data.{name}") if split is not None else None
            self.reasons[f"data.{name}"] = place or "default: none"
        if data.disjoint:
            self.reasons["data.disjoint"] = self._place("data.disjoint") or "default"
        if data.gold is not None:
            self.reasons["data.gold"] = self._place("data.gold") or "default"
        if self.control is not None:
            self.reasons["data.control"] = "--control"
        return DataPlan(
            train=self._limited("train", train),
            validation=validation and self._limited("validation", validation),
            test=splits["test"] and self._limited("test", splits["test"]),
            disjoint=self._disjoint(),
            prompt=data.prompt,
            control=self.control,
            gold=data.gold,
        )

    def _limited(self, name: str, split: SplitPlan) -> SplitPlan:
        """The split as `--limit` leaves it."""
        if self.limit is None or split.rows <= self.limit:
            return split
        told = f"--limit {self.limit}: the first of {split.rows:,} rows"
        self.reasons[f"data.{name}"] = told
        return first_rows(split, self.limit)

    def _disjoint(self) -> tuple[str, ...]:
        """What keeps rows apart: `disjoint`, else the field that the split was made by."""
        data = self.spec.data
        if data.disjoint or not isinstance(data.validation, Carve) or data.validation.by is None:
            return data.disjoint
        self.reasons["data.disjoint"] = "derived: data.validation.by"
        return (data.validation.by,)

    def _split(self, name: str) -> SplitPlan | None:
        path = self.loaded.files.get(("data", name))
        if path is None:
            return None
        facts = self.loaded.splits.get(name)
        if facts is not None:
            return SplitPlan(str(path), facts.rows, facts.sha256)
        return SplitPlan(str(path), sum(1 for _ in read_rows(path)), file_hash(path))

    def _carve(self, train: SplitPlan, wish: Carve) -> tuple[SplitPlan, SplitPlan]:
        """Two splits of one file; equal values of the `by` field stay on one side."""
        keys: list[str] = []
        by = tuple(wish.by.split(".")[1:]) if wish.by is not None else None
        for index, item in read_rows(Path(train.path)):
            keys.append(str(index) if by is None else fold(value_at(item, by)))
        stay, taken = carve(keys, wish.split, self.seed)
        self.reasons["data.train"] = "derived: the rows that are not taken for validation"
        return (
            dataclasses.replace(train, rows=len(stay), indices=stay),
            dataclasses.replace(train, rows=len(taken), indices=taken),
        )

    def _train(self, split: SplitPlan, shape: ModelShape | None, rank: int) -> TrainPlan:
        train = self.spec.train
        prompts = self._choose(
            "prompts_per_step", train.prompts_per_step, rates.prompts_per_step(split.rows)
        )
        samples = self._choose(
            "samples_per_prompt", train.samples_per_prompt, rates.samples_per_prompt(split.rows)
        )
        where = self._place("train.epochs")
        steps = self._choose(
            "steps", train.steps, rates.steps(split.rows, int(prompts), train.epochs, where)
        )
        rate = None if train.learning_rate == "auto" else train.learning_rate
        automatic = rates.learning_rate(shape, int(prompts * samples))
        learning_rate = self._choose("learning_rate", rate, automatic)
        warmup = rates.Chosen(min(5, int(steps) // 10), "default: 5, or a tenth of the steps")
        warmup_steps = self._choose("warmup_steps", train.warmup_steps, warmup)
        every = self.spec.evaluate.every
        checkpoint = self._choose(
            "checkpoint_every", None, rates.checkpoint_every(shape, rank, every)
        )
        found = knobs(train, self.spec.response.max_tokens, self._place)
        for name in (n for n, value in found.values.items() if value is None):
            self.reasons.pop(f"train.{name}", None)
        self.reasons.update(found.reasons)
        return TrainPlan(
            algorithm=train.algorithm,
            steps=int(steps),
            prompts_per_step=int(prompts),
            samples_per_prompt=int(samples),
            learning_rate=float(learning_rate),
            warmup_steps=int(warmup_steps),
            max_grad_norm=train.max_grad_norm,
            checkpoint_every=int(checkpoint),
            **found.values,
        )

    def _choose(self, field: str, given: float | str | None, chosen: rates.Chosen) -> float:
        """What the spec says, else what was derived; the reason is kept either way."""
        if given is None or isinstance(given, str):
            self.reasons[f"train.{field}"] = chosen.reason
            return chosen.value
        return given

    def _evaluate(self) -> EvaluatePlan:
        evaluate = self.spec.evaluate
        return EvaluatePlan(
            every=evaluate.every,
            samples=evaluate.samples,
            samples_between=evaluate.samples_between,
            metrics=dict(evaluate.metrics),
            references=self._references(),
            pass_metric=self.loaded.pass_metric,
        )

    def _references(self) -> tuple[ReferencePlan, ...]:
        made: list[ReferencePlan] = []
        for name, reference in self.spec.evaluate.references.items():
            path = self.loaded.files.get(("evaluate", "references", name, "outputs"))
            vote = reference.vote
            made.append(
                ReferencePlan(
                    name=name,
                    kind="vote" if vote is not None else "outputs",
                    path=str(path) if path is not None else None,
                    samples=vote.samples if vote is not None else 0,
                    on=vote.on if vote is not None else None,
                    note=reference.note,
                    sha256=file_hash(path) if path is not None else None,
                )
            )
        return tuple(made)

    def _derive_rest(self) -> None:
        low, high = self.loaded.reward_range
        self.reasons["reward_range"] = (
            f"derived: {low:g} to {high:g} by interval analysis over the graders' ranges"
        )
        if self.spec.reward is None:
            self.reasons["reward"] = "default: the only grader's score"
        self.reasons["evaluate.pass_metric"] = (
            "default: no bool metric, so a reward of 1 passes"
            if self.loaded.pass_metric == "reward"
            else "derived: the first bool metric"
        )


def response_format(given: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """OpenAI's response format with both of its spellings made into the nested one."""
    if given is None or given.get("type") != "json_schema" or "json_schema" in given:
        return given
    inner = {key: given[key] for key in ("name", "strict", "schema") if key in given}
    return {"type": "json_schema", "json_schema": inner}
