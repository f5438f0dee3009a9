"""Codes of `rftspec import`: E7xx."""

from __future__ import annotations

from rftspec.codes.page import CodePage

PAGES = (
    CodePage(
        "E701",
        "A file to import that is not JSON",
        "Jobs, graders and evals are strict JSON: double quotes, no comments, no comma before a "
        "closing bracket, each key once. A Python dict becomes JSON with "
        "`json.dumps(job, indent=2)`.",
    ),
    CodePage(
        "E702",
        "Nothing that can be imported",
        "`rftspec import openai` takes a fine-tuning job with `method: { type: reinforcement }`, a "
        "grader, or an eval with `testing_criteria`. Jobs of supervised and preference "
        "fine-tuning, rows of data and runs of evals are something else.",
    ),
    CodePage(
        "E703",
        "A part that could not be imported",
        "Everything else was: the spec is written, this part is missing in it or has to be put "
        "right there, and `rftspec validate` shows where. What cannot be repaired without "
        "guessing what was meant is never guessed.",
    ),
    CodePage(
        "W704",
        "A key without a counterpart",
        "The key was left out, because nothing here does what it does, or because it is not known. "
        "Its reason stands at the end of the spec and in `rftspec import … --json`.",
    ),
    CodePage(
        "W705",
        "An exception that scored 0 could have paid",
        "In the hosted product a grader that fails scores 0. Where the formula subtracts a grader, "
        "or a grader can be negative, that 0 earns more than a bad answer does, and a model learns "
        "to make the grader fail. Here a sample with a failed grader gets the reward's floor. So "
        "rewards may be lower than they were there; an error never pays.",
    ),
    CodePage(
        "W706",
        "Something that was repaired",
        "What was meant is beyond doubt: `neq` for `ne`, `max_completions_tokens`, `**` for `^`, a "
        "multi grader whose `graders` are a list or a single one, a name that could not be a "
        "variable. The spec has it as it should be.",
    ),
    CodePage(
        "W707",
        "A secret that was left out",
        "A header, or an address, may hold a key. The spec is copied into the plan and into the "
        "record, so the value was left out, and an environment variable is named in its place: "
        "`headers_env`. A key that stood in a file for others to read is best revoked.",
    ),
    CodePage(
        "E708",
        "A file that is there already",
        "`rftspec import --out` overwrites nothing, unless `--force` is given, and `rftspec init` "
        "nothing at all: name another folder, or move what is there.",
    ),
)
