"""The settings that judges share: which model, where, how it samples, and how much it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rftspec.diagnostics import Diagnostic
from rftspec.graders.building import Builder, Settings
from rftspec.graders.remote import keys
from rftspec.graders.remote.address import check_package, check_url, check_variables
from rftspec.graders.remote.schema import OPENAI_URL
from rftspec.resources import resource

OPENAI_KEY = "OPENAI_API_KEY"
LONGEST_REPLY = 4096
LONGEST_THOUGHT = 16384
LONGEST_LOCAL = 512
_BUILTIN = "builtin:"

_REMOTE_ONLY = (
    "base_url", "api_key_env", "answer_format", "timeout_s", "retries", "concurrency",
    "max_tokens_total",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how often and how fast a service may be asked."""

    timeout_s: float
    retries: int
    concurrency: int
    rate: float | None = None
    """Requests per second, repeated ones among them."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Which judge to ask, and how."""

    model: str
    local: bool
    base_url: str
    api_key_env: str | None
    sampling: Mapping[str, Any]
    """`seed`, `temperature`, `top_p` and `reasoning_effort`, where they are given."""
    longest_reply: int
    answer_format: Literal["auto", "json_schema", "text"]
    limits: Limits
    max_tokens_total: int | None
    cache: bool

    def api_key(self) -> str | None:
        """The key, from the environment; never kept in the settings."""
        return None if self.api_key_env is None else keys.value_of(self.api_key_env)

    @property
    def is_openai(self) -> bool:
        """Whether OpenAI itself is asked: no other host gets its organisation's name."""
        return self.base_url.rstrip("/") == OPENAI_URL


def read_judge(settings: Settings) -> ChatSettings:
    """The judge's settings with their defaults; their values have been checked."""
    given = {k: v for k, v in settings.get("sampling_params", {}).items() if v is not None}
    spelled = given.pop("max_completions_tokens", None)
    longest = given.pop("max_completion_tokens", spelled)
    local = settings.get("local", False)
    default = LONGEST_THOUGHT if "reasoning_effort" in given else LONGEST_REPLY
    default = LONGEST_LOCAL if local else default
    base_url = settings.get("base_url")
    return ChatSettings(
        model=settings["model"],
        local=local,
        base_url=base_url or OPENAI_URL,
        api_key_env=settings.get("api_key_env", None if base_url else OPENAI_KEY),
        sampling=given,
        longest_reply=default if longest is None else longest,
        answer_format=settings.get("answer_format", "auto"),
        limits=Limits(
            float(settings.get("timeout_s", 120)),
            settings.get("retries", 4),
            settings.get("concurrency", 8),
        ),
        max_tokens_total=settings.get("max_tokens_total"),
        cache=settings.get("cache", True),
    )


def check_judge(settings: Settings, builder: Builder) -> list[Diagnostic]:
    """Everything wrong with the judge's settings; nothing is contacted or imported."""
    sampling = settings.get("sampling_params", {})
    found = []
    if None not in (sampling.get("max_completion_tokens"), sampling.get("max_completions_tokens")):
        message = "`max_completion_tokens` and `max_completions_tokens` are the same setting"
        found.append(builder.problem("E445", message, "sampling_params", hint="keep one"))
    if settings.get("local", False):
        return [*found, *_check_local(settings, builder)]
    judge = read_judge(settings)
    if judge.model.startswith(_BUILTIN):
        message = f"`{judge.model}` runs on this machine, and no endpoint has it"
        return [*found, builder.problem("E445", message, "model", hint="add `local: true`")]
    if "base_url" in settings:
        secret = judge.api_key_env is not None
        found += check_url(judge.base_url, "base_url", builder, secret=secret)
    if judge.api_key_env is not None:
        where = "api_key_env" if "api_key_env" in settings else "model"
        found += check_variables({where: judge.api_key_env}, builder)
    return [*found, *check_package("openai", builder)]


def _check_local(settings: Settings, builder: Builder) -> list[Diagnostic]:
    found = []
    for name in _REMOTE_ONLY:
        if name in settings:
            message = f"`{name}` is about an endpoint; this judge runs on this machine"
            hint = f"leave out `{name}`, or `local: true`"
            found.append(builder.problem("E445", message, name, hint=hint))
    if settings.get("sampling_params", {}).get("reasoning_effort") is not None:
        message = "`reasoning_effort` is for judges behind an endpoint"
        found.append(builder.problem("E445", message, "sampling_params.reasoning_effort"))
    model: str = settings["model"]
    if model.startswith(_BUILTIN):
        try:
            resource("models", model.removeprefix(_BUILTIN), "config.json")
        except FileNotFoundError:
            known = ", ".join(f"`{_BUILTIN}{name}`" for name in builtin_models())
            message = f"there is no built-in model `{model}`"
            found.append(builder.problem("E446", message, "model", hint=f"there are {known}"))
    if builder.services.judge is None and not builder.services.checking:
        message = "a local judge cannot be opened here: no engine is at hand"
        found.append(builder.problem("E446", message, "model", hint="use `rftspec run`"))
    return found


def builtin_models() -> list[str]:
    """The names of the models that rftspec ships."""
    try:
        folder = resource("models")
    except FileNotFoundError:
        return []
    return sorted(path.name for path in folder.iterdir() if (path / "config.json").is_file())
