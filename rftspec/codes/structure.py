"""Codes of the spec's structure: E1xx."""

from __future__ import annotations

from rftspec.codes.page import CodePage

PAGES = (
    CodePage(
        "E101",
        "An unknown key",
        "The key is not a field here. Unknown keys are errors, so that a misspelt field is never "
        "silently left at its default. Keys that begin with `x-`, and everything under `meta:`, "
        "are yours.",
        "  samples_per_prompt: 4\n",
        "  group_sise: 4\n",
    ),
    CodePage(
        "E102",
        "A missing field",
        "The field has no default and must be given.",
        "version: 1\n",
        "",
    ),
    CodePage(
        "E103",
        "Not one of the choices",
        "The field takes one of a few words, which the help line lists.",
        "    type: expression\n",
        "    type: expresion\n",
    ),
    CodePage(
        "E104",
        "The wrong type",
        "Text, whole number, number, true or false, list or mapping: the field takes another. "
        'Plain scalars follow YAML 1.2: `1e-5` is a number, "1e-5" is text, 4.0 is not a whole '
        "number, and an empty value is nothing at all.",
        "  steps: 4\n",
        '  steps: "4"\n',
    ),
    CodePage(
        "E105",
        "Out of bounds",
        "The value is too small, too large, too long, empty, or of a form that the field does not "
        "take. A group needs two samples: one alone has no advantage over the others.",
        "  samples_per_prompt: 4\n",
        "  samples_per_prompt: 1\n",
    ),
    CodePage(
        "E106",
        "A name that cannot be used",
        "Names of graders are variables in expressions: ASCII letters, digits and underscores, "
        "first a letter, at most 64. `rank-1` would read as rank minus 1.",
        "  concise:\n",
        "  con-cise:\n",
    ),
    CodePage(
        "E107",
        "A name that is taken",
        "The name is a word of the scoring language or a function of every formula (min, max, abs, "
        "floor, ceil, exp, sqrt, log), or means something else in an expression (`item`, `sample`, "
        "`reward`). References cannot be called base or tuned. A grader may have the name of any "
        "other function, such as `f1`: only `f1(…)` is the function then.",
        "  concise:\n",
        "  max:\n",
    ),
    CodePage(
        "E108",
        "A letter that looks like another",
        "The name has a character outside ASCII, such as a Cyrillic а in place of a Latin a. Type "
        "it again.",
        "  concise:\n",
        "  con\u0441ise:\n",
    ),
    CodePage(
        "E109",
        "Another version",
        "`version` says which form of specs the file has; this rftspec reads version 1. A newer "
        "number needs a newer rftspec.",
        "version: 1\n",
        "version: 2\n",
    ),
    CodePage(
        "E110",
        "An empty spec",
        "The file holds nothing but comments or space.",
    ),
    CodePage(
        "E111",
        "Fields that contradict each other",
        "Two fields say the same or exclude each other (`steps` and `epochs`; `file` and `source` "
        "of a Python grader; `outputs` and `vote` of a reference), or one needs another that is "
        "not there (`train.early_stopping` needs `data.validation`).",
        "  steps: 4\n",
        "  steps: 4\n  epochs: 2\n",
    ),
    CodePage(
        "E112",
        "A malformed --set",
        "`--set` takes `field=value` with the dotted name of one field, such as "
        '`--set train.steps=20`. Names with dots are quoted: `evaluate.metrics."a.b"=…`. A whole '
        "mapping cannot be set.",
    ),
    CodePage(
        "E113",
        "The same field set twice",
        "Two `--set` arguments change the same field.",
    ),
    CodePage(
        "E114",
        "Not a JSON Schema",
        "`response.format` holds a schema with a mistake: an unknown type, a required name that is "
        "not among the properties, a keyword with the wrong kind of value.",
        "        type: object\n",
        "        type: objekt\n",
    ),
    CodePage(
        "W115",
        "A learning rate far from what works",
        "LoRA learns at about 1e-6 to 1e-3. `auto` chooses a rate by the model's size.",
        "  steps: 4\n",
        "  steps: 4\n  learning_rate: 10\n",
    ),
    CodePage(
        "W116",
        "More prompts a step than rows",
        "Every step would draw the same row more than once.",
        "  prompts_per_step: 4\n",
        "  prompts_per_step: 400\n",
    ),
    CodePage(
        "W119",
        "A field without effect",
        "Other fields make this one do nothing: the clip bounds a ratio that is 1 while there is "
        "one update per batch (`train.updates_per_batch`), and the estimate k1 of the divergence "
        "has no gradient on average where the divergence is a term of the loss.",
        "  steps: 4\n",
        "  steps: 4\n  clip: 0.3\n",
    ),
    CodePage(
        "E117",
        "A variable that the environment does not have",
        "`${env:NAME}` reads the environment and is never empty by chance; `${env:NAME:-default}` "
        "says what stands in for a variable that is not set.",
        "  base: builtin:case-reader\n",
        "  base: ${env:RFTSPEC_NO_SUCH_MODEL}\n",
    ),
    CodePage(
        "E118",
        "A field that the environment does not decide",
        "`${env:NAME}` is for model names, paths, addresses and headers, which differ between "
        "machines. What decides the run stands in the spec, or is given with --set.",
        "  prompts_per_step: 4\n",
        "  prompts_per_step: ${env:PROMPTS}\n",
    ),
)
