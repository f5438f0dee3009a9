"""docs/importing.md: how to come from elsewhere, and the table of what becomes of which file.

python -m tools.docs_imports
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from rftspec.codes import PAGES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "importing.md"
CASES = ROOT / "tests" / "cases" / "imports.yaml"
OUTCOMES = {"whole": "yes", "part": "in part", "none": "no"}

INTRODUCTION = """\
# Coming from elsewhere

Made by `python -m tools.docs_imports` from `tests/cases/imports.yaml`; a test runs every row of
the tables below.

```
rftspec import openai job.json --out spec.yaml --train train.jsonl --validation validation.jsonl
rftspec import trl grpo.yaml --out spec.yaml
rftspec import axolotl config.yaml --out spec.yaml
```

- `openai` takes a fine-tuning job (method reinforcement) as a request, a response, a page of one
  job, the method alone or the arguments of an SDK call; a grader, also in the bodies of the
  graders' endpoints; an eval, or its list of testing criteria. Azure's YAML job file, its endpoint
  graders and the flat `response_format` are read too. The job's own JSONL files run unchanged.
- `trl` takes a GRPOConfig as JSON or YAML, or the YAML that a script of TRL reads.
- `axolotl` takes a config with `rl: grpo`.

Without `--out` the spec is printed. A file that is there is not overwritten without `--force`; each
is written whole or not at all. `--base MODEL` names the base model: hosted models cannot be had.
`--json` gives the ledger: each key of the file with its line and its fate.

## What becomes of a key

| fate | means |
|---|---|
| mapped | it is a field of the spec; where the two differ, a comment beside it says how |
| changed | it was repaired (W706), or a secret moved to the environment (W707) |
| no counterpart | nothing here does that; the reason stands at the end of the spec |
| refused | not without guessing (E703); the rest is written, and `validate` shows what lacks |
| unknown | no such key is known (W704), with "did you mean" |

Nothing is dropped silently: a test walks every leaf of every file in the tables. Exit code 0 when
nothing was refused, 1 when something was, or when nothing could be read.

## What differs

- **Errors.** The hosted product scores an exception 0. Here a sample with a failed grader gets the
  reward's floor, so that an error never pays. Where a 0 would have paid more than the worst answer
  earns, W705 says by how much.
- **A multi grader** is taken apart: its graders are the spec's, its formula is `reward`. Each then
  has its own curve in the report, and the reward is the same number.
- **Thresholds** (`pass_threshold`) stay with their graders, and the share that passes is recorded.
  Where every grader has one, the metric `passes` is what the report counts as passed. They never
  entered the reward, here or there.
- **Python graders** run in the [sandbox](sandbox.md). Their `range` is declared: read from the
  constants that `grade` returns where it returns such, else [0, 1]. Sources of more than 30 lines
  go to `graders/NAME.py` beside the spec.
- **An eval has no reward.** The mean of its criteria, each scaled to 0…1, is one choice; change it.
  An eval's rows have their fields under `item`: `jq -c .item rows.jsonl > train.jsonl`.
- **Reward functions of TRL and Axolotl** are Python that those import. They are not read; the spec
  has their names and weights in `reward`, and each has to be written as a grader.

| there | here | |
|---|---|---|
| `n_epochs` | `train.epochs` | Azure's files say `epochs` |
| `batch_size` | `train.prompts_per_step` | rows of one step |
| `compute_multiplier` | `train.samples_per_prompt` | times 8; what it does there is not published |
| `learning_rate_multiplier` | `train.learning_rate: auto` | of a rate that is not published |
| `eval_interval` | `evaluate.every` | |
| `eval_samples` | `evaluate.samples`, `samples_between` | answers per validation row |
| `reasoning_effort` | | give room with `response.max_tokens` |
| `suffix`, `seed`, `metadata` | `name`, `seed`, `meta` | |
| `tools` of a job, `max_episode_steps` | | tools are not called while a run trains |
| `headers` of an endpoint | `headers_env` | values are left out, and never shown |
"""


def page() -> str:
    """The whole page."""
    cases = list(yaml.safe_load(CASES.read_text("utf-8")))
    lines = [INTRODUCTION, "## What was tried", ""]
    lines += [
        f"{len(cases)} files of the shapes that the hosted product's guides and cookbook, Azure's",
        "samples, TRL's and Axolotl's recipes show. *Validates* is what `rftspec validate` says of",
        "the spec with rows made for it; what validates is planned as well.",
    ]
    for group in dict.fromkeys(case["group"] for case in cases):
        lines += ["", f"### {group[0].upper()}{group[1:]}", ""]
        lines += ["| file | shape | imports | validates | said |", "|---|---|---|---|---|"]
        lines += [_row(case) for case in cases if case["group"] == group]
    lines += ["", "## Codes", ""]
    lines += [f"- **{code}**: {PAGES[code].title}" for code in sorted(PAGES) if code[1] == "7"]
    return "\n".join(lines) + "\n"


def _row(case: Mapping[str, Any]) -> str:
    expect = case["expect"]
    validates = expect.get("validates")
    told = "yes" if validates is True else "" if validates is None else ", ".join(validates)
    cells = (
        case["name"],
        case["shape"],
        OUTCOMES[expect["import"]],
        told,
        "; ".join(_said(expect)),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _said(expect: Mapping[str, Any]) -> Iterator[str]:
    if expect["codes"]:
        yield ", ".join(expect["codes"])
    yield from (" ".join(note.split()) for note in expect.get("notes", ()))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
