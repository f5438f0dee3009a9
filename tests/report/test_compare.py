"""Runs and evaluations compared: the right rows are paired, and what is missing is told."""

from __future__ import annotations

import fcntl
import json
import random
from collections import defaultdict

import pytest

from rftspec.cli import exits
from rftspec.cli.main import main
from rftspec.record.evaluations import EvalHead, EvalWriter, Subject
from rftspec.report.compare import compare
from rftspec.report.entrants import NoSuchModel, read_entrant
from rftspec.report.regression import Limit, check
from rftspec.stats.intervals import paired_difference
from tests.report.synthetic import Story, _Maker, make_plan, make_run

WORSE = {"skill": {"base": 0.17, "tuned": 0.1}, "seed": 0}


@pytest.fixture
def runs(tmp_path):
    """Writes made-up runs by letter, and reads them as sides."""

    def write(name="a", **changes):
        folder = make_run(tmp_path / name, Story(**changes))
        return read_entrant(folder)

    return write


def rewrite(folder, name, change):
    """Every line of a stream through a function; None leaves the line out."""
    path = folder / f"{name}.jsonl"
    lines = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines if line is not None))


def other_file(folder, split="test"):
    """Have the run's split be another file than the other run's."""
    path = folder / "plan.json"
    plan = json.loads(path.read_text())
    plan["data"][split]["sha256"] = "cd" * 32
    path.write_text(json.dumps(plan))


def row_means(side, name="top@1"):
    return {
        row: sum(a.metric(name) for a in found) / len(found)
        for row, found in side.answers["test"].items()
    }


def test_difference_is_that_of_the_rows_means_with_clustered_interval(runs):
    first, second = runs("a"), runs("b", seed=5)
    found = compare(first, [second]).versus[0].change("top@1")
    before, after = row_means(first), row_means(second)
    genes = [first.evidence.cluster("test", row) for row in range(40)]
    expected = paired_difference(
        [after[row] for row in range(40)], [before[row] for row in range(40)], genes, seed=0
    )
    assert found.numbers.interval == expected
    assert found.numbers.interval.clusters == 34
    assert found.numbers.wins + found.numbers.ties + found.numbers.losses == 40


def test_run_against_itself_shows_no_difference(runs):
    side = runs("a")
    one = compare(side, [side]).versus[0]
    assert {change.verdict for change in one.changes} == {"no difference shown"}
    assert not [row for row in one.rows if row.move]


def test_rows_of_other_files_are_paired_by_id_and_the_rest_is_left_out(runs, tmp_path):
    first, second = runs("a"), runs("b")
    other_file(tmp_path / "b")

    def moved(line):
        if line.get("split") == "test":
            line["row"] = 99 - line["row"]
            if line["row"] > 95:  # four rows that only the first has
                return None
        return line

    for name in ("rows", "samples"):
        rewrite(tmp_path / "b", name, moved)
    second = read_entrant(tmp_path / "b")
    one = compare(first, [second]).versus[0]
    assert one.pairing.how == "row id"
    assert (len(one.pairing.rows), one.pairing.only_first, one.pairing.only_second) == (36, 4, 0)
    assert all(b == 99 - a for a, b in one.pairing.rows)
    assert {change.verdict for change in one.changes} == {"no difference shown"}


def test_rows_without_ids_are_paired_by_content(runs, tmp_path):
    for name in "ab":
        runs(name)
        other_file(tmp_path / name) if name == "b" else None
        rewrite(tmp_path / name, "rows", lambda line: {**line, "id": None})
    rewrite(
        tmp_path / "b",
        "rows",
        lambda line: {**line, "item": {**line["item"], "gene": "X"}} if line["row"] < 3 else line,
    )
    one = compare(read_entrant(tmp_path / "a"), [read_entrant(tmp_path / "b")]).versus[0]
    assert one.pairing.how == "content"
    assert (len(one.pairing.rows), one.pairing.only_first, one.pairing.only_second) == (37, 3, 3)


