"""A plan in a file: saved whole, read back with every mistake at its place, and held to its word.

A saved plan names its data by hash, holds its graders' sources, and says what its models held. It
is run only where all of that is still so.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rftspec.data.hub_id import is_hub
from rftspec.data.rows import file_hash
from rftspec.diagnostics import Diagnostic, DiagnosticError, Span
from rftspec.plan.form import kind_of, wrong_in
from rftspec.plan.identity import identify
from rftspec.plan.model import FORMAT, Plan

CHECKSUM = "checksum"
_MINE = re.compile(r"plan/(\d+)")
_FOREIGN = (
    ("rftspec", "a report of rftspec"),
    ("method", "a fine-tuning job: `rftspec import openai FILE` makes a spec of it"),
    ("model_type", "a model's config.json"),
    ("messages", "a data row"),
)
"""Keys that tell what a JSON file is that is no plan."""


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan as JSON, with a checksum over it."""
    content = plan.to_json()
    text = json.dumps({**content, CHECKSUM: _checksum(content)}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_saved(path: Path) -> Plan:
    """The plan of a file. Raises DiagnosticError R411 with the place where it is no plan."""
    text = _text(path)
    try:
        content = json.loads(text)
    except RecursionError:
        raise _refused(path, "it is nested too deeply to be a plan") from None
    except ValueError as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        why = getattr(error, "msg", str(error)).lower()
        raise _refused(path, f"it is no JSON: {why}", text, (line, column)) from None
    _check_kind(path, content)
    checksum = content.pop(CHECKSUM, None)
    wrong = next(wrong_in(Plan, content), None)
    if wrong is not None:
        name, message = wrong
        raise _refused(path, message, text, _find(text, name))
    if checksum is not None and checksum != _checksum(content):
        place = _find(text, (CHECKSUM,))
        message = "it was edited or damaged after it was saved: its checksum is another"
        raise _refused(path, message, text, place)
    try:
        return Plan.from_json(content)
    except ValueError as error:  # what the walk above does not know
        raise _refused(path, str(error)) from error


def drift(plan: Plan) -> list[str]:
    """What differs now from what the plan was made of: data, files of graders, models."""
    return [*_data_drift(plan), *_grader_drift(plan), *model_drift(plan)]


def model_drift(plan: Plan) -> Iterator[str]:
    """Local models that hold something else now than when the plan was made.

    A base model on the hub is not among them where the plan names its commit.
    """
    contents = plan.contents or {}
    now = identify(plan) if contents else {}
    for name, before in contents.items():
        after = now.get(name)
        if after != before:
            model = plan.model.base if name == "base" else name
            told = "it is not there any more" if after is None else f"{before} → {after}"
            yield f"model `{model}`: {_shortened(told)}"


def refuse_drift(plan: Plan, path: Path, again: str) -> None:
    """Raise R418 with all that differs; `again` is the command that makes the plan anew."""
    found = drift(plan)
    if not found:
        return
    lines = "".join(f"\n  ~ {line}" for line in found)
    message = f"`{path}` was made of something else than is here now:{lines}"
    hint = f"put back what it was made of, or plan again: {again}"
    raise DiagnosticError([Diagnostic("R418", message, hint=hint)])


def _data_drift(plan: Plan) -> Iterator[str]:
    """Data files and outputs whose bytes are others now, or that are gone."""
    named = [(f"data.{name}", getattr(plan.data, name)) for name in ("train", "validation", "test")]
    files = [(name, split.path, split.sha256) for name, split in named if split is not None]
    for reference in plan.evaluate.references:
        if reference.path is not None and reference.sha256 is not None:
            name = f"evaluate.references.{reference.name}"
            files.append((name, reference.path, reference.sha256))
    for name, path, before in files:
        try:
            after = file_hash(Path(path))
        except OSError as error:
            reason = "is not there any more" if isinstance(error, FileNotFoundError) else "is " + (
                f"not to be read: {(error.strerror or str(error)).lower()}"
            )  # fmt: skip
            yield f"{name}: `{path}` {reason}"
            continue
        if after != before:
            kind = "rows" if is_hub(Path(path)) else "sha256"
            yield f"{name}: `{path}` {kind} {before[:12]} → {after[:12]}"


def _grader_drift(plan: Plan) -> Iterator[str]:
    """Files of graders that say something else now than the plan holds; one that is gone is fine.

    The plan holds the text itself: where the file is not there, nobody can have meant another.
    """
    folder = Path(plan.spec_path).parent
    for name, settings in _with_members("graders", plan.graders):
        if not isinstance(settings.get("file"), str):
            continue
        try:
            text = (folder / settings["file"]).read_bytes()
            now: Any = text.decode("utf-8").removeprefix("\ufeff")
            held = settings.get("source")
            if settings.get("type") == "json_schema":
                now, held = json.loads(now), settings.get("schema")
        except OSError:
            continue
        except (UnicodeDecodeError, ValueError, RecursionError):
            now, held = text, ""
        if now != held:
            yield f"{name}: `{settings['file']}` sha256 {_digest(held)} → {_digest(now)}"


def _with_members(
    path: str, graders: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, settings in graders.items():
        yield f"{path}.{name}", settings
        if settings.get("type") == "multi":
            yield from _with_members(f"{path}.{name}.graders", settings["graders"])


def _digest(value: Any) -> str:
    raw = value if isinstance(value, bytes) else _canonical(value)
    if isinstance(value, str):
        raw = value.encode("utf-8")
    return hashlib.sha256(raw).hexdigest()[:12]


def _shortened(told: str) -> str:
    """Hashes cut to twelve digits."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{20,}", r"\1", told)


def _canonical(content: Any) -> bytes:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _checksum(content: Mapping[str, Any]) -> str:
    """Over the values, not over how the JSON is laid out."""
    return hashlib.sha256(_canonical(content)).hexdigest()[:16]


def _text(path: Path) -> str:
    """The file's text; a folder, a pipe and bytes that are no text are told."""
    try:
        if path.is_dir():
            hint = "the folder of a run is gone on with by `rftspec resume`"
            raise _refused(path, "it is a folder", hint=hint)
        if not path.is_file() and path.exists():
            raise _refused(path, "it is not a regular file")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _refused(path, (error.strerror or str(error)).lower()) from error
    except UnicodeDecodeError:
        raise _refused(path, "it is no text") from None


def _check_kind(path: Path, content: Any) -> None:
    """Refuse JSON that is something else, or a plan of another form."""
    if not isinstance(content, dict):
        raise _refused(path, f"it holds {kind_of(content)}, where a plan is a JSON object")
    told = content.get("format")
    if told == FORMAT:
        return
    match = _MINE.fullmatch(str(told))
    if match is not None and int(match[1]) > int(FORMAT.partition("/")[2]):
        hint = "upgrade: pip install -U rftspec; or plan again from the spec with this one"
        raise _refused(path, f"it is a plan of a newer rftspec: {told}, not {FORMAT}", hint=hint)
    if match is not None:
        raise _refused(path, f"it is a plan of an older rftspec: {told}, not {FORMAT}")
    if str(told).startswith("rftspec."):
        raise _refused(path, f"it is what a verb prints with `--json` ({told}), not a saved plan")
    for key, what in _FOREIGN:
        if key in content:
            raise _refused(path, f"it is no plan; it looks like {what}")
    raise _refused(path, f'it is no plan: `"format": "{FORMAT}"` is not in it')


def _refused(
    path: Path,
    why: str,
    text: str | None = None,
    place: tuple[int, int] = (1, 1),
    hint: str | None = None,
) -> DiagnosticError:
    """R411 at a place of the file."""
    line, column = place
    span = Span(str(path), line, column, line, column + 1)
    lines = (text or "").splitlines()
    snippet = lines[line - 1] if 0 < line <= len(lines) else None
    hint = hint or f"make it again: rftspec plan SPEC --out {path}"
    message = f"`{path}` cannot be run as a plan: {why}"
    return DiagnosticError([Diagnostic("R411", message, span, hint, snippet=snippet)])


def _find(text: str, name: tuple[str, ...]) -> tuple[int, int]:
    """Line and column of a key, found by walking down the keys that lead to it."""
    position = 0
    for part in name:
        found = text.find(f"{json.dumps(part, ensure_ascii=False)}:", position)
        position = found if found >= 0 else position
    line = text.count("\n", 0, position) + 1
    return line, position - (text.rfind("\n", 0, position) + 1) + 1
