"""Codes of graders (E4xx) and of the base model (E5xx)."""

from __future__ import annotations

from rftspec.codes.page import CodePage

_RANK = "    type: expression\n    range: [0, 1]\n    expression: |\n"
_BASE = "  base: builtin:case-reader\n"

PAGES = (
    CodePage(
        "E401",
        "A template that names nothing",
        "Templates know {{ item.… }} and {{ sample.… }} with fields that exist. They have no "
        "filters and no calls.",
        "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n",
        "  concise:\n    type: string_check\n    input: '{{ sample.output_text }}'\n"
        "    reference: '{{ item.gne }}'\n    operation: like\n",
    ),
    CodePage(
        "E402",
        "An empty range",
        "A range is [lowest, highest], the lowest first.",
        "    file: ranking/concise.py\n    range: [0, 1]\n",
        "    file: ranking/concise.py\n    range: [1, 0]\n",
    ),
    CodePage(
        "E403",
        "A Python grader that does not compile",
        "Graders are written in a restricted Python: a few imports, no names that begin with an "
        "underscore, no files, no network. They define `grade(sample, item)`.",
        '    answer = sample["output_json"]\n',
        '    answer = sample.__dict__["output_json"]\n',
        "ranking/concise.py",
    ),
    CodePage(
        "E404",
        "The sandbox is not whole",
        "This system lacks a layer that holds Python graders in. `rftspec doctor` tells which; "
        "`--sandbox reduced` goes without it, for graders that you trust.",
    ),
    CodePage(
        "E405",
        "An unknown type of grader",
        "A grader inside a saved plan is of a type that this rftspec does not have. (In a spec "
        "this is E103.)",
    ),
    CodePage(
        "E406",
        "A grader's name that is no variable",
        "A grader inside a saved plan has a name that the reward could not use. (In a spec this is "
        "E106 or E107.)",
    ),
    CodePage(
        "E407",
        "A reward without a floor",
        "A sample that could not be graded gets the lowest reward there is (an error never pays), "
        "so there must be a lowest one. Declare `range` in the graders, or clamp the reward.",
        "reward: 0.9 * rank + 0.1 * concise\n",
        "reward: 0.9 * rank - len(sample.output_text)\n",
    ),
    CodePage(
        "E408",
        "A grader that is not used",
        "No reward and no metric names the grader: it costs time and changes nothing.",
        "reward: 0.9 * rank + 0.1 * concise\n",
        "reward: rank\n",
    ),
    CodePage(
        "E409",
        "A reward that is constant",
        "The reward names no grader: nothing can be learned from it.",
        "reward: 0.9 * rank + 0.1 * concise\n",
        "reward: '1'\n",
    ),
    CodePage(
        "E410",
        "An answer that is never there",
        "`sample.output_json` is used, but `response.format` asks for no JSON, so that it is "
        "always missing. Give a `response.format` of type json_schema or json_object.",
        "  format:\n    type: json_schema\n",
        "  x-format:\n    type: json_schema\n",
    ),
    CodePage(
        "E411",
        "A setting that a grader lacks",
        "A grader inside a saved plan lacks a setting, or has one of the wrong type. (In a spec "
        "this is E102 or E104.)",
    ),
    CodePage(
        "E420",
        "A package that a grader needs",
        "Some metrics of text_similarity are other people's packages, which a plain installation "
        "does not bring. The message has the command; `pip install 'rftspec[similarity]'` brings "
        "all of them.",
    ),
    CodePage(
        "E421",
        "METEOR without WordNet",
        "METEOR counts synonyms, which it looks up in WordNet. No package holds that data: get it "
        "with `python -m nltk.downloader wordnet`, or copy nltk_data/corpora/wordnet.zip (or the "
        "folder corpora/wordnet) from a machine that has it and set NLTK_DATA to the nltk_data "
        "folder. Or use a metric that needs no data, such as `gleu` or `rouge_l`.",
    ),
    CodePage(
        "E422",
        "Settings of a grader that do not fit together",
        "A setting that only works with another one stands without it, or one that is needed is "
        "missing. The help line says what to write.",
        "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n",
        "  concise:\n    type: text_similarity\n    input: '{{ sample.output_text }}'\n"
        "    reference: '{{ item.gene }}'\n    evaluation_metric: rouge_l\n    fuzzy: ratio\n",
    ),
    CodePage(
        "W423",
        "A threshold that changes nothing",
        "`pass_threshold` says from which score an answer passes; the share is recorded for the "
        "graders at the top, and nobody counts it for those inside a multi grader.",
        "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n",
        "  concise:\n    type: multi\n    calculate_output: short\n    graders:\n      short:\n"
        "        type: python\n        file: ranking/concise.py\n        pass_threshold: 0.5\n",
    ),
    CodePage(
        "E424",
        "A json_schema grader without a usable schema",
        "The schema is given by `schema`, by `file`, or by `response.format`. It is a JSON Schema, "
        "its patterns are RE2's (no look-around, no backreferences), and its references stay "
        "inside it.",
        "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n",
        "  concise:\n    type: json_schema\n"
        "    schema: { properties: { gene: { pattern: '(?=A)' } } }\n",
    ),
    CodePage(
        "W430",
        "An image that is not used",
        "The hosted product's `image_tag` chooses a container with packages. Here a Python grader "
        "runs in the sandbox, which offers ast (literal_eval), bisect, collections, copy, "
        "datetime, decimal, difflib, fractions, functools, heapq, itertools, json, math, operator, "
        "rapidfuzz, re (on RE2), statistics, string, typing and unicodedata. A grader that imports "
        "another module is told what to write in its place.",
        "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n",
        "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n"
        "    image_tag: '2025-05-08'\n",
    ),
    CodePage(
        "E412",
        "A grader with two names",
        "The key under `graders:` is the grader's name. The hosted product's `name` may stand "
        "there too, as long as it says the same or is a label that no expression could use, such "
        "as `My first grader`.",
        "  concise:\n    type: python\n",
        "  concise:\n    name: short\n    type: python\n",
    ),
    CodePage(
        "E501",
        "No such built-in model",
        "The help line lists the models that rftspec ships.",
        _BASE,
        "  base: builtin:case-raeder\n",
    ),
    CodePage(
        "E502",
        "No model in this folder",
        "A base that begins with `./`, `../` or `/` is a folder, relative to the spec, as "
        "`save_pretrained` writes it: it holds config.json.",
        _BASE,
        "  base: ./nowhere\n",
    ),
    CodePage(
        "E503",
        "Not the name of a model",
        "A base is `builtin:NAME`, a folder (`./folder`), or a Hugging Face id (`owner/name`). "
        "Whether an id exists is found out when the run starts.",
        _BASE,
        "  base: my model\n",
    ),
    CodePage(
        "W504",
        "A folder of the same name",
        "The base is read as a Hugging Face id, but a folder of this name is beside the spec. "
        "Write `./name` to mean the folder.",
        _BASE,
        "  base: ranking\n",
    ),
    CodePage(
        "E505",
        "A revision without a hub",
        "`model.revision` is for models from Hugging Face; folders and built-in models have none.",
        _BASE,
        "  base: builtin:case-reader\n  revision: main\n",
    ),
    CodePage(
        "E506",
        "Answers longer than the model's context",
        "Prompt and answer together must fit in the context that the model's config.json states.",
    ),
    CodePage(
        "E507",
        "No adapter to go on with",
        "`model.adapter` names a folder that PEFT has saved a LoRA adapter in: "
        "adapter_config.json and adapter_model.safetensors. A finished run has one in `adapter/`. "
        "Other kinds of adapters are not trained on.",
        "  base: builtin:case-reader\n",
        "  base: builtin:case-reader\n  adapter: ./nothing\n",
    ),
)
