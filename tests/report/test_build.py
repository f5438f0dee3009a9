"""Reports of whole, unfinished, damaged and hostile records."""

import json
import re
import subprocess
import sys

import pytest

from rftspec.record.errors import RecordError
from rftspec.record.folder import Record
from rftspec.report.browser import embed
from rftspec.report.build import build_report, find
from tests.report.synthetic import METRICS, Story, make_plan, make_run


def report(folder):
    return json.loads((folder / "report.json").read_text())


def line_of(told, name):
    return next(line for line in told["numbers"]["lines"] if line["name"] == name)


def test_headline_is_the_mean_over_rows_of_the_record(run):
    told = report(run)
    assert told["rftspec"] == "report/1"
    samples = [json.loads(x) for x in (run / "samples.jsonl").read_text().splitlines()]
    for model in ("base", "tuned", "phenotype-matching"):
        values = [
            s["metrics"]["top@1"]
            for s in samples
            if (s["kind"], s["model"], s["split"]) == ("evaluation", model, "test")
        ]
        cell = next(c for c in line_of(told, "top@1")["cells"] if c["model"] == model)
        assert cell["interval"]["estimate"] == pytest.approx(sum(values) / len(values))
        assert cell["interval"]["low"] <= cell["interval"]["estimate"] <= cell["interval"]["high"]
        assert cell["interval"]["clusters"] == 34


def test_every_metric_stands_for_every_model(run):
    told = report(run)
    for name in METRICS:
        assert len(line_of(told, name)["cells"]) == 4
    html = (run / "report.html").read_text()
    assert "a ceiling: it uses the annotations that drew the patients" in html


def test_better_same_and_worse_count_every_row(run):
    gain = line_of(report(run), "top@1")["gain"]
    assert gain["better"] + gain["same"] + gain["worse"] == 40


def test_parts_of_the_gain_sum_to_the_gain(run):
    told = report(run)
    parts, gain = told["numbers"]["gain_split"], line_of(told, "top@1")["gain"]
    whole = parts["from_form"] + parts["from_content"]
    assert whole == pytest.approx(gain["interval"]["estimate"], abs=1e-9)


