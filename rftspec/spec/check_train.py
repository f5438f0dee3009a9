"""The fields of `train:` against each other: what excludes what, and what would do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rftspec.spec.algorithms import ALGORITHMS, Algorithm
from rftspec.spec.document import Node
from rftspec.spec.draft import Draft
from rftspec.spec.model import Response
from rftspec.spec.train import Train


def check_train(draft: Draft) -> None:
    """Say where fields exclude each other, do nothing, or are hardly meant."""
    _Check(draft).run()


class _Check:
    """Reads the draft's `train:` with its defaults."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.row: Algorithm = ALGORITHMS[self._value("algorithm", Train().algorithm)]

    def run(self) -> None:
        """All checks."""
        self._steps()
        self._rate()
        self._updates()
        self._overlong()
        self._early_stopping()
        self._scale()
        self._kl()

    def _value(self, name: str, default: Any) -> Any:
        found = self.draft.get("train", name)
        return default if found is None else found

    def _node(self, *path: str) -> Node | None:
        return self.draft.node("train", *path)

    def _say(self, code: str, path: str, message: str, hint: str) -> None:
        node = self._node(*path.split("."))
        if node is None:
            return
        severity: Any = "warning" if code.startswith("W") else "error"
        self.draft.collector.add(
            node.problem(code, message, hint=hint, path=f"train.{path}", severity=severity)
        )

    def _steps(self) -> None:
        if self._node("steps") is not None and self._node("epochs") is not None:
            message = "`steps` and `epochs` are two ways to say the same"
            self._say("E111", "epochs", message, "keep one of them")

    def _rate(self) -> None:
        rate = self._value("learning_rate", None)
        if isinstance(rate, int | float) and not 1e-7 <= rate <= 0.01:
            message = f"a learning rate of {rate:g} is far from what works (1e-6 to 1e-3)"
            self._say("W115", "learning_rate", message, "`auto` chooses one by the model's size")

    def _updates(self) -> None:
        updates, prompts = self._value("updates_per_batch", 1), self._value("prompts_per_step", 0)
        if 0 < prompts < updates:
            message = f"{updates} updates cannot share {prompts} groups"
            hint = "each update takes whole groups: at most as many updates as `prompts_per_step`"
            self._say("E111", "updates_per_batch", message, hint)
        if updates == 1:
            message = "nothing is clipped with one update per batch: every ratio is 1"
            self._say("W119", "clip", message, "raise `updates_per_batch`, or leave it out")

    def _overlong(self) -> None:
        buffer = self._value("overlong_buffer", None)
        if buffer is None:
            return
        if self._value("overlong", self.row.overlong) != "punish":
            message = "`overlong_buffer` is the stretch of `overlong: punish`, which is not set"
            self._say("E111", "overlong_buffer", message, "add `overlong: punish`")
            return
        most = self.draft.get("response", "max_tokens") or Response().max_tokens
        if buffer >= most:
            message = f"a buffer of {buffer} tokens is all of `response.max_tokens` ({most})"
            hint = "a fifth of it is usual: every answer would be punished"
            self._say("E111", "overlong_buffer", message, hint)

    def _early_stopping(self) -> None:
        if self.draft.node("data", "validation") is None:
            message = "early stopping needs validation rows: their reward decides"
            hint = "add `data.validation`: a file, or `{ split: 200 }`"
            self._say("E111", "early_stopping", message, hint)

    def _scale(self) -> None:
        if self.row.baseline == "batch" and self._value("scale_rewards", None) == "group":
            message = f"{self.row.name} compares with the whole batch: it has no groups to scale by"
            self._say("E111", "scale_rewards", message, "`batch` (the default), or `none`")

    def _kl(self) -> None:
        kl = self._value("kl", None)
        if not isinstance(kl, Mapping) or kl.get("estimator") is None:
            return
        if kl.get("coef") == 0:
            message = "the estimator does nothing at `coef: 0`"
            self._say("W119", "kl.estimator", message, "give `coef` a weight, or leave it out")
        elif kl["estimator"] == "k1" and self.row.kl == "loss":
            message = f"k1 in the loss of {self.row.name} has a gradient of zero on average"
            hint = "use k3 or k2; k1 is for algorithms that take the divergence off the reward"
            self._say("W119", "kl.estimator", message, hint)
