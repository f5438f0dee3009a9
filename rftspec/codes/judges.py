"""Codes of graders that ask a model or a service (E44x)."""

from __future__ import annotations

from rftspec.codes.page import CodePage

_GOOD = "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n"
_JUDGE = "  concise:\n    type: score_model\n    model: judge\n"
_WHERE = "    base_url: http://localhost:8000/v1\n"
_ASKED = "    input:\n      - role: user\n        content: 'Rate: {{ sample.output_text }}'\n"

PAGES = (
    CodePage(
        "E440",
        "A message that a judge cannot be given",
        "The `input` of a judge is a list of messages with text in them, one of them the user's. "
        "Content is a template, `{type: input_text, text: …}`, or a list of these; images and "
        "audio are not offered.",
        _GOOD,
        _JUDGE + _WHERE + "    input:\n      - role: user\n"
        "        content: { type: input_image, image_url: picture.png }\n",
    ),
    CodePage(
        "E441",
        "Labels that cannot be told apart",
        "Passing labels are some of the labels, and not all of them: a grader that passes "
        "everything teaches nothing.",
        _GOOD,
        "  concise:\n    type: label_model\n    model: judge\n"
        + _WHERE
        + _ASKED
        + "    labels: [good, bad]\n    passing_labels: [great]\n",
    ),
    CodePage(
        "E442",
        "Not the address of a service",
        "An address begins with http:// or https://, names a host, and has no user name or "
        "password in it: the spec is copied into the plan and into the record. Keys come from "
        "environment variables, which `api_key_env` and `headers_env` name.",
        _GOOD,
        _JUDGE + "    base_url: localhost:8000\n" + _ASKED,
    ),
    CodePage(
        "E443",
        "An environment variable that is not there",
        "A grader takes a key or a token from an environment variable that is not set. While a "
        "spec is only checked this is a warning, for the run may be on another machine; a run does "
        "not start without it. The variable's name stands in the spec, its value never does.",
        _GOOD,
        _JUDGE + _WHERE + "    api_key_env: NO_SUCH_KEY_IN_THE_ENVIRONMENT\n" + _ASKED,
    ),
    CodePage(
        "E444",
        "The package of judges and endpoints",
        "score_model and label_model ask through the `openai` package, endpoint through `httpx`; a "
        "plain installation brings neither. Install both with `pip install 'rftspec[judges]'`. "
        "While a spec is only checked this is a warning.",
    ),
    CodePage(
        "E445",
        "Settings of a judge that do not go together",
        "A judge is either behind an endpoint or, with `local: true`, a model on this machine; "
        "settings of the one mean nothing for the other.",
        _GOOD,
        _JUDGE.replace("judge", "builtin:case-reader") + _ASKED,
    ),
    CodePage(
        "E446",
        "A local judge that cannot be opened",
        "With `local: true` the judge is `builtin:NAME`, a folder or a Hugging Face id, as in "
        "`model.base`. It needs the engine, which `rftspec run` has.",
        _GOOD,
        _JUDGE.replace("judge", "builtin:case-raeder") + "    local: true\n" + _ASKED,
    ),
    CodePage(
        "W447",
        "A key that travels in the open",
        "The address begins with http://, so that the key can be read on the way to another "
        "machine. Use https, or an address of this machine.",
    ),
    CodePage(
        "E448",
        "A secret in the spec",
        "The spec is copied into the plan and into the record, so a header that holds a key or a "
        "token does not belong there. `headers_env` gives the name of the environment variable "
        "that holds the header's whole value.",
        _GOOD,
        "  concise:\n    type: endpoint\n    url: https://grade.example/score\n"
        "    headers: { Authorization: Bearer abc }\n",
    ),
)
