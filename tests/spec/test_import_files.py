"""Reading foreign files, writing specs: strict, bounded, and back again to the same values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftspec.cli.text import render_all
from rftspec.codes import PAGES
from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.expr import bounds
from rftspec.spec.document import Source
from rftspec.spec.importing import formula as formulas
from rftspec.spec.importing.emit import Sketch, TooMuch, to_yaml
from rftspec.spec.importing.imported import Imported, Wishes, refuse_existing
from rftspec.spec.importing.json_reader import MAX_DEPTH, read_json
from rftspec.spec.importing.openai import import_openai
from rftspec.spec.importing.ranges import range_of_source
from rftspec.spec.importing.reading import read_file
from rftspec.spec.importing.secrets import without_secrets
from rftspec.spec.text import MAX_BYTES
from rftspec.spec.yaml_reader import parse_text
from tests.spec.test_messages import check_golden
from tools import docs_imports

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False, max_value=1e18, min_value=-1e18)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


def imported(folder: Path, value: Any, **wishes: Any) -> Imported:
    """What `rftspec import openai` makes of a value."""
    path = folder / "job.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
    return import_openai(Wishes(path, **wishes))


def problems(folder: Path, value: Any) -> list[Diagnostic]:
    """What is said of a file that is refused as a whole."""
    with pytest.raises(DiagnosticError) as caught:
        imported(folder, value)
    return list(caught.value.diagnostics)


def test_page_is_what_the_table_makes() -> None:
    """`python -m tools.docs_imports` was run after the last change."""
    assert docs_imports.PAGE.read_text("utf-8") == docs_imports.page()


@given(JSON)
def test_json_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        node = read_json(Source("a.json", text))
        assert not isinstance(node, Diagnostic)
        assert node.json() == json.loads(text)


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \n\\u"', max_size=40))
def test_what_is_read_as_json_is_json_and_nothing_raises(text: str) -> None:
    node = read_json(Source("a.json", text))
    try:
        expected = json.loads(text)
    except ValueError:
        assert isinstance(node, Diagnostic)
        return
    if isinstance(node, Diagnostic):
        # stricter than the library: no key twice, nothing beyond 64 bits, no half surrogate
        words = ("stands here again", "64 bits", "too long", "surrogate")
        assert any(word in node.message for word in words)
    else:
        assert node.json() == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[" * (MAX_DEPTH + 3), "nested more than"),
        ("[" + "1," * 30_000 + "1]", "more than 20,000 values"),
        ('{"a": 1} {"b": 2}', "behind the end"),
        ('{"a": 1, // no\n"b": 2}', "no comments"),
        ('{"a": NaN}', "a JSON value is missing"),
        ('{"a": True}', "a JSON value is missing"),
        ('{"a": 1e999}', "64 bits"),
        ('{"a": "\n"}', "not closed or not escaped"),
        ('{"a": "\\ud800"}', "surrogate"),
        ("", "no mapping"),
        ("hello", "no mapping"),
    ],
)
def test_broken_file_is_told_in_one_sentence(text: str, word: str, tmp_path: Path) -> None:
    found = (
        problems(tmp_path, text) if text.startswith(("{", "[")) else yaml_problems(tmp_path, text)
    )
    assert any(word in one.message for one in found)


def yaml_problems(folder: Path, text: str) -> list[Diagnostic]:
    """What is said of a YAML file that is refused as a whole."""
    path = folder / "job.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(DiagnosticError) as caught:
        import_openai(Wishes(path))
    return list(caught.value.diagnostics)


def test_huge_file_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES * 1000)
    with pytest.raises(DiagnosticError) as caught:
        import_openai(Wishes(path))
    assert [one.code for one in caught.value.diagnostics] == ["E003"]


def test_pipes_folders_and_missing_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, code in (("pipe", "E202"), (".", "E202"), ("none.json", "E201")):
        with pytest.raises(DiagnosticError) as caught:
            read_file(tmp_path / name)
        assert [one.code for one in caught.value.diagnostics] == [code]


def test_line_of_a_broken_file_with_keys_in_it_is_not_shown(tmp_path: Path) -> None:
    found = problems(tmp_path, '{"headers": {"Authorization": "Bearer hush"} "url": 1}')
    assert found[0].code == "E701"
    assert "hush" not in render_all(found)


@pytest.mark.parametrize("value", ['a "quoted\\ value', "hush\thush", "hüsh-hüsh"])
def test_secret_is_covered_in_the_line_of_another_mistake(value: str, tmp_path: Path) -> None:
    """Also where JSON escapes it, and the whole file is one line."""
    endpoint = {"type": "endpoint", "url": "https://a.example/x", "headers": {"X-Key": value}}
    made = imported(tmp_path, {**endpoint, "rate_limit": -1, "colour": "red"})
    said = render_all(made.diagnostics) + made.text + str([e.to_json() for e in made.entries])
    assert {one.code for one in made.diagnostics} == {"E703", "W704", "W707"}
    assert value not in said
    assert json.dumps(value)[1:-1] not in said


def test_line_of_broken_yaml_with_keys_in_it_is_not_shown(tmp_path: Path) -> None:
    found = yaml_problems(tmp_path, "method: a\nheaders: { Authorization: &a Bearer hush }\n")
    assert {one.code for one in found} == {"E008"}
    assert "hush" not in render_all(found)


def test_secret_is_covered_when_the_whole_file_is_refused(tmp_path: Path) -> None:
    method = {"type": "supervised", "note": {"api_key": "hush-hush"}}
    found = problems(tmp_path, {"training_file": "file-a", "method": method})
    assert "hush" not in render_all(found)
    found = problems(tmp_path, {"x": {"token": "hush-hush"}})
    assert "hush" not in render_all(found)


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://me:pw@a.example/x", "https://a.example/x"),
        ("https://a.example/x?sig=abc&v=1", "https://a.example/x"),
        ("https://a.example/x?api-key=abc", "https://a.example/x"),
        ("https://a.example/x?version=2", "https://a.example/x?version=2"),
    ],
)
def test_address_loses_its_keys_and_nothing_else(url: str, bare: str) -> None:
    assert without_secrets(url) == bare


def test_metadata_that_look_like_a_key_are_left_out(tmp_path: Path) -> None:
    job = {
        "training_file": "file-a",
        "metadata": {"team": "a", "note": "sk-abcdefghijkl", "api_key": "plain-words"},
        "method": {"type": "reinforcement", "reinforcement": {"grader": EXACT}},
    }
    made = imported(tmp_path, job)
    assert "team: a" in made.text
    assert "sk-abc" not in made.text
    assert "plain-words" not in made.text


@given(
    st.dictionaries(st.text(min_size=1, max_size=12), JSON, max_size=4),
    st.text(max_size=60),
)
@settings(max_examples=200)
def test_written_spec_reads_as_it_was_meant(meta: dict[str, Any], text: str) -> None:
    sketch = Sketch()
    sketch.put("meta", {"x": meta, "text": text.encode("utf-8", "ignore").decode()})
    sketch.put("train.epochs", 3, "a comment")
    try:
        written = to_yaml(sketch, ["a", "b"], ["end"])
    except TooMuch:
        assert _too_deep(meta)
        return
    document = parse_text(written, Path("s.yaml"), "s.yaml")
    assert document.root is not None
    assert document.root.json()["meta"] == sketch.values["meta"]


def _too_deep(value: Any, depth: int = 3) -> bool:
    if depth > 31:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_too_deep(one, depth + 1) for one in inner)


@pytest.mark.parametrize(
    "text",
    [
        "def grade(sample, item):\n    return 1.0\n",
        "\n   indented\nthen not\n",
        "trailing  \n\nblank\n\n",
        "tab\tinside\n\tand first\n",
        "no end",
        "right\u202eleft\u2028\n",
        "\r\nwindows\r\n",
        " ",
        "yes",
        "1e-5",
        "{{ item.a }}: # [",
        "emoji 🧬 → …",
    ],
)
def test_every_kind_of_text_survives(text: str) -> None:
    sketch = Sketch()
    sketch.put_at(("meta", "text"), text)
    document = parse_text(to_yaml(sketch, []), Path("s.yaml"), "s.yaml")
    assert document.root is not None
    assert not document.collector.has_errors
    assert document.root.json()["meta"]["text"] == text


def test_long_python_grader_becomes_a_file_and_a_short_one_stays(tmp_path: Path) -> None:
    long = "def grade(sample, item):\n" + "    x = 1\n" * 40 + "    return 1.0\n"
    grader = {
        "type": "multi",
        "name": "m",
        "graders": {
            "a": {"type": "python", "name": "a", "source": long},
            "b": {"type": "python", "name": "b", "source": "def grade(s, i):\n    return 1.0\n"},
        },
        "calculate_output": "a * b",
    }
    made = imported(tmp_path, grader, out=tmp_path / "deep" / "spec.yaml")
    assert dict(made.files) == {"graders/a.py": long}
    assert "file: graders/a.py" in made.text
    assert "source: |" in made.text
    assert dict(imported(tmp_path, grader).files) == {}


def test_schema_that_is_deeper_than_a_spec_may_be_is_told(tmp_path: Path) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(14):
        schema = {"type": "object", "properties": {"a": schema}}
    form = {"type": "json_schema", "name": "deep", "schema": schema}
    found = problems(tmp_path, {"grader": EXACT, "response_format": form})
    assert [one.code for one in found] == ["E702"]
    assert "nested more than 32 deep" in found[0].message


def test_paths_are_relative_to_the_spec(tmp_path: Path) -> None:
    made = imported(
        tmp_path,
        EXACT,
        out=tmp_path / "specs" / "a.yaml",
        train=tmp_path / "rows" / "t.jsonl",
        validation=tmp_path / "specs" / "v.jsonl",
        base="builtin:case-reader",
    )
    assert "train: ../rows/t.jsonl" in made.text
    assert "validation: v.jsonl" in made.text
    assert 'base: "builtin:case-reader"' in made.text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def grade(s, i):\n    return 5 if s else -2.5\n", (-2.5, 5.0)),
        ("def grade(s, i):\n    return 0.5\n", (0.0, 1.0)),
        ("def grade(s, i):\n    return len(s)\n", (0.0, 1.0)),
        ("def broken(", (0.0, 1.0)),
    ],
)
def test_range_of_a_python_grader_holds_what_it_returns(
    source: str, expected: tuple[float, float]
) -> None:
    assert range_of_source(source)[0] == expected


@pytest.mark.parametrize(
    ("formula", "names", "expected"),
    [
        ("max(max, 1e5) + e5", {"max": "m", "e5": "x"}, "max(m, 1e5) + x"),
        ("a-b + a", {"a-b": "a_b"}, "a_b + a"),
        ("min (min)", {"min": "low"}, "min (low)"),
    ],
)
def test_names_change_in_a_formula_and_nothing_else(
    formula: str, names: dict[str, str], expected: str
) -> None:
    assert formulas.renamed(formula, names) == expected


@given(
    st.sampled_from(["a - b", "a * b", "1 - a", "min(a, b)", "a ^ 2 - b", "0.5 * a + 0.5 * b"]),
    st.tuples(st.floats(-2, 0), st.floats(0.1, 2)),
    st.tuples(st.floats(-2, 0), st.floats(0.1, 2)),
)
def test_paid_exceptions_are_those_whose_zero_beats_the_floor(
    text: str, first: tuple[float, float], second: tuple[float, float]
) -> None:
    ranges = {"a": first, "b": second}
    expression = formulas.compiled(text, ["a", "b"])
    floor = bounds(expression, ranges)[0]
    told = formulas.paid_exceptions(text, ranges)
    for name in expression.names:
        least = bounds(expression, {**ranges, name: (0.0, 0.0)})[0]
        assert (name in told) == (least > floor)


def _job(**reinforcement: Any) -> dict[str, Any]:
    method = {"type": "reinforcement", "reinforcement": reinforcement}
    return {"training_file": "file-a", "model": "o4-mini-2025-04-16", "method": method}


PENALTY = {
    "type": "multi",
    "name": "m",
    "graders": {"right": EXACT, "wrong": {**EXACT, "operation": "ne"}},
    "calculate_output": "right - wrong",
}
MESSAGES: dict[str, Any] = {
    "E701": "{'type': 'string_check'}",
    "E702": {"messages": [{"role": "user", "content": "hi"}]},
    "E703": {**EXACT, "operation": "starts_with"},
    "W704": _job(grader=EXACT, hyperparameters={"n_epoch": 3}),
    "W705": PENALTY,
    "W706": {**EXACT, "operation": "neq"},
    "W707": {"type": "endpoint", "url": "https://grade.example/x", "headers": {"X-Key": "hush"}},
}


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_message_of_a_code_reads_well(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = MESSAGES[code]
    text = text if isinstance(text, str) else json.dumps(text, indent=2)
    Path("job.json").write_text(text, "utf-8")
    found: list[Diagnostic]
    try:
        found = list(import_openai(Wishes(Path("job.json"))).diagnostics)
    except DiagnosticError as error:
        found = list(error.diagnostics)
    assert {one.code for one in found} == {code}
    check_golden(code, render_all(found), tmp_path)


def test_file_that_is_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text("", "utf-8")
    with pytest.raises(DiagnosticError) as caught:
        refuse_existing([Path("spec.yaml"), Path("graders/a.py")])
    check_golden("E708", render_all(caught.value.diagnostics), tmp_path)


def test_every_code_of_importing_has_a_message() -> None:
    assert {code for code in PAGES if code[1] == "7"} == {*MESSAGES, "E708"}
