"""The pages of the codes that a spec, its data, its graders and its expressions can give.

Codes of the engine, the record and the run stand beside what raises them (`CODES` there). A test
holds that no code is raised without a page, and that no page is left over.
"""

from __future__ import annotations

from collections.abc import Mapping

DOCUMENT: Mapping[str, str] = {
    "E001": "The spec is not UTF-8. Save it as UTF-8; a byte order mark is fine.",
    "E002": "The spec has a character that cannot be seen or that turns the text around "
    "(control or bidi characters). Delete it, or write it as an escape such as "
    '"\\u00a0" in double quotes.',
    "E003": "The spec is too large. Rows belong in data files; a spec has at most 1 MiB.",
    "E004": "YAML is indented with spaces; a tab stands in the indentation.",
    "E005": "The file is not YAML. The place is where the parser gave up: the mistake is "
    "there or just before. An expression with `: `, ` #`, a leading quote, bracket or "
    "`!` needs a block: write `|` and put it below.",
    "E006": "A key is not text. A template such as {{ item.x }} must be quoted.",
    "E007": "The same key stands twice in one mapping; YAML would silently take the last. "
    "Keep one.",
    "E008": "Anchors (&), aliases (*) and merge keys (<<) are not allowed: a spec can be read "
    "from top to bottom. Write the value out.",
    "E009": "Tags such as !!python are not allowed. Quote the value if `!` is meant.",
    "E010": "Values are nested deeper than any spec needs.",
    "E011": "A file holds one spec; a second document begins at `---`.",
    "E012": "The value means one thing to YAML 1.1 and another to YAML 1.2 (yes, no, on, "
    "0o17, 1:30). Quote it for text, or write true, false or a plain number.",
    "E013": "The number is not finite, or does not fit in 64 bits.",
}
STRUCTURE: Mapping[str, str] = {
    "E101": "The key is not a field here. Unknown keys are errors, so that a misspelt field "
    "cannot be ignored in silence. Notes of your own go under `meta:` or begin with "
    "`x-`.",
    "E102": "A field that has no default is missing.",
    "E103": "The value is not one of the choices.",
    "E104": "The value has the wrong type. Plain scalars follow YAML 1.2: `1e-5` is a number, "
    "`no` is text.",
    "E105": "The value is out of bounds: too small, too large, too long, empty, or of a form "
    "that the field does not take. `rftspec explain FIELD` tells the bounds.",
    "E106": "The name cannot be used: names of graders are variables in expressions, so they "
    "have ASCII letters, digits and underscores and begin with a letter.",
    "E107": "The name means something else already (a word or function of the scoring "
    "language, `item`, `sample`, `base`, `tuned`).",
    "E108": "The name has a letter that looks like another one. Type it again in plain ASCII.",
    "E109": "The spec is of another version than this rftspec reads.",
    "E110": "The file is empty.",
    "E111": "Two fields contradict each other, or say the same twice. Keep one.",
    "E112": "`--set` takes FIELD=VALUE with the dotted name of one field, such as train.steps=20.",
    "E113": "Two `--set` arguments change the same field.",
    "E114": "`response.format` holds something that is not a JSON Schema, or uses a part of "
    "it that answers are not checked against.",
    "W115": "The learning rate is far from what works for LoRA (1e-6 to 1e-3). `auto` chooses "
    "by the model's size.",
}
DATA: Mapping[str, str] = {
    "E201": "The file is not there, or cannot be read. Paths are relative to the spec.",
    "E202": "What is there is a folder, a pipe or a device, not a file.",
    "E203": "The row is not a strict JSON object on one line. A JSON array can be turned into "
    "lines with `jq -c '.[]' rows.json > rows.jsonl`.",
    "E204": "The file is not UTF-8 text: another encoding, compressed, or another format.",
    "E205": "A key stands twice in one object of the row; JSON would silently take the last.",
    "E206": "The row's messages are not well formed: a list of {role, content}, the last one "
    "from the user, as in OpenAI's format. Rows without messages need `data.prompt`.",
    "E207": "A message is empty.",
    "E208": "The path is not one that a spec may name.",
    "E209": "The file has no rows.",
    "E210": "A value that `data.disjoint` keeps apart stands in two splits: the model would "
    "be measured on what it was trained on. Move all rows of the value to one file.",
    "W211": "The value that keeps rows apart stands in the prompt of its own row. If it is "
    "the answer, the model needs only to copy it.",
    "E212": "A row lacks the field that rows are kept apart by.",
    "W213": "Two rows of one file are the same.",
    "W214": "A row stands in two splits.",
    "E214": "More rows are to be taken for validation than there are.",
    "E215": "Two splits name the same file.",
    "E216": "The grader's Python file cannot be read.",
    "E217": "An expression, template or grader uses a field that a row does not have.",
    "E218": "A field that is used is null in a row, or has one type here and another there.",
    "E230": "The archive of phenopackets cannot be read: a zip of a release, or a folder of "
    "JSON, is wanted.",
    "E231": "There are too few cases or genes for the rows that were asked for.",
    "E232": "The folder for the rows cannot be written.",
}
LANGUAGE: Mapping[str, str] = {
    "E301": "The expression ends, or goes on, where the grammar does not allow it. The whole "
    "grammar is on one page: grammars/score.lark.",
    "E302": "A character means nothing in the scoring language, such as a typographic quote.",
    "E303": "A string is not closed on its line, or holds an escape that does not exist.",
    "E304": "The expression is too long. Split it into several graders.",
    "E305": "The expression is nested too deep. Name a part with `let x = … in …`.",
    "E306": "The number is not written as the language writes numbers.",
    "E311": "A name is not known: there are `item`, `sample`, the graders (in `reward` and "
    "metrics) and names made by `let`.",
    "E312": "There is no such function. `rftspec explain` lists all.",
    "E313": "The row, or the response schema, has no such field.",
    "E314": "`let` gives a name that is taken.",
    "E321": "The operation does not fit the types. Types of `item` come from the rows, of "
    "`sample.output_json` from the response schema.",
    "E322": "A function is called with the wrong arguments.",
    "E323": "The value may be missing here, and a missing value is never read as 0. Give a "
    "default with `??`, or ask with `has(…)`: `rank_of(item.gene, "
    "sample.output_json.genes) ?? 0`.",
    "E324": "The result has the wrong type: a reward and a grader give a number, a metric a "
    "number or a bool, a gate a bool.",
    "E325": "The name of a field in brackets must be a text.",
    "E331": "An argument is out of its bounds: a place in a list counts from 0, a rank from 1.",
    "E341": "`??` has a default that is never used, because its left side is never missing.",
    "E342": "A condition is always true, or always false.",
    "E343": "A name made by `let` is never used.",
}
GRADERS: Mapping[str, str] = {
    "E401": "The template names something that it cannot have. Templates know {{ item.… }} "
    "and {{ sample.… }}.",
    "E402": "The range is empty: [low, high] with low below high.",
    "E403": "The Python grader does not compile under the restricted language: no imports but "
    "a few, no underscore names, no files. It defines `grade(sample, item)`.",
    "E404": "This system lacks a layer of the sandbox that holds Python graders in. `rftspec "
    "doctor` tells which; `--sandbox reduced` goes without, for graders that you "
    "trust.",
    "E405": "There is no such type of grader.",
    "E406": "The grader's name cannot be a variable of the reward.",
    "E407": "The reward has no lowest value. A failed sample gets the lowest value (an error "
    "never pays), so there must be one: declare the graders' `range`, or clamp the "
    "reward.",
    "E408": "The grader is used by no reward and no metric.",
    "E409": "The reward is a constant: there is nothing to learn.",
}
MODEL: Mapping[str, str] = {
    "E501": "There is no built-in model of this name.",
    "E502": "The folder is not there, or holds no model (config.json is missing).",
    "E503": "The name is neither a Hugging Face id (owner/name), a folder (./folder) nor "
    "builtin:NAME.",
    "W504": "The name is read as a Hugging Face id, but a folder of this name stands beside "
    "the spec.",
    "E505": "`model.revision` is for models from Hugging Face only.",
}
CODES: Mapping[str, str] = {**DOCUMENT, **STRUCTURE, **DATA, **LANGUAGE, **GRADERS, **MODEL}
"""Every page of this module by its code."""
