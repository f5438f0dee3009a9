"""Trackers are readers of the record: TensorBoard gets what the events say, at any time.

A tracker that is not installed or fails says so and never stops a run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

from rftspec.graders.score import ErrorKind
from rftspec.plan.model import Plan
from rftspec.record.folder import Record
from rftspec.run.observer import Observer


def _declared_name(key: str) -> str:
    """The declared name of a number of an evaluation on the validation rows."""
    if key == "reward":
        return "valid_reward_mean"
    if key.startswith("graders/"):
        grader, slash, number = key.removeprefix("graders/").rpartition("/")
        number = {"": "reward_mean", "std": "reward_std"}.get(number if slash else "", number)
        return f"graders/{grader or key.removeprefix('graders/')}/valid_{number}"
    known = ("completion_tokens_mean", "truncated_share", "error_share")
    if key in known or key.removesuffix("_count").removesuffix("_mean") in get_args(ErrorKind):
        return f"valid_{key}"
    return f"metrics/{key}/valid_mean"


class Scalar(NamedTuple):
    """One point of one curve."""

    tag: str
    step: int
    value: float


def track(plan: Plan, record: Record, observer: Observer) -> None:
    """Send the record to every tracker that the plan names."""
    if "tensorboard" not in plan.track or not record.folder.exists():
        return
    try:
        write_tensorboard(record, record.layout.tensorboard)
    except ImportError:
        observer.on_notice(
            "track: tensorboard is not installed: `pip install 'rftspec[tensorboard]'`; the "
            "numbers stand in events.jsonl all the same"
        )
    except OSError as error:
        observer.on_notice(f"track: tensorboard files could not be written: {error}")


def scalars(record: Record) -> Iterator[Scalar]:
    """Every number of the record that belongs to a step, in order."""
    for event in record.events():
        if event.get("event") == "step":
            yield from _scalars(event["step"], event["metrics"], "")
        elif event.get("event") == "evaluation" and event["model"] != "tuned":
            if event["split"] == "validation":
                metrics = {_declared_name(k): v for k, v in event["metrics"].items()}
                yield from _scalars(event["step"], metrics, "")
        elif event.get("event") == "evaluation":
            yield from _scalars(event["step"], event["metrics"], f"tuned/{event['split']}/")


def _scalars(step: int, metrics: dict[str, float | None], prefix: str) -> Iterator[Scalar]:
    for name, value in metrics.items():
        if value is not None:
            yield Scalar(f"{prefix}{name}", step, value)


def write_tensorboard(record: Record, folder: Path) -> int:
    """Write the whole record as one TensorBoard event file, replacing an earlier one.

    Gives the number of points; raises ImportError where tensorboard is not installed.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    shutil.rmtree(folder, ignore_errors=True)
    writer = EventFileWriter(str(folder))
    count = 0
    try:
        for point in scalars(record):
            value = Summary.Value(tag=point.tag, simple_value=point.value)
            writer.add_event(Event(step=point.step, summary=Summary(value=[value])))
            count += 1
    finally:
        writer.close()
    return count