def test_same_id_with_other_content_is_told(runs, tmp_path):
    runs("a")
    runs("b")
    other_file(tmp_path / "b")
    rewrite(
        tmp_path / "b",
        "rows",
        lambda line: {**line, "item": {**line["item"], "gene": "X"}} if line["row"] < 3 else line,
    )
    one = compare(read_entrant(tmp_path / "a"), [read_entrant(tmp_path / "b")]).versus[0]
    assert any("3 rows have the same id and other contents" in note for note in one.notes)


def test_measure_with_another_definition_is_marked(runs, tmp_path):
    first = runs("a")
    runs("b")
    path = tmp_path / "b" / "plan.json"
    plan = json.loads(path.read_text())
    plan["evaluate"]["metrics"]["top@5"] = "false"
    path.write_text(json.dumps(plan))
    one = compare(first, [read_entrant(tmp_path / "b")]).versus[0]
    assert [c.name for c in one.changes if c.redefined] == ["top@5"]
    assert any("defined differently" in note for note in one.notes)


def test_several_metrics_are_corrected_for_and_graders_are_not(runs):
    sides = [runs(name, seed=seed) for name, seed in (("a", 0), ("b", 1), ("c", 2))]
    found = compare(sides[0], sides[1:])
    for one in found.versus:
        for change in one.changes:
            if change.kind == "metric":
                assert change.corrected >= change.numbers.p
            else:
                assert change.corrected != change.corrected  # NaN
    raw = sorted(c.numbers.p for v in found.versus for c in v.changes if c.kind == "metric")
    corrected = sorted(c.corrected for v in found.versus for c in v.changes if c.kind == "metric")
    assert len(raw) == 8
    assert corrected[0] == pytest.approx(min(1.0, raw[0] * 8))


def test_equal_models_are_called_different_seldom(tmp_path):
    wrong = defaultdict(int)
    for seed in range(60):
        for name in "ab":
            story = Story(seed=2 * seed + (name == "b"), steps=1, clusters=40)
            make_run(tmp_path / f"{name}{seed}", story)
        sides = [read_entrant(tmp_path / f"{name}{seed}") for name in "ab"]
        one = compare(sides[0], sides[1:], "test").versus[0]
        wrong["any"] += any(
            c.verdict in ("higher", "lower") for c in one.changes if c.kind == "metric"
        )
    assert wrong["any"] <= 9  # 4 metrics, Holm: at most 5 % in truth; 9 of 60 would be a 1 in 700


STATES = {
    "unfinished": {"finished": False, "tuned": False},
    "errors": {"errors": True},
    "one row": {"rows": 1, "clusters": 1},
    "no test rows": {"test": False},
    "control": {"control": "shuffled-answers"},
}


@pytest.mark.parametrize("state", STATES)
def test_any_run_can_be_compared_and_tells_what_is_wrong(runs, tmp_path, state, capsys):
    first = runs("a", **({"test": False} if state == "no test rows" else {}))
    runs("b", **STATES[state])
    assert first.answers
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == exits.FINE
    told = capsys.readouterr().out
    says = {
        "unfinished": "is not finished",
        "errors": "answers could not be graded",
        "one row": "too few rows to say",
        "no test rows": "validation rows on both sides",
        "control": "is a negative control",
    }
    assert says[state] in told


def test_run_without_any_answer_is_told_to_have_none(runs, tmp_path, capsys):
    runs("a")
    runs("b")
    (tmp_path / "b" / "samples.jsonl").write_text("")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == exits.FINE
    told = capsys.readouterr().out
    assert "nothing to compare" in told
    assert "B has answers on: nothing yet" in told


