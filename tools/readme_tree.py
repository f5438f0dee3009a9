"""README's file tree, made of the first lines of the modules' docstrings.

python tools/readme_tree.py            print it
python tools/readme_tree.py --write    put it into README.md (make readme)
"""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
START, END = "<!-- tree -->", "<!-- /tree -->"
# Folders whose files speak for themselves get one line each.
FOLDERS = {
    "grammars": "the scoring language on one page, every rule commented",
    "specs": "runnable specs, one idea each, their data, and the templates of rftspec init",
    "models": "the built-in base models with their cards",
    "bench": "measurements; each prints a table and writes bench/results/*.json",
    "tools": "scripts that made what is shipped: world, data, model, pictures",
    "docs": "commands, language, metrics, errors, measured tables",
    "tests": "mirrors rftspec/; house/ holds the rules of this repository",
}
WIDTH = 24


def main() -> int:
    """Print the tree, or write it into the README; 0 when done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    if not parser.parse_args().write:
        print(tree())
        return 0
    README.write_text(with_tree(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def tree() -> str:
    """Every module of rftspec with its caption, then the folders beside it."""
    lines = ["rftspec/"]
    lines += _package(ROOT / "rftspec", "  ")
    for name, caption in FOLDERS.items():
        if (ROOT / name).is_dir():
            lines.append(_line("", f"{name}/", caption))
    return "\n".join(lines)


def with_tree(readme: str) -> str:
    """The README's text with the tree of now between its two marks."""
    before, rest = readme.split(START, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{START}\n```\n{tree()}\n```\n{END}{after}"


def caption_of(path: Path) -> str:
    """The first line of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0].strip().removesuffix(".")


def _package(folder: Path, indent: str) -> list[str]:
    modules = sorted(p for p in folder.glob("*.py") if not p.name.startswith("__"))
    packages = sorted(p for p in folder.iterdir() if (p / "__init__.py").is_file())
    lines = [_line(indent, path.name, caption_of(path)) for path in modules]
    for package in packages:
        lines.append(_line(indent, f"{package.name}/", caption_of(package / "__init__.py")))
        lines += _package(package, indent + "  ")
    return lines


def _line(indent: str, name: str, caption: str) -> str:
    return f"{indent + name:<{WIDTH}} {caption}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
