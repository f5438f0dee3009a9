"""Every metric of a run, declared once: name, unit, meaning, healthy direction.

Names are the hosted product's where it has one (`train_reward_mean`, `valid_reward_mean`,
`completion_tokens_mean`, `train_sample_parse_error_mean`). A name with `{…}` is a family, such as
`graders/{grader}/train_reward_mean`. Logging a metric that is not declared is an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import get_args

from rftspec.graders.score import ErrorKind
from rftspec.record.metric_table import SECTIONS, Healthy, Metric, Stream

__all__ = ["METRICS", "SECTIONS", "Metric", "UndeclaredMetric", "declared", "split_streams"]


class UndeclaredMetric(KeyError):
    """A metric was logged that `record/metric_table.py` does not declare: a bug in the caller."""


METRICS: tuple[Metric, ...] = tuple(metric for part in SECTIONS.values() for metric in part)

_EXACT = {metric.name: metric for metric in METRICS if "{" not in metric.name}
_ERROR_KINDS = "|".join(get_args(ErrorKind))


def _pattern(name: str) -> re.Pattern[str]:
    """A family's name as a pattern; `{error}` is one of the error kinds, others anything."""
    parts = re.split(r"(\{[a-z]+\})", name)
    holes = {"{error}": f"(?:{_ERROR_KINDS})"}
    return re.compile("".join(holes.get(p, ".+") if p[:1] == "{" else re.escape(p) for p in parts))


_FAMILIES = tuple((_pattern(metric.name), metric) for metric in METRICS if "{" in metric.name)


def declared(name: str) -> Metric:
    """The declaration that a metric's name falls under; UndeclaredMetric when there is none."""
    exact = _EXACT.get(name)
    if exact is not None:
        return exact
    for pattern, metric in _FAMILIES:
        if pattern.fullmatch(name):
            return metric
    raise UndeclaredMetric(f"`{name}` is not declared in record/metric_table.py")


def split_streams(
    values: Mapping[str, float],
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Declared values as (deterministic, measured); a non-finite one becomes None in the record."""
    streams: dict[Stream, dict[str, float | None]] = {"events": {}, "timings": {}}
    for name, value in values.items():
        streams[declared(name).stream][name] = float(value) if math.isfinite(value) else None
    return streams["events"], streams["timings"]


_ARROWS: Mapping[Healthy, str] = {
    "up": "rises",
    "down": "falls",
    "steady": "stays steady",
    "zero": "stays at zero",
    "context": "depends on the task",
}


def markdown() -> str:
    """`docs/metrics.md`, whole; a test holds the file equal to this."""
    lines = [
        "# Metrics",
        "",
        "Generated from `rftspec/record/metric_table.py` by `python -m tools.metrics_doc`; do not "
        "edit. Step metrics stand",
        "in `events.jsonl` (the same in every run of a plan on one device), timings in "
        "`timings.jsonl`. `hosted` is the name in",
        "OpenAI's reinforcement fine-tuning events or result files, where it differs.",
    ]
    for title, metrics in SECTIONS.items():
        lines += ["", f"## {title}", "", "| metric | unit | healthy | meaning | hosted |"]
        lines += ["|---|---|---|---|---|"]
        for m in metrics:
            hosted = f"`{m.openai}`" if m.openai else ""
            lines.append(
                f"| `{m.name}` | {m.unit} | {_ARROWS[m.healthy]} | {m.meaning} | {hosted} |"
            )
    return "\n".join(lines) + "\n"
