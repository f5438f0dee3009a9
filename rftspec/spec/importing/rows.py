"""Where the rows of an imported job are: on the command line, in the file, or still to come."""

from __future__ import annotations

import re
from typing import Literal

from rftspec.spec.importing.imported import Work
from rftspec.spec.importing.ledger import Given

_LOCAL = re.compile(r"(?:local:|file://)")
_ID = re.compile(r"file-?[A-Za-z0-9_-]*\Z")
Split = Literal["train", "validation"]


def put_file(given: Given, split: Split, work: Work) -> None:
    """A job's `training_file` or `validation_file`: an id, or a path (Azure's `local:…`)."""
    value = given.value
    wanted = work.wishes.train if split == "train" else work.wishes.validation
    if value is None:
        work.ledger.without(given, "it is null")
        return
    if not isinstance(value, str) or not value.strip():
        work.ledger.refused(given, f"`{given.name}` is the id of a file, or a path")
        return
    target = f"data.{split}"
    if wanted is not None:
        work.ledger.mapped(given, target, f"`--{split}` stands for it")
        return
    if _ID.match(value) and "." not in value:
        note = f"was the file {value}: download it, or give --{split}"
        work.sketch.put(target, f"{split}.jsonl", note)
        work.ledger.mapped(given, target, note)
        return
    path = _LOCAL.sub("", value, count=1)
    if "://" in path or "\n" in path:
        note = f"an address is not read: download it, or give --{split}"
        work.sketch.put(target, f"{split}.jsonl", note)
        work.ledger.mapped(given, target, note)
        return
    here = work.wishes.relative(work.wishes.source.parent / path)
    work.sketch.put(target, here)
    work.ledger.mapped(given, target)


def put_data(work: Work) -> None:
    """The files that the command line names; nothing is guessed."""
    if work.wishes.train is not None:
        work.sketch.put("data.train", work.wishes.relative(work.wishes.train))
    if work.wishes.validation is not None:
        work.sketch.put("data.validation", work.wishes.relative(work.wishes.validation))
