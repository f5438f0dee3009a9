"""The knobs of `train:` that follow from the algorithm's row, with the reason for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rftspec.spec.algorithms import ALGORITHMS, Algorithm
from rftspec.spec.train import Clip, DownWeight, EarlyStopping, Kl, Train

Place = Callable[[str], str | None]
"""Where a field stands in the spec; None where it does not."""

GROUPED = ("clip", "kl", "down_weight", "early_stopping")
"""Fields of the spec that are several numbers of the plan."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """Fields of a TrainPlan, and reasons by their names."""

    values: Mapping[str, Any]
    reasons: Mapping[str, str]


def knobs(train: Train, max_tokens: int, place: Place) -> Knobs:
    """Everything about the update that does not depend on the data or the model's size."""
    return _Knobs(train, max_tokens, place).made()


class _Knobs:
    """Puts values and reasons together."""

    def __init__(self, train: Train, max_tokens: int, place: Place) -> None:
        self.train, self.max_tokens, self.place = train, max_tokens, place
        self.row: Algorithm = ALGORITHMS[train.algorithm]
        self.values: dict[str, Any] = {}
        self.reasons: dict[str, str] = {}

    def made(self) -> Knobs:
        """All of them, in the order of the plan."""
        train, row = self.train, self.row
        for name in ("updates_per_batch", "schedule", "optimizer", "entropy_bonus"):
            self.values[name] = getattr(train, name)
        for name in ("length_penalty", "correction", "keep_best"):
            self.values[name] = getattr(train, name)
        clip = train.clip
        low, high = (clip.low, clip.high) if isinstance(clip, Clip) else (clip, clip)
        paper = f"default: {row.name}'s (arXiv:{row.arxiv})"
        clips = train.updates_per_batch > 1  # else the ratio is 1
        self._put("clip_low", low, row.low if clips else None, paper, "clip.low", "clip")
        self._put("clip_high", high, row.high if clips else None, paper, "clip.high", "clip")
        self._kl()
        self._put("scale_rewards", train.scale_rewards, row.scale, paper, "scale_rewards")
        self._overlong(paper)
        self._put("refill", train.refill, row.refill, f"default: {row.name}'s", "refill")
        self._down_weight()
        self._early_stopping()
        return Knobs(self.values, self.reasons)

    def _put(self, name: str, given: Any, default: Any, why: str, *fields: str) -> None:
        """A value of the spec with its place (the first of `fields` that is there), or a default.

        A value that is None is none of the run, and has no reason.
        """
        self.values[name] = default if given is None else given
        if self.values[name] is None:
            return
        places = [self.place(f"train.{field}") for field in fields]
        found = next((p for p in places if p is not None), None)
        self.reasons[f"train.{name}"] = why if given is None or found is None else found

    def _kl(self) -> None:
        kl = self.train.kl
        coef, estimator = (kl.coef, kl.estimator) if isinstance(kl, Kl) else (kl, None)
        off = "default: off: it is watched and reported, not paid for (DAPO, Tinker)"
        self._put("kl", coef, 0.0, off, "kl.coef", "kl")
        default = None
        if coef > 0:
            default = "k3" if self.row.kl == "loss" else "k1"
        why = f"default: {self.row.name} has the divergence in its {self.row.kl}"
        self._put("kl_estimator", estimator, default, why, "kl.estimator")

    def _overlong(self, paper: str) -> None:
        row, train = self.row, self.train
        keep = "default: the graders see a truncated answer as it is"
        why = keep if row.overlong == "keep" else paper
        self._put("overlong", train.overlong, row.overlong, why, "overlong")
        buffer = max(1, self.max_tokens // 5) if self.values["overlong"] == "punish" else None
        fifth = f"derived: {self.max_tokens} / 5 tokens (DAPO)"
        self._put("overlong_buffer", train.overlong_buffer, buffer, fifth, "overlong_buffer")

    def _down_weight(self) -> None:
        found = self.train.down_weight
        section = DownWeight(weight=found) if isinstance(found, float) else found
        whole = "down_weight"
        if section is None:
            off = "default: off: every group counts the same"
            self._put("down_weight", None, 1.0, off)
            return
        self._put("down_weight", section.weight, None, "", "down_weight.weight", whole)
        default = "default: of a down-weighted group"
        for part in ("easy", "hard"):
            value = getattr(section, part)
            placed = value if self.place(f"train.down_weight.{part}") else None
            self._put(f"down_weight_{part}", placed, value, default, f"down_weight.{part}")

    def _early_stopping(self) -> None:
        found = self.train.early_stopping
        if found is None:
            return
        section = found if isinstance(found, EarlyStopping) else EarlyStopping(patience=found)
        whole = "early_stopping"
        self._put("early_stopping", section.patience, None, "", "early_stopping.patience", whole)
        name = "early_stopping.min_delta"
        given = section.min_delta if self.place(f"train.{name}") else None
        why = "default: any rise counts"
        self._put("early_stopping_min_delta", given, section.min_delta, why, name)
