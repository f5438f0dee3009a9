"""What `rftspec eval` measures: who it is, what its folder holds now, and the evaluation's key."""

from __future__ import annotations

import dataclasses
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rftspec.data.rows import file_hash
from rftspec.graders.remote.cache import key_of
from rftspec.plan.identity import folder_hash, identify, identity
from rftspec.plan.model import Plan, SplitPlan
from rftspec.record.errors import RecordError, unreadable
from rftspec.record.evaluations import EvalHead, Subject, SubjectKind
from rftspec.spec.paths import model_kind

ADAPTER_CONFIG = "adapter_config.json"
_GENERIC = ("adapter", "checkpoints", "runs")
_COMPUTING = ("torch", "transformers", "peft", "bitsandbytes", "tokenizers")


def base_subject(plan: Plan) -> Subject:
    """The spec's own base model."""
    return Subject("base", "base", plan.model.base, _base_identity(plan))


def model_subject(plan: Plan, kind: SubjectKind = "model") -> Subject:
    """Another base, which `plan.model` names already."""
    label = plan.model.base.rstrip("/").rsplit("/", 1)[-1].removeprefix("builtin:")
    return Subject(kind, label, plan.model.base, _base_identity(plan))


def adapter_subject(folder: Path) -> Subject:
    """An adapter in PEFT's format; raises RecordError R414 when the folder holds none."""
    if not (folder / ADAPTER_CONFIG).is_file():
        raise RecordError(
            "R414",
            f"`{folder}` is no adapter: it has no {ADAPTER_CONFIG}",
            path=folder / ADAPTER_CONFIG,
            hint=_near_adapter(folder),
        )
    found = folder.resolve()
    names = [found.name]
    for parent in found.parents[:2]:
        if names[0] in _GENERIC or names[0].startswith("step-"):
            names.insert(0, parent.name)
    label = "/".join(name for name in names if name not in _GENERIC) or found.name
    return Subject("adapter", label, str(found), f"sha256:{folder_hash(found)}")


def outputs_subject(path: Path) -> Subject:
    """A file of outputs made elsewhere; raises RecordError R409 when it cannot be read."""
    try:
        told = file_hash(path)
    except OSError as error:
        raise unreadable(error, path) from error
    return Subject("outputs", path.stem, str(path.resolve()), f"sha256:{told}")


def head_of(plan: Plan, subject: Subject, split: str, samples: int, *, greedy: bool) -> EvalHead:
    """What stands in `eval.json`; `samples` is 0 for outputs made elsewhere."""
    part: SplitPlan | None = getattr(plan.data, split)
    decides: dict[str, Any] = {
        "model": sampling_key(plan, subject),
        "outputs": subject.identity if subject.kind == "outputs" else None,
        "split": [split, part and part.sha256, part and part.indices],
        "prompt": plan.data.prompt,
        "disjoint": plan.data.disjoint,
        "samples": [samples, greedy],
        "graders": [plan.graders, _judges(plan)],
        "reward": [plan.reward, plan.reward_range, plan.infrastructure],
        "metrics": [plan.evaluate.metrics, plan.evaluate.pass_metric],
        "response": dataclasses.asdict(plan.response),
    }
    key = key_of(**decides)[:16]
    return EvalHead(plan, subject, split, samples, greedy, key, created=int(time.time()))


def sampling_key(plan: Plan, subject: Subject) -> str:
    """A hash of all that a completion depends on, beside its prompt and its place."""
    if subject.kind == "outputs":
        return ""
    named = {"base", "revision"}  # what they stand for counts, and an adapter has its own LoRA
    model = {
        name: value
        for name, value in dataclasses.asdict(plan.model).items()
        if name not in named and not name.startswith("lora_")
    }
    return key_of(
        base=_base_identity(plan) or [plan.model.base, plan.model.revision],
        adapter=subject.identity if subject.kind == "adapter" else None,
        model=model,
        device=plan.device,
        seed=plan.seed,
        response=dataclasses.asdict(plan.response),
        versions=_versions(),
    )


def base_is_known(plan: Plan) -> bool:
    """False for a hub model that is not in the cache: what it is can be told once it is."""
    return _base_identity(plan) is not None or model_kind(plan.model.base) != "hub"


def eval_folder(head: EvalHead, root: Path | None = None) -> Path:
    """Where an evaluation goes unless the person says otherwise: evals/NAME-LABEL-KEY."""
    label = "".join(c if c.isalnum() or c in "-_." else "-" for c in head.subject.label)
    name = head.plan.name
    whole = label if label.startswith(f"{name}-") else f"{name}-{label.strip('.')}"
    return (root or Path("evals")) / f"{whole}-{head.key[:6]}"


def with_model(plan: Plan, base: str, revision: str | None) -> Plan:
    """The plan with another base; a folder is made absolute."""
    folder = Path(base).expanduser()
    place = str(folder.resolve()) if folder.is_dir() else base
    return dataclasses.replace(
        plan, model=dataclasses.replace(plan.model, base=place, revision=revision)
    )


def _base_identity(plan: Plan) -> str | None:
    return identity(plan.model.base, plan.model.revision, Path(plan.spec_path).parent)


def _judges(plan: Plan) -> dict[str, str]:
    """What the folders of models that graders open hold."""
    told = identify(plan)
    return {name: one for name, one in told.items() if name != "base" and one.startswith("sha256")}


def _versions() -> dict[str, str]:
    found = {}
    for name in _COMPUTING:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def _near_adapter(folder: Path) -> str:
    """Where an adapter is near a folder that holds none."""
    for near in (folder / "adapter", *sorted(folder.glob("checkpoints/*"), reverse=True)):
        if (near / ADAPTER_CONFIG).is_file():
            return f"did you mean `{near}`?"
    if not folder.exists():
        return "there is no such folder; the path is relative to where you are"
    return "name the folder that `rftspec run` (`adapter/`) or peft's `save_pretrained` wrote"
