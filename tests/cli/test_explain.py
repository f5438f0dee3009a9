"""`rftspec explain`: nothing is without a page, no page without an example, no example untried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from rftspec.cli import exits, pages
from rftspec.cli.main import cli, main
from rftspec.cli.manners import leaves
from rftspec.cli.page_examples import GRADERS, field_example
from rftspec.codes import PAGES
from rftspec.codes.said import SAID
from rftspec.diagnostics import DiagnosticError
from rftspec.expr import compile_expression
from rftspec.expr.functions import FUNCTIONS
from rftspec.graders.kinds import KINDS
from rftspec.record import events
from rftspec.record.metrics import METRICS, UndeclaredMetric, declared
from rftspec.run.health import CODES as HEALTH
from rftspec.run.track import _declared_name
from rftspec.spec.load import load_spec
from rftspec.spec.overrides import AsJson
from rftspec.spec.schema import spec_schema
from tests.spec.samples import copy_sample
from tools import docs_graders, said

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = "rftspec.schema.json"
GOLDEN = ROOT / "tests" / "golden"
FIELDS = [page.name for page in pages.field_pages()]
SHAPE = ("E101", "E102", "E103", "E104", "E105", "E109")
"""What is said of a value that a field does not take."""


def all_pages() -> dict[str, pages.Page]:
    with click.Context(cli):
        return {page.name: page for page in pages.all_pages()}


def test_every_page_has_text_and_an_example() -> None:
    found = all_pages()
    assert [name for name, page in found.items() if not page.body.strip()] == []
    assert [name for name, page in found.items() if not page.example.strip()] == []


def test_no_two_pages_have_the_same_name() -> None:
    with click.Context(cli):
        names = [page.name.lower() for page in pages.all_pages()]
    assert len(names) == len(set(names))


def test_every_thing_has_a_page() -> None:
    """Codes are held in tests/house/test_codes.py; fields are read off the schema itself."""
    found = set(all_pages())
    assert set(HEALTH) <= found
    assert {f"graders.{kind}" for kind in KINDS} <= found
    assert set(FUNCTIONS) <= found
    assert {metric.name for metric in METRICS} <= found
    assert {f"rftspec {words}" for words, _ in leaves(cli)} <= found
    sections = {name for name, field in spec_schema()["properties"].items() if field}
    assert sections <= found


@pytest.mark.parametrize("path", FIELDS)
def test_example_of_a_field_is_taken_by_a_spec(path: str, tmp_path: Path) -> None:
    """Set in the sample spec, the field raises no complaint about its own form or value."""
    value = field_example(path, _schema_at(path))
    assert yaml.safe_load(pages.find_page(path).example) == _nested(path, value)  # type: ignore[union-attr]
    spec = copy_sample(tmp_path)
    try:
        found = load_spec(spec, overrides=[AsJson(f"{path}={json.dumps(value)}")]).diagnostics
    except DiagnosticError as error:
        found = error.diagnostics
    own = [one for one in found if one.code in SHAPE and (one.path or "").startswith(path)]
    assert own == []


def _schema_at(path: str) -> dict[str, Any]:
    found: dict[str, Any] = spec_schema()
    for name in path.split("."):
        options = [found, *found.get("anyOf", ())]
        found = next(o["properties"][name] for o in options if name in o.get("properties", {}))
    return found


def _nested(path: str, value: Any) -> Any:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


@pytest.mark.parametrize("kind", sorted(GRADERS))
def test_example_of_a_grader_is_one_whose_scores_are_tested(kind: str) -> None:
    """tests/graders/test_docs.py grades with each of them."""
    tried = [yaml.safe_load(e["spec"]) for e in docs_graders.examples() if e["kind"] == kind]
    assert yaml.safe_load(GRADERS[kind]) in tried


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_examples_of_a_function_come_true(name: str) -> None:
    from rftspec.expr.types import JSON, RecordOf

    names = {"item": JSON, "sample": RecordOf({})}
    for way in FUNCTIONS[name].overloads:
        assert way.example
        assert compile_expression(way.example, names, result="bool").evaluate({}) is True


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_example_of_a_metric_is_a_line_of_the_record_that_holds_it(metric: Any) -> None:
    line = json.loads(all_pages()[metric.name].example)
    if metric.stream == "timings":
        (name,) = set(line) - {"phase", "step"}
        with pytest.raises(UndeclaredMetric):
            events.step(12, {name: line[name]})
    elif line["event"] == "evaluation":
        (key,) = line["metrics"]
        name = _declared_name(key)
    else:
        (name,) = line["metrics"]
        assert events.step(12, line["metrics"]).fields["metrics"] == line["metrics"]
    assert declared(name) is metric


@pytest.mark.parametrize("name", sorted(f"rftspec {words}" for words, _ in leaves(cli)))
def test_example_of_a_verb_is_a_call_of_a_verb_that_exists(name: str) -> None:
    import shlex

    verbs = {words for words, _ in leaves(cli)}
    for line in all_pages()[name].example.splitlines():
        words = shlex.split(line.replace('"$(', "").replace(')"', ""), comments=True)
        if "rftspec" not in words:
            continue
        words = words[words.index("rftspec") + 1 :]
        assert words[0] in verbs or " ".join(words[:2]) in verbs, line


def test_every_code_has_a_golden_message() -> None:
    """The messages themselves are held by the tests that make each mistake."""
    codes = [page.name for page in pages.code_pages()]
    missing = [code for code in codes if not (GOLDEN / f"{code}.txt").is_file()]
    assert missing == []
    assert len(codes) >= 60
    left = [path.stem for path in GOLDEN.glob("*.txt") if path.stem not in codes]
    assert left == []


def test_examples_of_messages_are_those_that_are_held() -> None:
    """`python -m tools.said` was run after the last change of a message."""
    assert Path(said.MODULE).read_text("utf-8") == said.module()


def test_said_are_the_codes_whose_page_has_no_part_of_a_spec() -> None:
    codes = {page.name for page in pages.code_pages()}
    assert set(SAID) == codes - {code for code, page in PAGES.items() if page.bad}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("e103", "E103"), ("h1", "H1"), ("lora.rank", "model.lora.rank"), ("RUN", "rftspec run"),
        ("rftspec run", "rftspec run"), ("import openai", "rftspec import openai"),
        ("`train.steps`", "train.steps"), ("data", "data"),
        ("string_check", "graders.string_check"),
    ],
)  # fmt: skip
def test_page_is_found_however_it_is_typed(
    typed: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", typed]) == exits.FINE
    assert capsys.readouterr().out.startswith(f"{found}  (")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("E1O3", "E103"), ("train.stepps", "train.steps"), ("rank_decy", "rank_decay"),
        ("valdate", "validate"),
    ],
)  # fmt: skip
def test_unknown_topic_is_wrong_usage_with_what_was_meant(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", typed]) == exits.USAGE
    assert f"Did you mean `{meant}`" in capsys.readouterr().err


def test_topics_are_listed_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "rftspec.topics/1"
    assert set(told["topics"]) == {
        "code", "health rule", "field", "grader", "function", "metric", "verb"
    }  # fmt: skip
    assert main(["explain"]) == exits.FINE
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    assert f"verb ({len(dict(leaves(cli)))})" in shown


def test_page_for_a_program_has_its_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "rank_decay", "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["kind"]) == ("rftspec.explain/1", "function")
    assert told["example"] == "close(rank_decay(3), 0.49)"


@pytest.mark.parametrize("path", sorted((ROOT / "specs").rglob("*.yaml")), ids=lambda p: p.name)
def test_every_shipped_spec_tells_the_editor_its_schema(path: Path) -> None:
    """The first line is yaml-language-server's, so that every field is checked while typing."""
    first = path.read_text("utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA}"
    if "templates" not in path.parts:  # `init` writes the schema beside what it makes of them
        assert (path.parent / SCHEMA).is_file()


def test_shipped_schema_is_the_one_of_this_rftspec(capsys: pytest.CaptureFixture[str]) -> None:
    """`rftspec schema > specs/rftspec.schema.json` was run after the last change of a field."""
    assert main(["schema"]) == exits.FINE
    assert (ROOT / "specs" / SCHEMA).read_text("utf-8") == capsys.readouterr().out


def test_schema_of_one_field_is_a_part_of_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--field", "model.lora.rank"]) == exits.FINE
    found = json.loads(capsys.readouterr().out)
    assert found == spec_schema()["properties"]["model"]["properties"]["lora"]["properties"]["rank"]
    assert main(["schema", "--field", "model.lora.rnk"]) == exits.USAGE
    assert "Did you mean `model.lora.rank`?" in capsys.readouterr().err
