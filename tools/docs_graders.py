"""docs/graders/*.md: a page per kind of grader, and the table of hosted graders.

python -m tools.docs_graders
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rftspec.graders.kinds import HOSTED, KINDS
from tools.docs_spec import fields_table

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "graders"
CASES = ROOT / "tests" / "cases"
COMMAND = "`python -m tools.docs_graders`"
GROUPS = {
    "string_check": "`string_check`",
    "text_similarity": "`text_similarity`",
    "score_model": "`score_model`",
    "label_model": "`label_model`",
    "python": "`python`",
    "multi": "`multi`",
}


def examples() -> list[Mapping[str, Any]]:
    """The examples of all kinds, in their order."""
    return list(yaml.safe_load((CASES / "grader_examples.yaml").read_text("utf-8")))


def hosted() -> list[Mapping[str, Any]]:
    """The table of hosted graders."""
    return list(yaml.safe_load((CASES / "hosted_graders.yaml").read_text("utf-8")))


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    made = {f"{name}.md": kind_page(name) for name in KINDS}
    return {**made, "coming-from-openai.md": coming_page()}


def kind_page(name: str) -> str:
    """What a grader of this kind does, what it takes, and what it says of examples."""
    kind = KINDS[name]
    properties = {k: v for k, v in kind.schema["properties"].items() if k not in HOSTED}
    lines = [
        f"# `{name}`",
        "",
        f"Made by {COMMAND} from `rftspec/graders/{name}.py` and",
        "`tests/cases/grader_examples.yaml`; a test runs the examples. What all graders have in",
        "common: [Graders](../graders.md).",
        "",
        kind.doc.strip(),
        "",
        "## Settings",
        "",
        *fields_table({**kind.schema, "properties": properties}, ""),
        "",
        "`name` and `pass_threshold` of hosted graders are taken too and change nothing.",
    ]
    for example in examples():
        if example["kind"] == name:
            lines += ["", *_example(example)]
    return "\n".join(lines) + "\n"


def _example(example: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {example['title']}"
    yield ""
    yield "```yaml"
    yield "graders:"
    yield from (f"  {line}".rstrip() for line in example["spec"].rstrip().split("\n"))
    yield "```"
    if example.get("cases"):
        yield ""
        yield f"What it says (put here by {COMMAND}, run by a test):"
        yield ""
        yield "| row | answer | score |"
        yield "|---|---|---|"
        yield from map(_case, example["cases"])


def _case(case: Mapping[str, Any]) -> str:
    answer = json.dumps(case["answer"], ensure_ascii=False)
    if case.get("tools"):
        answer = "calls " + ", ".join(f"`{c['function']['name']}`" for c in case["tools"])
    elif isinstance(case["answer"], str) and "\n" not in case["answer"] and case["answer"]:
        answer = _code(case["answer"])
    score = f"none: `{case['error']}`" if "error" in case else f"{case['score']:g}"
    return f"| {_code(json.dumps(case['item'], ensure_ascii=False))} | {answer} | {score} |"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def coming_page() -> str:
    """The table of hosted graders with their verdicts, and what to write for those refused."""
    table = hosted()
    refused = [entry for entry in table if "refused" in entry]
    lines = [
        "# Coming from OpenAI",
        "",
        f"Made by {COMMAND} from `tests/cases/hosted_graders.yaml`, which has every",
        "grader in full; `python -m pytest tests/graders/test_hosted_graders.py` runs them.",
        "",
        "A hosted grader is written in YAML below its name under `graders:`; its fields keep their",
        "names. A `name` beside it must be the same, or a label that no expression could use;",
        "`pass_threshold` is taken and changes nothing: write the share that passes as a metric.",
        "The top-level `multi` may stay as it is, or its members become graders and its",
        "`calculate_output` the `reward`. What differs on purpose:",
        "",
        "- An error never pays: a grader that failed gives the sample the lowest reward there is,",
        "  where the hosted product takes its score to be 0.",
        "- A score outside `range` is an error; declare the range of a Python grader that gives",
        "  more than 1 or less than 0.",
        "- Python runs restricted, without third-party packages except rapidfuzz: "
        "[the sandbox](../sandbox.md).",
        "- `cosine` is computed by a local model that you name.",
        "",
        f"Of the {len(table)} graders below, {len(table) - len(refused)} run unchanged and",
        f"{len(refused)} are refused with a message that says what to write instead.",
    ]
    for group, title in GROUPS.items():
        lines += ["", f"## {title}", "", "| grader | verdict |", "|---|---|"]
        members = [entry for entry in table if entry["group"] == group]
        lines += [f"| {entry['name']} | {_verdict(entry)} |" for entry in members]
    lines += ["", "## What to write instead"]
    for entry in refused:
        lines += ["", *_rewrite(entry)]
    return "\n".join(lines) + "\n"


def _verdict(entry: Mapping[str, Any]) -> str:
    if "refused" in entry:
        return f"refused, {entry['refused']}: [rewrite](#{_anchor(entry['name'])})"
    if "error" in entry:
        return f"runs; the example has no score: `{entry['error']}`"
    if "builds" in entry:
        return "valid unchanged; asks a model"
    return f"runs unchanged; the example scores {entry['score']:.4g}"


def _rewrite(entry: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {entry['name'][0].upper()}{entry['name'][1:]}"
    yield ""
    yield f"`{entry['refused']}`, which says: {_told(entry['says'])}."
    yield ""
    yield "```yaml"
    grader = {"my_grader": entry["rewrite"]}
    text = yaml.dump(grader, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    yield text.rstrip()
    yield "```"


def _told(parts: Sequence[str]) -> str:
    return " … ".join(parts)


def _anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


class _Dumper(yaml.SafeDumper):
    """YAML as a person writes it: texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def main() -> None:
    """Write all pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (PAGES / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
