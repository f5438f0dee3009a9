"""The Spec: what the user meant, frozen and typed. Every field is declared here and only here."""

# ruff: noqa: RUF009 - `setting` makes a dataclasses.field

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rftspec.spec import fragments
from rftspec.spec.fields import setting
from rftspec.spec.train import Train

SPEC_VERSION = 1
RESERVED_MODELS = ("base", "tuned")
"""Names that `metric(…)` knows already; no reference may take them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """The adapter: low-rank matrices beside the frozen base (LoRA)."""

    rank: int = setting(
        "Rank of the adapter's matrices.",
        default=16,
        reason="8–32 is enough for reinforcement learning (LoRA Without Regret)",
        minimum=1,
        maximum=512,
    )
    alpha: float = setting(
        "Scale of the adapter: its output is multiplied by alpha / rank.",
        default=32.0,
        reason="32 at every rank (LoRA Without Regret)",
        exclusive_minimum=0,
        maximum=4096,
    )
    targets: str | tuple[str, ...] = setting(
        "Linear layers that get an adapter: `all-linear`, names such as [q_proj, v_proj], or "
        "patterns over whole names such as `layers.1?.self_attn.*`.",
        default="all-linear",
        reason="adapters on all layers learn as full fine-tuning does (LoRA Without Regret)",
        min_length=1,
        min_items=1,
    )
    variant: Literal["lora", "rslora", "dora"] = setting(
        "`lora`, `rslora` (scaled by alpha / √rank, arXiv:2312.03732) or `dora` (a trained "
        "magnitude beside, arXiv:2402.09353).",
        default="lora",
        reason="the plainest; dora takes the slower path",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The base model and the adapter that is trained on it."""

    base: str = setting(
        "`builtin:toy` or `builtin:case-reader`, a Hugging Face id such as "
        "`Qwen/Qwen2.5-1.5B-Instruct`, or a folder (starting with `./` or `../`).",
        example="builtin:case-reader",
        min_length=1,
        max_length=500,
        x_env=True,
    )
    revision: str | None = setting(
        "Branch, tag or commit of a Hugging Face model.",
        default=None,
        example="main",
        min_length=1,
        max_length=200,
        x_env=True,
    )
    quantization: Literal["nf4", "none"] = setting(
        "How the frozen base is held: 4-bit NormalFloat (QLoRA), or as it is stored.",
        default="nf4",
        reason="a quarter of the memory of 16 bits at the same quality (QLoRA)",
    )
    lora: Lora = setting("The adapter.", default=Lora)
    adapter: str | None = setting(
        "A folder with a LoRA adapter that training goes on with, ours or any that PEFT has saved; "
        "it brings its own `lora` settings. Base and reference are the model without it.",
        default=None,
        reason="none: a fresh adapter",
        example="runs/first/adapter",
        x_path="folder",
        min_length=1,
        max_length=500,
        x_env=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Carve:
    """Validation rows taken out of the training file."""

    split: int = setting("How many rows to take.", minimum=1, maximum=1_000_000, example=200)
    by: str | None = setting(
        "A field such as `item.gene` whose equal values stay on one side.",
        default=None,
        example="item.gene",
        pattern=fragments.ITEM_FIELD,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The rows: what the model is asked, and what the graders need to judge the answer."""

    train: str = setting(
        "Training rows: a JSONL, JSON, CSV or Parquet file, relative to the spec, or a Hugging "
        "Face data set such as `hf:openai/gsm8k?config=main`.",
        example="data/train.jsonl",
        x_path="file",
        min_length=1,
        x_env=True,
    )
    validation: str | Carve | None = setting(
        "Rows that steer (curve, best checkpoint): a file or data set, or "
        "`{ split: 200, by: item.x }`.",
        default=None,
        example="data/validation.jsonl",
        x_path="file",
        min_length=1,
        x_env=True,
    )
    test: str | None = setting(
        "Rows that choose nothing: the headline is measured here. A file or data set.",
        default=None,
        reason="without it the headline is measured on the validation rows",
        example="data/test.jsonl",
        x_path="file",
        min_length=1,
        x_env=True,
    )
    disjoint: tuple[str, ...] = setting(
        "Fields whose values no two files may share; intervals cluster by the first.",
        default=(),
        example=["item.gene"],
        replace=fragments.DISJOINT,
    )
    prompt: Any = setting(
        "For rows without `messages`: a template, or a list of messages with templates.",
        default=None,
        example="{{ item.question }}",
        replace=fragments.PROMPT,
    )
    gold: Any = setting(
        "The perfect answer to a row, as a template or as JSON whose texts are templates: what "
        "`rftspec grade --probe` and `rftspec plan` compare lazy answers with. Never trained on.",
        default=None,
        reason="found among the rows' own fields, where one earns anything",
        example={"reasoning": "…", "genes": ["{{ item.gene }}"]},
        replace=fragments.GOLD,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """How answers are sampled and read."""

    format: Mapping[str, Any] | None = setting(
        "OpenAI's `response_format`: `{ type: json_schema, json_schema: { name, schema } }`, "
        "`{ type: json_object }` or `{ type: text }`; graders then see `sample.output_json`.",
        default=None,
        example={"type": "json_object"},
        replace=fragments.RESPONSE_FORMAT,
    )
    max_tokens: int = setting(
        "Most tokens of one answer; a longer one is cut off and counted as truncated.",
        default=512,
        reason="room for a short reasoned answer",
        minimum=1,
        maximum=131_072,
    )
    temperature: float = setting(
        "Sampling temperature of rollouts and evaluations.",
        default=1.0,
        reason="log-probabilities are then those of the model itself",
        exclusive_minimum=0,
        maximum=2,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnError:
    """What to do about samples that could not be graded; their reward is the lowest possible."""

    stop_above: float = setting(
        "Share of failed samples in a step above which the run stops, resumable.",
        default=0.05,
        reason="one in twenty: more is a broken grader, not a bad answer",
        minimum=0,
        maximum=1,
    )
    infrastructure: Literal["floor", "drop"] = setting(
        "A sample that only lacks a score because a judge or an endpoint is down: give it the "
        "lowest reward, or drop it from training and from means. Dropped ones count as failed.",
        default="floor",
        reason="an answer that brings a server down must not be better off than a bad one",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A majority vote over several answers of the base model."""

    samples: int = setting(
        "Answers that vote.",
        default=8,
        reason="enough for a stable majority",
        minimum=2,
        maximum=256,
    )
    on: str = setting(
        "Expression whose value is voted on.",
        example='first(sample.output_json.genes) ?? ""',
        min_length=1,
        x_expression=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Something that the tuned model is compared with, beside its own base."""

    outputs: str | None = setting(
        "Answers made elsewhere: JSONL rows of `id` or `row`, and `output_text`.",
        default=None,
        example="data/outputs.jsonl",
        x_path="file",
        min_length=1,
        x_env=True,
    )
    vote: Vote | None = setting("The base model's majority vote.", default=None)
    note: str | None = setting(
        "One line that every table shows beside the name.",
        default=None,
        example="a ceiling",
        max_length=300,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """What is measured, when, and how often."""

    every: int = setting(
        "Steps between evaluations on the validation rows; step 0 is the base model.",
        default=20,
        reason="a curve of a few points without doubling the run's time",
        minimum=1,
        maximum=100_000,
    )
    samples: int = setting(
        "Completions per row at the base and at the end.",
        default=4,
        reason="narrows the intervals more cheaply than more rows",
        minimum=1,
        maximum=256,
    )
    samples_between: int = setting(
        "Completions per row at the evaluations between.",
        default=1,
        reason="enough for a curve",
        minimum=1,
        maximum=256,
    )
    metrics: Mapping[str, str] = setting(
        "Expressions by name that are shown and never enter the reward; a bool is shown as its "
        "share.",
        default={},
        example={"right": "(rank_of(item.gene, sample.output_json.genes) ?? 0) == 1"},
        replace=fragments.METRICS,
    )
    references: Mapping[str, Reference] = setting(
        "What the tuned model is compared with, by name.", default={}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One reinforcement fine-tuning run and its evaluation."""

    version: int = setting(
        "Version of the spec's form.",
        example=1,
        replace={"type": "integer", "const": SPEC_VERSION},
    )
    name: str | None = setting(
        "Name of the run and of its folder.",
        default=None,
        reason="the file's name",
        example="rare-disease",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=80,
    )
    seed: int = setting(
        "Seed of everything random: row order, sampling, adapter, split.",
        default=0,
        reason="any number will do",
        minimum=0,
        maximum=2**31 - 1,
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "Where the model runs.", default="auto", reason="the GPU if there is one"
    )
    model: Model = setting("The base model and its adapter.")
    data: Data = setting("The rows.")
    response: Response = setting("How answers are sampled and read.", default=Response)
    graders: Mapping[str, Any] = setting(
        "What scores an answer, by name; the names are the variables of `reward`.",
        example={"exact": {"type": "string_check"}},
    )
    reward: str | None = setting(
        "Expression over the graders' names that gives the reward.",
        default=None,
        reason="the only grader's score",
        example="0.9 * rank + 0.1 * concise",
        min_length=1,
        x_expression=True,
    )
    on_error: OnError = setting("What to do about samples that fail.", default=OnError)
    train: Train = setting("The optimisation.", default=Train)
    evaluate: Evaluate = setting("What is measured.", default=Evaluate)
    require: tuple[str, ...] = setting(
        "Gates: expressions that must hold at the end, else the exit code is 4.",
        default=(),
        example=['metric("top@1", "tuned") - metric("top@1", "base") >= 0.05'],
        replace=fragments.GATES,
    )
    track: tuple[Literal["tensorboard"], ...] = setting(
        "Other places that the run's numbers are written to.",
        default=(),
        example=["tensorboard"],
    )
    meta: Mapping[str, Any] | None = setting(
        "Yours: anything, never read by rftspec.", default=None, replace={"type": "object"}
    )
