"""The house rules that no linter knows, as functions from source text to complaints.

Each is tried on a broken example in `test_rules_bite.py`, so that none of them can go blind.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = ("rftspec", "tests", "tools", "bench")
MAX_FILE, MAX_FUNCTION, MAX_CAPTION = 400, 50, 110
BANNED_MODULES = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "base"})
NUMBERS = re.compile(r"\d")
COMMAND = re.compile(r"`((?:\.venv/bin/)?(?:rftspec|make|python|python3)\b[^`]*)`")
LOCAL_PATHS = re.compile(
    r"(?<![\w.:/])/(?:work|root|home/(?!someone\b|you\b)\w+|Users/(?!you\b)\w+)(?=[/\s\"'`)]|$)"
)
"""`/home/someone` and `/home/you` are nobody's."""
LEFTOVERS = re.compile(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError")


def python_files() -> list[Path]:
    """Every Python file of the repository."""
    found = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def text_files() -> list[Path]:
    """Every text file that git would take: tracked, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        paths = [p for p in ROOT.rglob("*") if ".venv" not in p.parts and ".git" not in p.parts]
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".lark", ".html", ".js", ".css", ""}
    return sorted(p for p in paths if p.is_file() and p.suffix in kinds)


def too_long(source: str) -> list[str]:
    """The file against 400 lines, every function against 50 (decorators not counted)."""
    problems = []
    lines = len(source.splitlines())
    if lines > MAX_FILE:
        problems.append(f"{lines} lines in one file, {MAX_FILE} are allowed")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                problems.append(f"`{node.name}` has {length} lines, {MAX_FUNCTION} are allowed")
    return problems


def caption(source: str) -> str:
    """The first line of a module's docstring, without its full stop; empty when there is none."""
    text = ast.get_docstring(ast.parse(source)) or ""
    return text.split("\n", 1)[0].strip().removesuffix(".")


def bad_captions(source: str) -> list[str]:
    """Modules, public classes and public functions whose docstring does not open with a caption."""
    tree = ast.parse(source)
    problems = _caption_problem("the module", tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not node.name.startswith("_") and not _is_nested(tree, node):
            problems += _caption_problem(f"`{node.name}`", node)
    return problems


def _caption_problem(
    what: str, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
) -> list[str]:
    text = ast.get_docstring(node)
    if not text:
        return [f"{what} has no docstring"]
    first = text.split("\n", 1)[0].strip()
    if len(first) > MAX_CAPTION:
        return [f"{what}: its caption is longer than {MAX_CAPTION} characters"]
    return []


def _is_nested(tree: ast.Module, node: ast.AST) -> bool:
    """True inside a function or a private class: not public whatever its name."""
    for outer in ast.walk(tree):
        if outer is node or not hasattr(outer, "body"):
            continue
        hides = isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) or (
            isinstance(outer, ast.ClassDef) and outer.name.startswith("_")
        )
        if hides and any(inner is node for inner in ast.walk(outer)):
            return True
    return False


def banned_name(path: Path) -> bool:
    """True for a module called utils, helpers, common, misc or base."""
    return path.stem in BANNED_MODULES


def forbidden_calls(source: str) -> list[str]:
    """Calls that ask, leave or stop: ruff does not see `input()` as an import to ban."""
    return [
        node.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"input", "exit", "quit", "breakpoint"}
    ]


def leftovers(source: str) -> list[str]:
    """Work that was left for later, in words."""
    return [match.group(0) for match in LEFTOVERS.finditer(source)]


def local_paths(text: str) -> list[str]:
    """Absolute paths of somebody's machine."""
    return [match.group(0) for match in LOCAL_PATHS.finditer(text)]


def header_problems(spec: str) -> list[str]:
    """A shipped spec opens with three comment lines: what, the command, the expected result."""
    lines = [line for line in spec.splitlines() if not line.startswith("# yaml-language-server")]
    head = lines[:3]
    if len(head) < 3 or not all(line.startswith("#") for line in head):
        return ["does not open with three comment lines"]
    problems = []
    if not head[1].strip("# ").startswith(("rftspec ", "make ")):
        problems.append(f"its second line is not a command: {head[1]}")
    if not head[0].strip("# ") or not head[2].strip("# "):
        problems.append("one of its first three lines says nothing")
    return problems


def tables(markdown: str) -> Iterable[tuple[str, str]]:
    """Each table with digits in its body, and the paragraph right above or below it."""
    blocks = re.split(r"\n\s*\n", markdown)
    for number, block in enumerate(blocks):
        rows = block.strip().splitlines()
        if len(rows) > 2 and rows[0].startswith("|") and NUMBERS.search("\n".join(rows[2:])):
            around = blocks[max(0, number - 1) : number] + blocks[number + 1 : number + 2]
            yield block, "\n".join(around)


def unsourced_tables(markdown: str) -> list[str]:
    """Tables of numbers that do not name, beside them, the command that made them."""
    return [
        table.strip().splitlines()[0]
        for table, around in tables(markdown)
        if _measured(table) and not COMMAND.search(around)
    ]


def _measured(table: str) -> bool:
    """True when a table tells numbers: a fifth of its cells beside the first column, and three."""
    rows = [row.strip().strip("|").split("|")[1:] for row in table.strip().splitlines()[2:]]
    cells = [cell.strip() for row in rows for cell in row]
    numeric = sum(bool(re.match(r"^[*~≈≤≥+−-]*\s*\d", cell)) for cell in cells)
    return numeric >= 3 and 5 * numeric >= len(cells)


def named_commands(markdown: str) -> list[str]:
    """Commands that stand beside tables of numbers."""
    found = []
    for table, around in tables(markdown):
        if _measured(table):
            found += [match.group(1) for match in COMMAND.finditer(around)]
    return found


def command_exists(command: str, verbs: Iterable[str], make_targets: Iterable[str]) -> bool:
    """True when the script, make target or verb that a command names is in the repository."""
    words = [word for word in command.split() if "=" not in word or word.startswith("-")]
    name = words[0].rsplit("/", 1)[-1]
    if name.startswith("python"):
        scripts = [word for word in words[1:] if word.endswith(".py")]
        modules = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "-m"]
        places = [ROOT / script for script in scripts]
        places += [ROOT / (module.replace(".", "/") + ".py") for module in modules]
        return bool(places) and all(place.is_file() for place in places)
    if name == "make":
        return len(words) > 1 and words[1] in set(make_targets)
    return len(words) > 1 and words[1] in set(verbs)


def make_targets() -> list[str]:
    """The targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.findall(r"^([a-z][a-z-]*):", text, flags=re.MULTILINE)
