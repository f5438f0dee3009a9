"""The verbs: where each one is, and its caption. A verb is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

from rftspec.cli.manners import teach

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Spec": {
        "init": ("init:init", "Write a spec with a few rows to start from, ready to run."),
        "validate": (
            "spec:validate",
            "Find every mistake in specs, data and graders; nothing is run.",
        ),
        "explain": (
            "spec:explain",
            "The page of a code, field, grader, function, metric or verb.",
        ),
        "schema": ("spec:schema", "The JSON Schema of a spec, for editors."),
        "fmt": ("fmt:fmt", "Format the expressions of specs in place; nothing else is touched."),
        "grade": ("grade:grade", "Grade answers, or a run again; probe the graders. No model."),
        "import": (
            "import_spec:import_spec",
            "A spec from a hosted job, grader or eval, or a GRPO config.",
        ),
    },
    "Plan": {
        "plan": ("plan:plan", "Every number of the run with its reason; nothing is run."),
    },
    "Run": {
        "run": ("run:run", "Measure, train, measure again, report."),
        "resume": ("run:resume", "Go on with an interrupted run."),
        "eval": ("eval:evaluate", "Measure one model on a spec's held-out rows."),
    },
    "Read": {
        "report": ("report:report", "Write the report of a run again, finished or not."),
        "compare": ("compare:compare", "Runs and evaluations against the first, row by row."),
        "show": ("show:show", "Samples of a run in the terminal: prompt, answers, scores."),
        "ls": ("ls:ls", "Runs, newest first: how they stand, base → tuned."),
    },
    "Care": {
        "data": ("data:data", "Make rows of other people's formats."),
        "doctor": ("care:doctor", "Is this machine ready? Each finding with its fix."),
        "completion": (
            "completion:completion",
            "The script that completes rftspec's words in a shell.",
        ),
    },
}
"""Section of `--help` → verb → its module and name there, and the caption it has there, too."""


class Shelf(MutableMapping[str, click.Command]):
    """The verbs by name; the module of one is imported when it is taken down."""

    def __init__(self) -> None:
        self._places = {name: at for verbs in SECTIONS.values() for name, (at, _) in verbs.items()}
        self._taken: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._taken:
            module, attribute = self._places[name].split(":")
            found: click.Command = getattr(import_module(f"rftspec.cli.{module}"), attribute)
            teach(found)
            self._taken[name] = found
        return self._taken[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places.setdefault(name, "")
        self._taken[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._taken.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
