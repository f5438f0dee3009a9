"""Write docs/first_run.md: a new user's first quarter of an hour, as the terminal showed it.

    python -m tools.first_run

From an empty folder: `rftspec init`, three mistakes and a fourth, mended from the messages alone,
then the plan and the run. Everything that is printed is what the commands printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "first_run.md"
MISTAKES = {
    "type: number_match": "type: number_mach",
    "samples_per_prompt: 8": "num_generations: 8",
    "learning_rate: 0.002": "learning_rate: 2,0e-3",
}
"""What stands in the template's spec, and what a hurried hand makes of it."""
LATER = {'reference: "{{ item.answer }}"': 'reference: "{{ item.awnser }}"'}
"""A mistake that only the data can tell, so it is told once the others are mended."""
HEAD = """\
# A first run

From an empty folder, as the terminal showed it (`python -m tools.first_run` writes this page
anew). The model is the built-in toy, so that all of it takes minutes on two cores; with a real
model only `model.base` changes.
"""


@dataclass(frozen=True)
class Terminal:
    """A folder in which commands are typed."""

    folder: Path

    def type(self, command: str, expected: int = 0) -> str:
        """A command and what it answered, as a code block. Raises when it ends otherwise."""
        done = subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != expected:
            raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stdout}")
        # What is typed is `rftspec`; the messages name the program that they were started by.
        told = done.stdout.replace(f"{sys.executable} -m rftspec", "rftspec")
        told = told.replace(str(Path(sys.executable).with_name("rftspec")), "rftspec")
        return f"```\n$ {command}\n{told.rstrip()}\n```\n"

    def edit(self, changes: dict[str, str]) -> None:
        """Change words of the spec."""
        path = self.folder / "spec.yaml"
        text = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            if old not in text:
                raise RuntimeError(f"the spec has no `{old}`")
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")


def page(folder: Path) -> str:
    """The whole page, from what is typed in an empty folder."""
    terminal = Terminal(folder)
    parts = [HEAD, terminal.type("rftspec init --template math")]
    parts.append("Three things are changed, all of them wrongly; all are told at once:\n")
    terminal.edit(MISTAKES)
    parts.append(terminal.type("rftspec validate spec.yaml", expected=1))
    parts.append("Mended from the messages. Then a field that the rows do not have:\n")
    terminal.edit({new: old for old, new in MISTAKES.items()} | LATER)
    parts.append(terminal.type("rftspec validate spec.yaml", expected=1))
    parts.append(
        "Mended, too. What does a lazy model earn, what does the model see, what will it cost?\n"
    )
    terminal.edit({new: old for old, new in LATER.items()})
    parts.append(terminal.type("rftspec validate spec.yaml"))
    parts.append(terminal.type("rftspec plan spec.yaml --show-example"))
    parts.append(terminal.type("rftspec plan spec.yaml"))
    parts.append("And the run:\n")
    parts.append(terminal.type("rftspec run spec.yaml --out out"))
    parts.append(terminal.type("rftspec show out --flipped --limit 2"))
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        text = page(Path(folder))
        PAGE.write_text(text.replace(folder, "~/my-task"), encoding="utf-8")
    print(f"written: {PAGE}")


if __name__ == "__main__":
    main()
