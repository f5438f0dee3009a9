"""Find the base model, load it and its tokenizer, and say plainly what is wrong if that fails."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

import torch
from torch import nn

from rftspec.engine.problems import problem
from rftspec.plan.model import ModelPlan
from rftspec.resources import resource

_BUILTIN = "builtin:"
_CONNECT_SECONDS = 5.0


def choose_device(wanted: Literal["cpu", "cuda", "auto"]) -> torch.device:
    """The device of a run; M209 when a GPU was asked for and there is none."""
    if wanted == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if wanted == "cuda":
        raise problem("M209", "no CUDA device was found", path="device")
    return torch.device("cpu")


def locate(plan: ModelPlan) -> str:
    """The folder (absolute) or hub id that `model.base` means; M201 when it is nowhere."""
    base = plan.base
    if base.startswith(_BUILTIN):
        return str(_builtin(base.removeprefix(_BUILTIN)))
    folder = Path(base)
    if folder.is_dir():
        return str(folder.resolve())
    if folder.is_absolute() or base.startswith((".", "~")) or base.count("/") > 1:
        raise problem("M201", f"the base model's folder is not there: {base}", path="model.base")
    _check_reachable(base, plan.revision)
    return base


def load_tokenizer(place: str, revision: str | None) -> Any:
    """The model's tokenizer, known to have a chat template (M205, M206)."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(place, revision=revision)
    except Exception as error:
        raise _explained(error, place, "M205", "the tokenizer cannot be loaded") from error
    if not getattr(tokenizer, "chat_template", None):
        raise problem("M206", f"{place} has no chat template", path="model.base")
    return tokenizer


def load_model(place: str, revision: str | None, dtype: torch.dtype) -> nn.Module:
    """The causal language model in `dtype`, on the CPU, its weights frozen (M201 to M204, M207)."""
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(place, revision=revision)
    except Exception as error:
        raise _explained(error, place, "M204", "its config.json cannot be read") from error
    try:
        with _quiet():
            model = AutoModelForCausalLM.from_pretrained(
                place, revision=revision, config=config, dtype=dtype
            )
    except MemoryError as error:
        raise problem("M213", f"{place} does not fit into memory", path="model.base") from error
    except Exception as error:
        unknown = "Unrecognized configuration class" in str(error)
        code, said = ("M207", "it is not a causal language model") if unknown else (
            "M204", "its weights cannot be loaded"
        )  # fmt: skip
        raise _explained(error, place, code, said) from error
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.eval()  # type: ignore[no-any-return]


def stop_tokens(model: nn.Module, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end a completion: the model's and the tokenizer's end-of-turn tokens."""
    found: set[int] = set()
    for source in (getattr(model, "generation_config", None), tokenizer):
        value = getattr(source, "eos_token_id", None)
        if value is not None:
            found.update(value if isinstance(value, (list, tuple)) else [value])
    return tuple(sorted(found))


def _builtin(name: str) -> Path:
    try:
        models = resource("models")
    except FileNotFoundError:
        models = None
    known = sorted(p.name for p in models.iterdir() if p.is_dir()) if models else []
    if models is None or name not in known:
        listed = ", ".join(f"builtin:{n}" for n in known) or "none"
        raise problem(
            "M201",
            f"there is no built-in model `{name}`",
            hint=f"built-in models: {listed}",
            path="model.base",
        )
    return models / name


def _check_reachable(base: str, revision: str | None) -> None:
    """Fail at once, not after many retries, when a hub id is not cached and no hub answers."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(base, "config.json", revision=revision)
    except HFValidationError as error:
        said = f"`{base}` is neither a folder nor a hub id"
        raise problem("M201", said, path="model.base") from error
    if isinstance(cached, str):
        return
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    if offline or not _answers(os.environ.get("HF_ENDPOINT", "https://huggingface.co")):
        why = "HF_HUB_OFFLINE is set" if offline else "the Hugging Face hub cannot be reached"
        raise problem(
            "M201",
            f"the base model `{base}` is not a folder here and is not in the cache, and {why}",
            path="model.base",
        )


def _answers(endpoint: str) -> bool:
    """Whether a TCP connection to the hub (or to the proxy that leads there) can be opened."""
    url = urlparse(endpoint)
    proxy = os.environ.get(f"{url.scheme}_proxy") or os.environ.get(f"{url.scheme}_proxy".upper())
    if proxy:
        return True  # what the proxy reaches is found out by the download itself
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        with socket.create_connection((url.hostname or "", port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _explained(error: Exception, place: str, code: str, said: str) -> Exception:
    """The one diagnostic that a loader's exception amounts to, by the causes in its chain."""
    names: set[str] = set()
    cause: BaseException | None = error
    while cause is not None:
        names.add(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    by_cause = {
        "GatedRepoError": ("M203", "the model is gated"),
        "RepositoryNotFoundError": ("M202", "the hub has no such model"),
        "RevisionNotFoundError": ("M202", "the model has no such revision"),
        "LocalEntryNotFoundError": ("M201", "it is not in the cache and cannot be downloaded"),
    }
    for name, (found, words) in by_cause.items():
        if name in names:
            code, said = found, words
            break
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return problem(code, f"{place}: {said} ({first_line[:200]})", path="model.base")


class _quiet:  # noqa: N801 - reads as a statement
    """Keep transformers' progress bars off the terminal while weights load."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self._was_on = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        from transformers.utils import logging

        if self._was_on:
            logging.enable_progress_bar()