def test_damaged_lines_are_left_out_and_counted(runs, tmp_path, capsys):
    runs("a")
    runs("b")
    path = tmp_path / "b" / "samples.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b"\x00\xff{{{\n"
    path.write_bytes(b"".join(lines) + b'{"kind": "evalu')
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == exits.FINE
    assert "2 damaged lines are left out" in capsys.readouterr().out


def test_run_that_is_being_written_is_told(runs, tmp_path, capsys):
    runs("a")
    runs("b")
    with (tmp_path / "b" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == exits.FINE
    assert "is being written at this moment" in capsys.readouterr().out


def test_lost_rows_cost_no_answers_where_the_file_is_the_same(runs, tmp_path):
    first = runs("a")
    runs("b")
    (tmp_path / "b" / "rows.jsonl").write_text("")
    one = compare(first, [read_entrant(tmp_path / "b")]).versus[0]
    assert len(one.pairing.rows) == 40


def test_evaluation_stands_beside_a_run(tmp_path):
    story = Story()
    run = make_run(tmp_path / "a", story)
    maker = _Maker(story, random.Random(9))
    for row in range(story.rows):
        maker.row("test", row)
    maker.evaluate("other", "test", 0, 0.9, 2)
    head = EvalHead(make_plan(story, tmp_path), Subject("model", "other", "x", None), "test", 2,
                    False, "k", 0)  # fmt: skip
    with EvalWriter.open(tmp_path / "e", head) as writer:
        writer.rows(maker.rows)
        writer.samples(maker.samples)
    found = compare(read_entrant(run), [read_entrant(tmp_path / "e")])
    assert found.versus[0].change("top@1").verdict == "higher"
    assert found.versus[0].other.model == "other"


def test_models_of_a_run_are_named_after_a_colon(runs, tmp_path, capsys):
    runs("a")
    folder = str(tmp_path / "a")
    assert main(["compare", f"{folder}:base", f"{folder}:phenotype-matching"]) == exits.FINE
    assert "phenotype-matching" in capsys.readouterr().out
    assert main(["compare", folder, f"{folder}:nobody"]) == exits.USAGE
    assert "base-vote-8" in capsys.readouterr().err
    with pytest.raises(NoSuchModel):
        read_entrant(tmp_path / "a", "nobody")


def test_one_run_alone_is_its_base_against_its_tuned_model(runs, tmp_path, capsys):
    runs("a")
    assert main(["compare", str(tmp_path / "a"), "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert (told["first"]["model"], told["against"][0]["other"]["model"]) == ("base", "tuned")
    assert told["format"] == "rftspec.compare/1"
    assert len(told["against"][0]["row_by_row"]) == 40


def test_regression_that_is_shown_fails_the_gate(runs, tmp_path, capsys):
    runs("a")
    runs("b", **WORSE)
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b")]
    assert main([*words, "--fail-on-regression", "top@1:0.01"]) == exits.GATE
    told = capsys.readouterr().out
    assert "FAILED" in told
    assert "it fell by more than 0.01" in told
    assert "▼ regressed" in told
    assert main([*words[:1], *words[:0:-1], "--fail-on-regression", "top@1"]) == exits.FINE


def test_gate_that_cannot_be_checked_fails(runs):
    first, second = runs("a"), runs("b", rows=1, clusters=1)
    (found,) = check(Limit("top@1", 0.01), compare(first, [second]))
    assert found.failed
    assert "too few rows" in found.detail


def test_fall_within_its_margin_or_not_shown_passes_and_says_which(runs):
    first, second = runs("a"), runs("b", seed=3)
    (wide,) = check(Limit("top@1", 0.9), compare(first, [second]))
    assert not wide.failed
    assert "is excluded" in wide.detail
    (narrow,) = check(Limit("top@1", 0.0), compare(first, [first]))
    assert not narrow.failed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-on-regression", "topp@1"], "Did you mean `top@1`?"),
        (["--fail-on-regression", "top@1:much"], "--fail-on-regression top@1:much"),
        (["--fail-on-regression", "top@1:-1"], "a margin is a number from 0"),
    ],
)
def test_limit_that_is_none_is_wrong_usage(runs, tmp_path, words, said, capsys):
    runs("a")
    assert main(["compare", str(tmp_path / "a"), *words]) == exits.USAGE
    assert said in capsys.readouterr().err


def test_folder_that_is_no_run_is_told(runs, tmp_path, capsys):
    runs("a")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path)]) == exits.WRONG
    assert "R404" in capsys.readouterr().err


def test_hostile_names_stay_inert_on_the_terminal(runs, tmp_path, capsys):
    for name in "ab":
        runs(name, **(WORSE if name == "b" else {}))
        rewrite(
            tmp_path / name, "rows", lambda line: {**line, "id": f"\x1b[31m{line['row']}\u202e"}
        )
    main(["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "\\x1b[31m" in told
