"""The folder of one evaluation: a record without training, to which only graded samples are added.

It has a run's streams (`samples.jsonl`, `rows.jsonl`), so that whoever reads a run reads it too,
and `eval.json` in the place of `plan.json`: what is measured, and the plan with its graders. A
sample line is written once it is graded and never again; a process that was killed goes on after
the last whole line.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from rftspec.plan.model import Plan
from rftspec.record.commit import write_atomically, write_folder
from rftspec.record.errors import RecordError, from_os_error
from rftspec.record.folder import FolderState, Record, is_locked
from rftspec.record.layout import EvalLayout, Layout
from rftspec.record.streams import StreamReader, StreamWriter
from rftspec.record.writer import take_lock

FORMAT = "eval/1"
JSON = dict[str, Any]
SubjectKind = Literal["base", "adapter", "model", "outputs"]
GREEDY = " (greedy)"
"""What follows a model's label where it took the likeliest token each time."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated: the spec's base, an adapter on it, another base, or outputs of others."""

    kind: SubjectKind
    label: str
    """Its name in sample lines and tables."""
    place: str
    """The model's name or folder, the adapter's folder, or the file of outputs."""
    identity: str | None
    """What that held: `sha256:…`, `commit:…`; None where nothing is known of it."""


@dataclass(frozen=True, slots=True)
class EvalHead:
    """What an evaluation is of: all that stands in `eval.json`."""

    plan: Plan
    subject: Subject
    split: str
    samples: int
    """Completions per row; 0 for outputs made elsewhere, which bring their own."""
    greedy: bool
    key: str
    """A hash of all that decides the samples and their scores."""
    created: int
    """Seconds since 1970."""

    def to_json(self) -> JSON:
        """Plain JSON values."""
        told: JSON = {"format": FORMAT, "key": self.key, "created": self.created}
        told |= {"subject": asdict(self.subject), "split": self.split, "samples": self.samples}
        return {**told, "greedy": self.greedy, "plan": self.plan.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EvalHead:
        """Read what `to_json` gave; raises KeyError, TypeError or ValueError for anything else."""
        if value["format"] != FORMAT:
            raise ValueError(f"format {value['format']!r}, not {FORMAT!r}")
        return cls(
            plan=Plan.from_json(value["plan"]),
            subject=Subject(**value["subject"]),
            split=str(value["split"]),
            samples=int(value["samples"]),
            greedy=bool(value["greedy"]),
            key=str(value["key"]),
            created=int(value["created"]),
        )


class EvalRecord(Record):
    """An evaluation, read; unfinished or damaged, it is read as far as it goes."""

    def __init__(self, folder: Path, head: EvalHead) -> None:
        super().__init__(folder, head.plan)
        self.head = head

    @classmethod
    def open(cls, folder: Path) -> EvalRecord:
        """Read the folder of an evaluation; raises RecordError R404 when it is none."""
        return cls(folder, read_head(folder))

    @property
    def state(self) -> FolderState:
        """Whether it is finished, being written, or can be gone on with."""
        if is_locked(self.layout.lock):
            return "running"
        return "finished" if EvalLayout(self.folder).finished.is_file() else "unfinished"


def is_evaluation(folder: Path) -> bool:
    """True for a folder that `rftspec eval` made."""
    return EvalLayout(folder).head.is_file()


def read_head(folder: Path) -> EvalHead:
    """What an evaluation is of; raises RecordError R404 when the folder holds none."""
    path = EvalLayout(folder).head
    try:
        return EvalHead.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not of this rftspec"
        raise RecordError(
            "R404",
            f"`{folder}` holds no evaluation: eval.json: {(reason or str(error)).lower()}",
            path=path,
            hint="name a folder that `rftspec eval` made, such as one below `evals/`",
        ) from error


class EvalWriter:
    """The one writer of an evaluation; holds its lock until it is closed."""

    def __init__(self, folder: Path, head: EvalHead, lock: int) -> None:
        """Use `open`."""
        self.folder, self.head, self._lock = folder, head, lock
        layout = Layout(folder)
        paths = layout.streams
        self._samples = StreamWriter(paths["samples"], keep=whole_lines(paths["samples"]))
        self._rows = StreamWriter(paths["rows"], keep=whole_lines(paths["rows"]))
        self._timings = StreamWriter(layout.timings)

    @classmethod
    def open(cls, folder: Path, head: EvalHead) -> Self:
        """Begin an evaluation, or go on with the same one. Raises RecordError (R401, R413)."""
        if not is_evaluation(folder):
            _make(folder, head)
        there = read_head(folder)
        if there.key != head.key:
            raise RecordError(
                "R413",
                f"`{folder}` holds another evaluation: {_difference(there, head)}",
                path=EvalLayout(folder).head,
                hint="give this one its own folder with `--out FOLDER`",
            )
        return cls(folder, there, take_lock(Layout(folder).lock))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def graded(self) -> Iterator[JSON]:
        """The sample lines that are there; one that no judge could be reached for is none."""
        for line in StreamReader(self._samples.path):
            if not line.get("dropped"):
                yield line

    def written_rows(self) -> set[int]:
        """The rows of the data that are there."""
        found = (line.get("row") for line in StreamReader(self._rows.path))
        return {row for row in found if isinstance(row, int)}

    def samples(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append graded samples and have them put on the disk."""
        self._samples.append(lines)
        self._samples.sync()

    def rows(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append rows of the data."""
        self._rows.append(lines)

    def timing(self, **fields: Any) -> None:
        """Append measured values."""
        self._timings.append([fields])

    def finish(self, *, rows: int, missing: int) -> None:
        """Say that every row was measured, or has no output (`missing`)."""
        text = json.dumps({"format": FORMAT, "rows": rows, "missing": missing}) + "\n"
        write_atomically(EvalLayout(self.folder).finished, text)

    def discard(self) -> None:
        """Remove the folder: nothing came of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # other evaluations may stand beside it
            self.folder.parent.rmdir()

    def close(self) -> None:
        """Close the files and give the lock back; closing twice is fine."""
        for stream in (self._samples, self._rows, self._timings):
            stream.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def whole_lines(path: Path) -> int:
    """Bytes up to the end of the last whole line: what a killed writer left of use."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            while end > 0:
                start = max(0, end - (1 << 16))
                file.seek(start)
                found = file.read(end - start).rfind(b"\n")
                if found >= 0:
                    return start + found + 1
                end = start
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise from_os_error(error, path) from error
    return 0


def _make(folder: Path, head: EvalHead) -> None:
    """A new folder with its head, put in place in one step."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RecordError(
                "R401",
                f"`{folder}` exists and holds something that is no evaluation",
                path=folder,
                hint="give an empty or new folder with `--out FOLDER`",
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.is_dir():
            folder.rmdir()
    except OSError as error:
        raise from_os_error(error, folder) from error
    text = json.dumps(head.to_json(), indent=1, ensure_ascii=False) + "\n"

    def fill(new: Path) -> None:
        EvalLayout(new).head.write_text(text, encoding="utf-8")

    write_folder(folder, fill, replace=False)


def _difference(there: EvalHead, head: EvalHead) -> str:
    """What of two evaluations differs, in a few words."""
    pairs = {
        "the model": (there.subject, head.subject),
        "the split": (there.split, head.split),
        "samples per row": (there.samples, head.samples),
        "greedy": (there.greedy, head.greedy),
        "the data": (there.plan.data, head.plan.data),
        "response": (there.plan.response, head.plan.response),
        "the graders": (there.plan.graders, head.plan.graders),
        "the reward": (there.plan.reward, head.plan.reward),
        "the metrics": (there.plan.evaluate.metrics, head.plan.evaluate.metrics),
        "the seed": (there.plan.seed, head.plan.seed),
    }
    found = [name for name, (old, new) in pairs.items() if old != new]
    return f"{', '.join(found) or 'something'} of it differs"
