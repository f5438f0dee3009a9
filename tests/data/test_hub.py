"""Hub data sets: rows, splits and hashes, through the package `datasets` on a data set of files.

The one thing that is replaced is where a data set's files come from: these lie on the disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from rftspec.data import hub
from rftspec.data.rows import file_hash, read_rows, scan_rows
from rftspec.diagnostics import DiagnosticError

load_builder = datasets.load_dataset_builder


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for split in ("train", "test"):
        rows = [{"q": f"{split} {n}", "m": [{"role": "user", "content": "x"}]} for n in range(3)]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{split}.jsonl").write_text(text)

    def builder(path: str, **_: Any) -> Any:
        named = {split: str(tmp_path / f"{split}.jsonl") for split in ("train", "test")}
        return load_builder("json", data_files=named, cache_dir=str(tmp_path / "cache"))

    monkeypatch.setattr(datasets, "load_dataset_builder", builder)
    hub._load.cache_clear()
    yield tmp_path
    hub._load.cache_clear()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("files")
def test_rows_of_the_split_that_is_named_are_read_in_order() -> None:
    rows = [item["q"] for _, item in read_rows(Path("hf:some/where?split=test"))]
    assert rows == ["test 0", "test 1", "test 2"]


@pytest.mark.filterwarnings("ignore")
def test_hash_changes_with_a_row_and_only_then(files: Path) -> None:
    source = Path("hf:some/where?split=train")
    first = file_hash(source)
    hub._load.cache_clear()
    assert file_hash(source) == first
    path = files / "train.jsonl"
    path.write_text(path.read_text().replace("train 1", "train one"))
    hub._load.cache_clear()
    assert file_hash(source) != first


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("files")
def test_split_that_is_not_there_is_told_with_those_that_are() -> None:
    (line,) = scan_rows(Path("hf:some/where?split=dev"))
    assert line.error is not None
    assert line.error.code == "E224"
    assert "train, test" in str(line.error.hint)
    with pytest.raises(DiagnosticError):
        file_hash(Path("hf:some/where?split=dev"))
