"""Codes of the scoring language: E3xx."""

from __future__ import annotations

from rftspec.codes.page import CodePage

_REWARD = "reward: 0.9 * rank + 0.1 * concise\n"
_METRIC = "(rank_of(item.gene, sample.output_json.genes) ?? 0) == 1\n"

PAGES = (
    CodePage(
        "E301",
        "Not an expression",
        "The expression ends or goes on where the grammar does not allow it. The whole grammar is "
        "on one page: grammars/score.lark.",
        _REWARD,
        "reward: 0.9 * (rank + 0.1 * concise\n",
    ),
    CodePage(
        "E302",
        "A character without a meaning",
        "The scoring language has no such character; typographic quotes, signs and letters outside "
        "ASCII come from word processors.",
        _REWARD,
        "reward: 0.9 × rank + 0.1 × concise\n",
    ),
    CodePage(
        "E303",
        "A malformed text",
        "A string is not closed on its line, or holds an escape that does not exist.",
        _METRIC,
        "sample.output_text == 'yes\n",
    ),
    CodePage(
        "E304",
        "An expression that is too long",
        "An expression has at most some thousands of characters. Split it into several graders.",
    ),
    CodePage(
        "E305",
        "Nested too deep",
        "Name a part with `let x = … in …`, or split the expression.",
    ),
    CodePage(
        "E306",
        "A malformed number",
        "Numbers are written in plain decimal, such as 0.5, 12 or 1e-3.",
        _REWARD,
        "reward: 0.9 * rank + 1e999 * concise\n",
    ),
    CodePage(
        "E311",
        "An unknown name",
        "There are `item` (the row), `sample` (the answer), in the reward and in metrics the "
        "graders, and names that `let` makes.",
        _REWARD,
        "reward: 0.9 * rnak + 0.1 * concise\n",
    ),
    CodePage(
        "E312",
        "An unknown function",
        "`rftspec explain` lists all functions.",
        "      rank_decay(",
        "      rank_decy(",
    ),
    CodePage(
        "E313",
        "An unknown field",
        "The rows, or the response schema, have no such field.",
        "sample.output_json.genes) ?? 0) == 1",
        "sample.output_json.gene) ?? 0) == 1",
    ),
    CodePage(
        "E314",
        "A name that is taken",
        "`let` gives a name that means something already.",
        _REWARD,
        "reward: let rank = 1 in rank + concise\n",
    ),
    CodePage(
        "E321",
        "Types that do not fit",
        "The operation does not take values of this type. Types of `item` come from all rows, of "
        "`sample.output_json` from the response schema; there are no silent conversions.",
        _REWARD,
        "reward: 0.9 * rank + (concise > 0.5)\n",
    ),
    CodePage(
        "E322",
        "Wrong arguments",
        "The function takes other arguments; the help line shows how it is called.",
        _REWARD,
        "reward: abs(rank, concise)\n",
    ),
    CodePage(
        "E323",
        "A value that may be missing",
        "A missing value is never read as 0. Give a default with `??`, or ask with `has(…)`: "
        "`rank_of(item.gene, sample.output_json.genes) ?? 0`. An answer that is not JSON has no "
        "`sample.output_json`, whatever the schema says.",
        _METRIC,
        "rank_of(item.gene, sample.output_json.genes) == 1\n",
    ),
    CodePage(
        "E324",
        "The wrong type of result",
        "A reward and a grader give a number, a metric a number or a bool, a gate a bool.",
        _REWARD,
        "reward: rank > 0.5\n",
    ),
    CodePage(
        "E325",
        "A field's name in brackets",
        'In `x["name"]` the name is a literal text; in `xs[0]` the index a number.',
    ),
    CodePage(
        "E331",
        "An argument out of its bounds",
        "An argument that is known has a value that the function does not take: places in a list "
        "count from 0, ranks from 1. In gates: a metric or a model that the run does not have.",
        '  - metric("top@1", "tuned") >= 0\n',
        '  - metric("top@2", "tuned") >= 0\n',
    ),
    CodePage(
        "E332",
        "A bad regular expression",
        "Patterns are those of RE2 (https://github.com/google/re2/wiki/Syntax), whose time grows "
        "with the text only. It has no backreferences and no look-around, repeats at most 1000 "
        'times, and `\\d \\s \\w` mean ASCII. Write patterns as r"…", where a backslash is a '
        "backslash.",
        _METRIC,
        'regex_match(sample.output_text, r"(?<=gene)[A-Z]+")\n',
    ),
    CodePage(
        "E341",
        "A default that is never used",
        "The left side of `??` is never missing, or `has` is always true.",
        _REWARD,
        "reward: 0.9 * (rank ?? 0) + 0.1 * concise\n",
    ),
    CodePage(
        "E342",
        "A condition that never changes",
        "The condition is always true, or always false.",
        _REWARD,
        "reward: if 1 > 2 then rank else concise\n",
    ),
    CodePage(
        "E343",
        "A name that is never used",
        "`let` gives a name that nothing reads.",
        _REWARD,
        "reward: let spare = 1 in rank + concise\n",
    ),
)
