"""docs/spec.md and docs/errors.md, from the field declarations and the table of codes.

python -m tools.docs_spec
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rftspec.codes import PAGES, CodePage
from rftspec.graders.kinds import KINDS
from rftspec.spec.schema import spec_schema

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
FAMILIES = {
    "E0": "The file: text and YAML",
    "E1": "The structure of the spec",
    "E2": "Files and rows",
    "E3": "The scoring language",
    "E4": "Graders",
    "E5": "The base model",
    "E7": "Importing from elsewhere",
}
NESTED = ("model", "data", "response", "on_error", "train", "evaluate")


def spec_page() -> str:
    """The reference of all fields."""
    lines = [
        "# The spec, field by field",
        "",
        "Made by `python -m tools.docs_spec` from the declarations in `rftspec/spec/model.py`; the",
        "same declarations make the JSON Schema (`rftspec schema`) and `rftspec explain FIELD`.",
        "",
        "A spec is strict YAML: scalars are read by YAML 1.2 (`1e-5` is a number); `yes`, `no`,",
        "`010`, `1:30` and other scalars that YAML 1.1 reads otherwise are errors; there are no",
        "anchors, aliases, tags, merge keys or second documents; a key stands once. Unknown keys",
        "are errors; keys that begin with `x-`, and everything under `meta:`, are yours. Paths are",
        "relative to the spec. `--set FIELD=VALUE` changes a field from the command line.",
        "",
        "## Top level",
        "",
        *fields_table(spec_schema(), ""),
    ]
    for name in NESTED:
        section = spec_schema()["properties"][name]
        lines += ["", f"## `{name}`", "", section["description"], ""]
        lines += fields_table(section, f"{name}.")
    references = spec_schema()["properties"]["evaluate"]["properties"]["references"]
    lines += ["", "### `evaluate.references.NAME`", ""]
    lines += fields_table(references["additionalProperties"], "evaluate.references.NAME.")
    lines += ["", "## `graders`", "", "Each entry has a `type`, which says what else it has.", ""]
    for name, kind in KINDS.items():
        lines += [f"### `type: {name}`", "", kind.doc.strip(), ""]
        lines += [*fields_table(kind.schema, ""), ""]
    return "\n".join(lines).rstrip() + "\n"


def fields_table(schema: Mapping[str, Any], prefix: str) -> list[str]:
    """The rows of a table of fields: name, what it takes, default, meaning."""
    rows = ["| field | takes | default | |", "|---|---|---|---|"]
    for name, field, required in _fields(schema, ""):
        default = _default(field, required)
        meaning = field.get("description", "")
        cells = (f"`{prefix}{name}`", _takes(field), default, meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows


def _fields(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Fields in order; sections inside sections (`model.lora`) are spread out."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        if field.get("const") is not None and name == "type":
            continue
        inner = field.get("properties") if field.get("type") == "object" else None
        if prefix + name in ("lora", "vote") and inner:
            yield from _fields(field, f"{prefix}{name}.")
        elif isinstance(field.get("type"), list) and field.get("properties"):
            yield prefix + name, field, name in required
            yield from _fields(field, f"{prefix}{name}.")
        else:
            yield prefix + name, field, name in required


def _takes(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{choice}`" for choice in field["enum"])
    if "x-expected" in field:
        return str(field["x-expected"])
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "array": "list",
        "object": "mapping",
    }
    kinds = field.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    told = " or ".join(words[kind] for kind in kinds)
    if field.get("x-path"):
        told = told.replace("text", "path")
    if field.get("x-expression"):
        told = "expression"
    bounds = [
        f"{sign} {field[key]:,}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if key in field
    ]
    return told + (f" {', '.join(bounds)}" if bounds else "")


def _default(field: Mapping[str, Any], required: bool) -> str:
    if required:
        return "**required**"
    reason = field.get("x-reason", "")
    if "default" not in field or field["default"] in ([], {}):
        return reason
    default = field["default"]
    default = int(default) if isinstance(default, float) and default.is_integer() else default
    value = f"`{json.dumps(default, ensure_ascii=False)}`".replace('"', "")
    return f"{value}: {reason}" if reason else value


def errors_page() -> str:
    """Every code with its explanation, an example and the message that it gives."""
    lines = [
        "# Error codes",
        "",
        "Made by `python -m tools.docs_spec` from `rftspec/codes` and the messages in",
        "`tests/golden`, which a test holds equal to what is really said. `rftspec explain CODE`",
        "shows the same in the terminal. Codes with W are warnings.",
    ]
    for family, title in FAMILIES.items():
        lines += ["", f"## {family}xx: {title}"]
        for page in sorted(PAGES.values(), key=lambda page: page.code[1:]):
            if page.code[1:2] == family[1]:
                lines += ["", *_code(page)]
    return "\n".join(lines) + "\n"


def _code(page: CodePage) -> Iterator[str]:
    yield f"### {page.code}: {page.title}"
    yield ""
    yield page.text
    golden = GOLDEN / f"{page.code}.txt"
    if golden.is_file():
        yield ""
        yield "```text"
        yield golden.read_text("utf-8").rstrip("\n")
        yield "```"
    if page.good and page.bad:
        yield ""
        yield "Instead:"
        yield ""
        yield "```yaml" if page.file.endswith(".yaml") else "```text"
        yield page.good.strip("\n")
        yield "```"


def main() -> None:
    """Write both pages."""
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs" / "spec.md").write_text(spec_page(), "utf-8")
    (ROOT / "docs" / "errors.md").write_text(errors_page(), "utf-8")


if __name__ == "__main__":
    main()
