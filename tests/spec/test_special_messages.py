"""Codes whose mistake is not a piece of text: encodings, sizes, missing files, the command line."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rftspec.cli.text import render_all
from tests.spec.samples import copy_sample, edit, problems
from tests.spec.test_messages import check_golden

Spoil = Callable[[Path], list[str] | None]


def _utf16(folder: Path) -> None:
    spec = folder / "ranking.yaml"
    spec.write_bytes(spec.read_text("utf-8").encode("utf-16"))


def _too_large(folder: Path) -> None:
    with (folder / "ranking.yaml").open("a") as file:
        file.write("# " + "x" * 1024 * 1024 + "\n")


def _too_deep(folder: Path) -> None:
    edit(
        folder / "ranking.yaml", "train:\n", "meta:\n  deep: " + "[" * 40 + "]" * 40 + "\ntrain:\n"
    )


def _empty(folder: Path) -> None:
    (folder / "ranking.yaml").write_text("# nothing yet\n")


def _malformed_set(_: Path) -> list[str]:
    return ["train.steps"]


def _set_twice(_: Path) -> list[str]:
    return ["train.steps=5", "train.steps=6"]


def _compressed(folder: Path) -> None:
    path = folder / "ranking" / "test.jsonl"
    path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def _cut_off(folder: Path) -> None:
    edit(folder / "ranking.yaml", "ranking/test.jsonl", "ranking/test.jsonl.gz")
    whole = gzip.compress((folder / "ranking" / "test.jsonl").read_bytes(), mtime=0)
    (folder / "ranking" / "test.jsonl.gz").write_bytes(whole[:-20])


def _ragged_table(folder: Path) -> None:
    edit(folder / "ranking.yaml", "ranking/test.jsonl", "ranking/test.csv")
    (folder / "ranking" / "test.csv").write_text("gene,weight\nTST0,1,2\n")


def _column_of_bytes(folder: Path) -> None:
    from pyarrow import parquet, table

    edit(folder / "ranking.yaml", "ranking/test.jsonl", "ranking/test.parquet")
    parquet.write_table(table({"scan": [b"\x00"]}), folder / "ranking" / "test.parquet")


def _no_connection(folder: Path) -> None:
    edit(folder / "ranking.yaml", "ranking/test.jsonl", '"hf:nobody/nothing"')


def _nearly_trained_on(folder: Path) -> None:
    for name, end in (("train", "found by chance"), ("test", "found by a friend")):
        path = folder / "ranking" / f"{name}.jsonl"
        told = "A long walk led to the far end of the valley where five stones stood in a ring and "
        told += "under the third of them lay a box with seven letters, " + end
        first = path.read_text().splitlines()[0]
        edit(path, json.loads(first)["messages"][0]["content"], told)


def _no_rows(folder: Path) -> None:
    (folder / "ranking" / "test.jsonl").write_text("")


def _row_in_two_files(folder: Path) -> None:
    spec = folder / "ranking.yaml"
    edit(spec, "  disjoint: [item.gene]\n", "")
    for name in ("validation", "test"):
        rows = folder / "ranking" / f"{name}.jsonl"
        rows.write_text(rows.read_text().replace("Signs present", f"For {name}, signs present"))
    train = (folder / "ranking" / "train.jsonl").read_text().splitlines()
    with (folder / "ranking" / "test.jsonl").open("a") as file:
        file.write(train[0] + "\n")
    with (folder / "ranking" / "outputs.jsonl").open("a") as file:
        file.write(json.dumps({"row": 6, "output_text": "none"}) + "\n")


def _grader_not_text(folder: Path) -> None:
    (folder / "ranking" / "concise.py").write_bytes(b"# \xff\n")


def _long_expression(folder: Path) -> None:
    edit(folder / "ranking.yaml", "0.9 * rank", " + ".join(["0.9 * rank"] * 3000))


def _deep_expression(folder: Path) -> None:
    edit(folder / "ranking.yaml", "0.9 * rank", "(" * 100 + "0.9 * rank" + ")" * 100)


def _bracket_field(folder: Path) -> None:
    edit(
        folder / "ranking.yaml",
        "    listed: ",
        "    odd: 'item[item.gene] == 1'\n    listed: ",
    )


CASES: dict[str, Spoil] = {
    "E001": _utf16,
    "E003": _too_large,
    "E010": _too_deep,
    "E110": _empty,
    "E112": _malformed_set,
    "E113": _set_twice,
    "E204": _compressed,
    "E209": _no_rows,
    "W214": _row_in_two_files,
    "E221": _cut_off,
    "E222": _ragged_table,
    "E224": _no_connection,
    "E225": _column_of_bytes,
    "W226": _nearly_trained_on,
    "E216": _grader_not_text,
    "E304": _long_expression,
    "E305": _deep_expression,
    "E325": _bracket_field,
}


@pytest.mark.parametrize("code", CASES)
def test_special_mistake_gives_its_code_alone_and_its_golden_message(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = copy_sample(tmp_path)
    overrides = CASES[code](tmp_path) or []
    # The hub is out of reach, whatever the network of the tests.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    found = problems(Path(spec.name), overrides)
    assert {one.code for one in found} == {code}
    check_golden(code, render_all(found), tmp_path)


def test_missing_package_gives_its_code_and_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = copy_sample(tmp_path)
    _column_of_bytes(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.chdir(tmp_path)
    found = problems(Path(spec.name))
    assert [one.code for one in found] == ["E223"]
    check_golden("E223", render_all(found), tmp_path)


def test_spec_that_is_not_there_is_said_with_a_near_name(tmp_path: Path) -> None:
    copy_sample(tmp_path)
    (found,) = problems(tmp_path / "rankng.yaml")
    assert found.code == "E201"
    assert "ranking.yaml" in str(found.hint)


def test_folder_in_place_of_a_spec_is_refused(tmp_path: Path) -> None:
    (found,) = problems(tmp_path)
    assert found.code == "E202"


def test_pipe_in_place_of_a_spec_is_refused_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "spec.yaml")
    (found,) = problems(tmp_path / "spec.yaml")
    assert found.code == "E202"


def test_all_problems_of_a_file_come_in_one_run_in_file_order(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(spec, "  steps: 4\n", '  steps: "4"\n')
    edit(spec, "rank_decay(", "rank_decy(")
    edit(spec, "builtin:case-reader", "builtin:case-raeder")
    edit(spec, '"tuned") >= 0', '"tunde") >= 0')
    edit(tmp_path / "ranking" / "train.jsonl", '"gene": "TRN1", ', "")
    found = problems(spec)
    assert [one.code for one in found] == ["E501", "E312", "E104", "E331", "E212"]
    lines = [one.span.line for one in found[:4] if one.span is not None]
    assert lines == sorted(lines)
