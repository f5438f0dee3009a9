"""Write the rows of the templates: a few for training and as many that are only measured.

    python -m tools.toy_model.build_data            # write specs/templates/*/*.jsonl
    python -m tools.toy_model.build_data --check    # compare with what is there

Seeded: the same bytes everywhere. ``--check`` exits with 1 if a byte differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

from tools.toy_model import judging, tasks
from tools.toy_model.manners import Row, written

FOLDER = Path(__file__).parents[2] / "specs" / "templates"
TEMPLATES = {
    **{name: tasks.TASKS[name] for name in tasks.TASKS if name not in ("copy", "count")},
    "judge": judging.TASKS["judge"],
}
ROWS = {"train": 48, "validation": 32}
SEED = "templates-1"
_HIDDEN = ("offered",)
"""Fields that only the writing of training answers needs."""


def rows(template: str) -> dict[str, list[Row]]:
    """Rows by split; no question comes twice."""
    rng = Random(f"{SEED}-{template}")
    seen: set[str] = set()
    made: dict[str, list[Row]] = {}
    for split, count in ROWS.items():
        made[split] = []
        while len(made[split]) < count:
            row = TEMPLATES[template].question(rng)
            text = written(row)
            if text not in seen:
                seen.add(text)
                made[split].append({k: v for k, v in row.items() if k not in _HIDDEN})
    return made


def files() -> dict[Path, str]:
    """Every file by its place below `specs/templates`."""
    return {
        Path(template, f"{split}.jsonl"): "".join(
            json.dumps(row, ensure_ascii=False) + "\n" for row in found
        )
        for template in TEMPLATES
        for split, found in rows(template).items()
    }


def shipped_questions() -> frozenset[str]:
    """The question of every row, as the model reads it: never drawn for training."""
    return frozenset(
        written(row) for template in TEMPLATES for found in rows(template).values() for row in found
    )


def main() -> None:
    """Write the files, or compare them."""
    texts = files()
    if "--check" in sys.argv:
        different = [
            str(name)
            for name, text in texts.items()
            if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
        ]
        print("differs: " + ", ".join(different) if different else "all files are the same")
        raise SystemExit(bool(different))
    for name, text in texts.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"{name}: {text.count(chr(10))} rows")


if __name__ == "__main__":
    main()
