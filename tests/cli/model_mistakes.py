"""Mistakes about models, each made to happen: for the golden messages of the engine's codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rftspec.diagnostics import Diagnostic, DiagnosticError
from tests.engine.conftest import make_plan as engine_plan

Found = Sequence[Diagnostic]
Make = Callable[[Path, pytest.MonkeyPatch], Found]


def said(call: Callable[[], Any]) -> Found:
    """What a call that must fail says."""
    with pytest.raises(DiagnosticError) as caught:
        call()
    return caught.value.diagnostics


def _engine(**changes: Any) -> Found:
    from rftspec.engine.local import LocalEngine

    base = changes.pop("base", "builtin:none-such")
    return said(lambda: LocalEngine.open(engine_plan(base, **changes)))


def _hub(kind: str) -> Found:
    from rftspec.engine import load

    error = OSError("403 Client Error. Cannot access gated repo.")
    error.__cause__ = type(kind, (Exception,), {})("403")
    found = load._explained(error, "owner/model", "M204", "it cannot be read")
    assert isinstance(found, DiagnosticError)
    return found.diagnostics


def _broken_model(folder: Path, what: str) -> Found:
    from tests.engine.test_loading import broken
    from tests.toy import make_toy_model

    model = broken(lambda: make_toy_model(folder / "toy"), folder / "model", what)
    return _engine(base=model)


def _toy(folder: Path, **changes: Any) -> Found:
    from tests.toy import make_toy_model

    return _engine(base=make_toy_model(folder / "toy"), **changes)


def _opened(folder: Path) -> Any:
    from rftspec.engine.local import LocalEngine
    from tests.toy import make_toy_model

    return LocalEngine.open(engine_plan(make_toy_model(folder / "toy")))


def _long_prompt(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.engine.types import Prompt

    prompt = Prompt((5,) * 500, ("train", 3, 41))
    settings = {"samples": 1, "temperature": 1.0, "max_tokens": 16, "policy": "base"}
    return said(lambda: _opened(folder).sample([prompt], **settings))


def _no_gpu(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    from rftspec.engine import load

    patch.setattr(load.torch.cuda, "is_available", lambda: False)
    return said(lambda: load.choose_device("cuda"))


def _no_nf4(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    patch.setitem(sys.modules, "bitsandbytes.nn", None)
    return _toy(folder)


def _no_adapter(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.engine import adapter

    return said(lambda: adapter.load(None, folder / "adapter"))


def _no_memory(folder: Path, patch: pytest.MonkeyPatch) -> Found:
    import transformers

    def too_large(*_: object, **__: object) -> None:
        raise MemoryError

    patch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", too_large)
    return _toy(folder)


def _refusing_template(folder: Path, _: pytest.MonkeyPatch) -> Found:
    engine = _opened(folder)
    engine.tokenizer.chat_template = "{{ raise_exception('no system messages') }}"
    return said(lambda: engine.encode([{"role": "system", "content": "x"}]))


def _prompt_adapter(folder: Path, _: pytest.MonkeyPatch) -> Found:
    from rftspec.engine.saved import _refuse_prompt_learning

    folder = folder / "adapter"
    folder.mkdir()
    settings = {"peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": 4}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return said(lambda: _refuse_prompt_learning(folder))


MODELS: dict[str, Make] = {
    "M201": lambda *_: _engine(),
    "M202": lambda *_: _hub("RepositoryNotFoundError"),
    "M203": lambda *_: _hub("GatedRepoError"),
    "M204": lambda folder, _: _broken_model(folder, "no config"),
    "M205": lambda folder, _: _broken_model(folder, "no tokenizer"),
    "M206": lambda folder, _: _broken_model(folder, "no template"),
    "M207": lambda folder, _: _broken_model(folder, "no language model"),
    "M208": lambda folder, _: _toy(folder, lora_targets=("query_key_value",)),
    "M209": _no_gpu,
    "M210": _long_prompt,
    "M211": _no_nf4,
    "M212": _no_adapter,
    "M213": _no_memory,
    "M214": _refusing_template,
    "M215": lambda folder, _: _toy(folder, algorithm="gppo"),
    "M216": _prompt_adapter,
}