@pytest.mark.parametrize("tuned", [0.15, 0.3, 0.35, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_words_follow_the_numbers(story, tuned, seed):
    skill = {"base": 0.3, "tuned": tuned}
    folder = story(rows=60, clusters=60, skill=skill, invalid=0.0, seed=seed)
    told = report(folder)
    gain = line_of(told, "top@1")["gain"]["interval"]
    if gain["low"] > 0:
        title = "The tuned model is better"
    elif gain["high"] < 0:
        title = "The tuned model is worse"
    else:
        title = "No difference between base and tuned model is shown"
    assert told["verdict"]["title"] == title
    assert title in (folder / "report.html").read_text()
    zero_inside = gain["low"] <= 0 <= gain["high"]
    assert ("no difference shown" in told["verdict"]["evidence"]) == zero_inside
    if tuned == 0.6:  # far beyond chance for 60 rows
        assert gain["low"] > 0


def test_rows_that_chose_the_checkpoint_are_called_optimistic(story):
    told = report(story(test=False))
    assert told["numbers"]["split"] == "validation"
    assert any("Optimistic" in c["text"] for c in told["cautions"])


def test_few_clusters_are_told(story):
    told = report(story(rows=12, clusters=5))
    assert any("Only 5 genes" in c["text"] for c in told["cautions"])


def test_one_row_builds_and_claims_nothing(story):
    told = report(story(rows=1, clusters=1))
    assert told["verdict"]["tone"] == "unclear"
    assert "Too few rows" in told["verdict"]["title"]


def test_grader_failures_are_counted_with_their_first_example(story):
    folder = story(errors=True)
    found = [f for f in report(folder)["failures"] if f["kind"] == "python_grader_runtime_error"]
    samples = [json.loads(x) for x in (folder / "samples.jsonl").read_text().splitlines()]
    assert sum(f["count"] for f in found) == sum(s["error"] is not None for s in samples)
    assert "KeyError" in (folder / "report.html").read_text()
    assert any("grader failed" in c["text"] for c in report(folder)["cautions"])


def test_killed_run_says_what_is_missing(story):
    folder = story(tuned=False, finished=False)
    told = report(folder)
    assert told["verdict"]["title"].startswith("So far:")
    assert any("has not finished" in text for text in told["missing"])
    assert "has not finished" in (folder / "SUMMARY.md").read_text()


def test_record_with_a_plan_only_gives_a_report_that_says_so(tmp_path):
    plan = make_plan(Story(), tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps(plan.to_json()))
    build_report(tmp_path)
    assert report(tmp_path)["verdict"]["title"] == "Nothing has been evaluated yet"


def test_damaged_lines_are_left_out_and_counted(tmp_path):
    folder = make_run(tmp_path / "run")
    with (folder / "samples.jsonl").open("a") as file:
        file.write('{"kind": "evaluation", "row": "x"}\n{"torn": \n[1]\n{"kind": "evalu')
    build_report(folder)
    told = report(folder)
    assert told["damaged_lines"] == 4
    assert any("could not be read" in text for text in told["missing"])


def test_folder_without_a_run_is_a_diagnostic(tmp_path):
    with pytest.raises(RecordError) as caught:
        build_report(tmp_path)
    assert caught.value.code == "R404"


def test_page_holds_no_markup_of_a_model(story):
    folder = story(hostile={0: "</script><script>alert(1)</script>", 1: "<img src=x onerror=a()>"})
    html = (folder / "report.html").read_text()
    assert "alert(1)</script>" not in html
    assert "<img" not in html
    assert len(re.findall(r"<script", html)) == 2


def test_adapter_gets_its_model_card_with_the_verdict(tmp_path):
    folder = make_run(tmp_path / "run")
    (folder / "adapter").mkdir()
    build_report(folder)
    card = (folder / "adapter" / "README.md").read_text()
    assert "library_name: peft" in card
    assert "the tuned model is better" in card


def test_gates_are_told(run):
    html = (run / "report.html").read_text()
    assert "0.25 &gt;= 0.05" in html
    assert report(run)["gates"][0]["passed"] is True


def test_policy_names_the_hash_of_the_one_script(run):
    import base64
    import hashlib

    html = (run / "report.html").read_text()
    script = re.search(r"<script>(.*?)</script>", html, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html).group(1)
    assert f"sha256-{digest}" in policy
    assert "unsafe-eval" not in policy
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_page_loads_nothing(run):
    html = (run / "report.html").read_text()
    page = re.sub(r'<script type="application/json".*?</script>', "", html, flags=re.S)
    addresses = set(re.findall(r"https?://[\w./]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_charts_have_a_text_alternative_and_unique_ids(run):
    html = (run / "report.html").read_text()
    charts = re.findall(r"<svg[^>]*>", html)
    assert charts
    assert all('role="img"' in tag and "aria-labelledby" in tag for tag in charts)
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert "#0101" not in html
    assert "#0102b" not in html


def test_texts_go_before_scores_when_the_budget_is_small(run):
    findings = find(Record.open(run))
    whole = embed(findings.evidence, findings.subjects)
    small = embed(findings.evidence, findings.subjects, budget=len(whole.json) * 85 // 100)
    assert whole.texts_left_out == 0 < small.texts_left_out < small.answers == whole.answers
    assert len(small.json) <= len(whole.json) * 85 // 100 + 1_000
    view = json.loads(str(small.json))["views"][0]
    flipped = [r for r in view["rows"] if r["passes"][0] != r["passes"][1]]
    kept = [a["text"] for r in flipped for found in r["answers"] for a in found]
    assert all(text is not None for text in kept)


def test_same_record_gives_the_same_report(run):
    names = ("report.html", "report.json", "SUMMARY.md")
    before = [(run / name).read_bytes() for name in names]
    build_report(run)
    assert [(run / name).read_bytes() for name in names] == before


def test_report_imports_no_torch_engine_or_run():
    code = (
        "import sys, rftspec.report.build\n"
        "bad = ('torch', 'transformers', 'rftspec.engine.local', 'rftspec.run', 'altair')\n"
        "found = [m for m in sys.modules if m in bad or m.startswith('rftspec.run')]\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
