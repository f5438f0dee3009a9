"""The Plan: every number of a run, exact, with the reason for its value.

A plan is plain data: it can be saved, diffed, hashed, and run as it is. Making one needs no torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union

FORMAT = "plan/1"
_NOT_HASHED = frozenset(
    {"spec_path", "spec_text", "reasons", "name", "track", "device", "contents", "options"}
)
"""Fields that say where or why, not what: they do not decide the run."""


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """The base model and its adapter."""

    base: str
    """`builtin:NAME`, a folder (absolute), or a hub id."""
    revision: str | None
    quantization: Literal["nf4", "none"]
    lora_rank: int
    lora_alpha: float
    lora_targets: tuple[str, ...]
    """Module name endings, patterns over module names, or ("all-linear",)."""
    lora_variant: Literal["lora", "rslora", "dora"] = "lora"
    adapter: str | None = None
    """Absolute folder of a saved adapter that training goes on with."""
    adapter_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """One split of the data: the file that it is read from, and what was found in it."""

    path: str
    """Absolute."""
    rows: int
    sha256: str
    indices: tuple[int, ...] | None = None
    """Rows of the file that make the split, when the spec asked to split one file."""


@dataclass(frozen=True, slots=True)
class DataPlan:
    """The rows of a run."""

    train: SplitPlan
    validation: SplitPlan | None
    test: SplitPlan | None
    disjoint: tuple[str, ...]
    """Fields such as `item.gene` whose values no two splits share; intervals cluster by the
    first."""
    prompt: Any
    """A template (or list of message templates) for rows without `messages`; else None."""
    control: Literal["shuffled-answers"] | None
    """A negative control: every field but `messages` is dealt out anew among the training rows."""
    gold: Any = None
    """The perfect answer to a row, as a template or JSON of templates; only probes read it."""


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """How answers are sampled and read."""

    format: Mapping[str, Any] | None
    max_tokens: int
    temperature: float


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """The optimisation."""

    algorithm: str
    steps: int
    prompts_per_step: int
    samples_per_prompt: int
    learning_rate: float
    warmup_steps: int
    kl: float
    max_grad_norm: float
    checkpoint_every: int
    """Steps between states that a resume can start from."""
    updates_per_batch: int = 1
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    clip_low: float | None = None
    """A ratio below 1 − this is clipped; None: as the algorithm's row says, as in `clip_high`,
    `kl_estimator` and `scale_rewards`."""
    clip_high: float | None = None
    kl_estimator: Literal["k1", "k2", "k3"] | None = None
    entropy_bonus: float = 0.0
    scale_rewards: Literal["group", "batch", "none"] | None = None
    overlong: Literal["keep", "mask", "punish"] = "keep"
    overlong_buffer: int | None = None
    """Tokens; None unless `overlong` is `punish`."""
    length_penalty: float = 0.0
    refill: float = 0.0
    """Further prompts of a step, as a multiple of `prompts_per_step`."""
    down_weight: float = 1.0
    down_weight_easy: float | None = None
    down_weight_hard: float | None = None
    correction: Literal["truncate", "mask", "none"] = "truncate"
    early_stopping: int | None = None
    """Evaluations without a new best."""
    early_stopping_min_delta: float | None = None
    keep_best: bool = True


@dataclass(frozen=True, slots=True)
class ReferencePlan:
    """Something that the tuned model is compared with."""

    name: str
    kind: Literal["outputs", "vote"]
    path: str | None
    """Absolute path of a JSONL file of {"id" or "row", "output_text"} (kind `outputs`)."""
    samples: int
    """Completions of the base model per row that vote (kind `vote`)."""
    on: str | None
    """Expression whose value is voted on (kind `vote`); the first sample with the winning value
    is the answer."""
    note: str | None
    """One line that every table shows beside the name."""
    sha256: str | None = None
    """Of the file at `path`."""


@dataclass(frozen=True, slots=True)
class EvaluatePlan:
    """What is measured, when, and how often."""

    every: int
    samples: int
    samples_between: int
    metrics: Mapping[str, str]
    """Expressions by name."""
    references: tuple[ReferencePlan, ...]
    pass_metric: str
    """The metric that says whether a sample passed (the first bool metric, else reward >= 1)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run does; the loop reads this and nothing else."""

    name: str
    seed: int
    spec_path: str
    spec_text: str
    device: Literal["cpu", "cuda", "auto"]
    model: ModelPlan
    data: DataPlan
    response: ResponsePlan
    graders: Mapping[str, Mapping[str, Any]]
    """Each grader's settings as JSON, `type` included; a Python grader's source is inside."""
    reward: str
    reward_range: tuple[float, float]
    """From interval analysis over the graders' ranges; a failed sample's reward is the first."""
    stop_above: float
    """Share of failed samples in a step above which the run stops, resumable."""
    train: TrainPlan
    evaluate: EvaluatePlan
    require: tuple[str, ...]
    track: tuple[str, ...]
    reasons: Mapping[str, str]
    """Dotted field of the plan (`train.steps`) → why it has its value: `spec.yaml:14`,
    `default: …`, `derived: 4 × 8`, `--set`."""
    sandbox: Literal["full", "reduced"] = "full"
    infrastructure: Literal["floor", "drop"] = "floor"
    """What becomes of samples that no judge or endpoint could be reached for."""
    smoke: bool = False
    """A trial of the whole path on a few rows, not a run: its numbers mean nothing."""
    contents: Mapping[str, str] | None = None
    """What each local model held when the plan was made: `base`, `graders.judge` → `sha256:…` of
    its files or `commit:…` on the hub. None where nobody looked."""
    options: tuple[str, ...] = ()
    """What was typed beside the spec to make this plan: `--set`, `train.steps=20`, …"""

    @property
    def hash(self) -> str:
        """Twelve hex digits over all that decides the run (see `deciding`)."""
        content = self.deciding()
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]

    def deciding(self) -> dict[str, Any]:
        """What decides the run, as JSON values: not where files lie, nor reasons or the text."""
        content = self.to_json()
        for name in (*_NOT_HASHED, "format"):
            del content[name]
        if not self.smoke:
            del content["smoke"]
        if Path(self.model.base).is_absolute():
            content["model"]["base"] = Path(self.model.base).name
        del content["model"]["adapter"]
        for split in ("train", "validation", "test"):
            if content["data"][split] is not None:
                del content["data"][split]["path"]
        del content["data"]["gold"]
        for reference in content["evaluate"]["references"]:
            reference.pop("path")
            reference.pop("note")
        return content

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON values; `from_json` gives the same plan back."""
        content = _plain(self)
        return {"format": FORMAT, **content}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Plan:
        """A plan from what `to_json` gave. Raises ValueError when it is something else."""
        found = content.get("format")
        if found != FORMAT:
            raise ValueError(
                f"this is not a plan of this rftspec: format {found!r}, not {FORMAT!r}"
            )
        try:
            plan: Plan = _read(cls, content)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the plan is damaged: {error}") from error
        return plan


def _plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings as dicts and lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _read(hint: Any, value: Any) -> Any:
    """A JSON value in the form that an annotation asks for."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        fields = {f.name: f for f in dataclasses.fields(hint)}
        return hint(
            **{
                name: _read(hints[name], value[name])
                for name, field in fields.items()
                if name in value or field.default is dataclasses.MISSING
            }
        )
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else _read(arguments[0], value)
    if origin is tuple:
        return tuple(_read(arguments[0], item) for item in value)
    if hint is float:
        return float(value)
    return value
