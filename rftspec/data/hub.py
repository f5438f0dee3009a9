"""Hugging Face data sets: their rows come through the package `datasets`, which keeps them on disk.

No code of a data set is run.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from rftspec.data.hub_id import HubSource, parse_hub
from rftspec.data.parquet import BATCH_ROWS, rows_of
from rftspec.data.row import Reader, RowError
from rftspec.data.wheels import need


def read_hub(path: Path) -> Reader:
    """Every row of the data set's split, numbered from 1."""
    try:
        table = _load(parse_hub(str(path)))[1]
    except RowError as error:
        yield 1, error, b""
        return
    yield from rows_of(table.with_format("arrow").iter(batch_size=BATCH_ROWS))


def hashed_hub(path: Path, digest: Any) -> Reader:
    """The rows; the digest is fed the commit first, then each row as JSON with sorted keys."""
    try:
        digest.update(_load(parse_hub(str(path)))[0].encode())
    except RowError as error:
        yield 1, error, b""
        return
    for found in read_hub(path):
        value = found[1] if isinstance(found[1], dict) else found[1].message
        text = json.dumps(value, sort_keys=True, ensure_ascii=False)
        digest.update(b"\n" + text.encode("utf-8", "surrogatepass"))
        yield found


@lru_cache(maxsize=8)
def _load(source: HubSource) -> tuple[str, Any]:
    """The commit and the table, from the cache on disk or the hub. Raises RowError."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    datasets = need("datasets", "a Hugging Face data set")
    datasets.disable_progress_bars()
    # What it has to say about each retry is said once, at the end, by our own message.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    split = source.split or "train"
    try:
        builder = datasets.load_dataset_builder(
            source.name, name=source.config, revision=source.revision
        )
        builder.download_and_prepare()
        known = list(builder.info.splits or {})
        if split not in known:
            hint = f"its splits: {', '.join(known)}; write `?split={known[0]}`" if known else None
            raise RowError("E224", f"`{source.name}` has no split `{split}`", hint=hint)
        return str(builder.hash), builder.as_dataset(split=split)
    except RowError:
        raise
    except Exception as error:  # the packages beneath raise what they like
        raise _refusal(source, error) from None


def _refusal(source: HubSource, error: Exception) -> RowError:
    """Why the data set is not to be had, and what to do."""
    names = {kind.__name__ for raised in _chain(error) for kind in type(raised).__mro__}
    text = " ".join(str(error).split())[:240]
    if "GatedRepoError" in names or "gated" in text.lower():
        hint = "ask for access on its page, then run: hf auth login"
        return RowError("E224", f"`{source.name}` is gated: it asks who you are", hint=hint)
    if names & {"DatasetNotFoundError", "RepositoryNotFoundError", "RevisionNotFoundError"}:
        hint = "check the id and the revision; for a private one run: hf auth login"
        return RowError("E224", f"there is no data set `{source.name}` to be had", hint=hint)
    if names & {"ConnectionError", "ConnectError", "TimeoutException", "OfflineModeIsEnabled"}:
        hint = "connect once, so that it is kept on disk; or download its files and name those"
        return RowError("E224", f"the hub cannot be reached for `{source.name}`", hint=hint)
    return RowError("E224", f"`{source.name}` cannot be read: {text}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
