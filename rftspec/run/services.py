"""What a run hands to its graders: local models, opened once, and a folder for replies."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rftspec.graders.services import Embedder, Judge, Services
from rftspec.plan.cache import cache_folder
from rftspec.spec.paths import model_kind

if TYPE_CHECKING:
    from rftspec.engine.embedder import LocalEmbedder
    from rftspec.engine.judge import LocalJudge
    from rftspec.plan.model import Plan


def open_services(plan: Plan) -> Services:
    """The services of a run; models are found at once and loaded when they are first asked."""
    models = _Models(Path(plan.spec_path).parent, plan.device)
    return Services(judge=models.judge, embedder=models.embedder, cache=cache_folder())


class _Models:
    """Local models by name: graders that name the same model share it."""

    def __init__(self, folder: Path, device: Literal["cpu", "cuda", "auto"]) -> None:
        self._folder = folder
        self._device = device
        self._lock = threading.Lock()
        self._judges: dict[str, LocalJudge] = {}
        self._embedders: dict[str, LocalEmbedder] = {}

    def judge(self, name: str) -> Judge:
        """The causal language model of this name. Raises DiagnosticError when it is nowhere."""
        from rftspec.engine.judge import LocalJudge

        with self._lock:
            if name not in self._judges:
                self._judges[name] = LocalJudge(self._place(name), self._device)
            return self._judges[name]

    def embedder(self, name: str) -> Embedder:
        """The embedding model of this name. Raises DiagnosticError when it is nowhere."""
        from rftspec.engine.embedder import LocalEmbedder

        with self._lock:
            if name not in self._embedders:
                self._embedders[name] = LocalEmbedder(self._place(name), self._device)
            return self._embedders[name]

    def _place(self, name: str) -> str:
        """A folder's path relative to the spec, as `model.base` is; other names as they are."""
        if model_kind(name) == "folder":
            return str((self._folder / name).resolve())
        return name
