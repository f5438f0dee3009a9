"""The language's reference page, made from the function table."""

from __future__ import annotations

from collections.abc import Iterator

from rftspec.expr.functions import FUNCTIONS
from rftspec.expr.parse import MAX_BYTES, MAX_DEPTH, MAX_TOKENS
from rftspec.expr.signature import CONSTANT, LINEAR, Function, Overload

_INTRODUCTION = f"""# The scoring language

Expressions in `graders`, `reward`, `evaluate.metrics` and `require` are written in one small
language. It is pure, total and bounded: no loops, no recursion, no functions of your own, at most
{MAX_BYTES // 1024} KiB of text, {MAX_TOKENS:,} words and signs, and {MAX_DEPTH} levels of nesting.
Every expression is checked against the types of the data before anything runs, and a mistake is
shown in its place in your file. The formulas of the hosted product (`calculate_output`) are valid
as they are. The whole grammar is one page: `grammars/score.lark`. What each piece of it does is in
[700 examples](language_cases.md), which the tests run. `rftspec fmt SPEC` writes the expressions
of a spec in one way, comments kept.

```yaml
reward: |
  # the right gene first earns 1, second 0.7, and so on down the list; no rank earns 0
  let rank = rank_of(item.gene, sample.output_json.genes) in
  0.95 * (rank_decay(rank, first=1.0, second=0.7) ?? 0) + 0.05 * concise
```

## Values and types

- **number**: always finite. `1 / 0`, `sqrt(-1)` and `exp(1000)` are no values: where the operands
  are constants the checker refuses them, else the expression fails on that sample, with its
  place, and the sample gets the floor of the reward.
- **bool**: `true`, `false`. Nothing else is true or false: write `x > 0`, not `x`.
- **string**: `"text"` or `'text'`, on one line; escapes `\\" \\' \\\\ \\n \\t \\r \\uXXXX`. In
  `r"text"` a backslash is only a backslash, as regular expressions need it: `r"\\d+"`.
- **list**: `[1, 2]`, all elements of one type.
- **record**: `item`, `sample` and the objects in them, with `.field` or `["field"]`.
- **json**: a value whose type only the sample knows.
- **optional**, written `number?`: a value that may be missing.

The types of `item` come from every row of the data, those of `sample.output_json` from the
response schema; names of graders are numbers.

## Missing values

`.field`, `[place]` and most functions are missing when what they work on is missing. Operators are
not: before a value takes part in `+`, `==` or `and`, give it a default, or ask whether it is there.

```
rank_decay(rank_of(item.gene, sample.output_json.genes)) ?? 0
if has(item.hint) then 0.5 else 1
```

`rank_of` gives an optional rank for this reason: an answer that is not in the list cannot pass for
rank 0. JSON's `null` is a missing value.

A json value becomes a typed one where a default or a function asks for a type, and is missing where
it is of another: `sample.output_json.score ?? 0` is always a number.

## Operators

From the loosest to the tightest; operators of one line go from left to right, `^` from right to
left.

| operator | takes | gives |
|---|---|---|
| `let x = a in b`, `if c then a else b` | any | what the branch gives |
| `??` | a value that may be missing, a default | the first that is there |
| `or` | bools | bool; stops at the first true |
| `and` | bools | bool; stops at the first false |
| `not` | a bool | bool |
| `== !=` | two values of one type | bool |
| `< <= > >=` | numbers | bool; comparisons do not chain |
| `+ -` | numbers | number |
| `* / %` | numbers | number; `%` has the sign of its right side |
| `-x` | a number | number |
| `^` | numbers | number; `-2 ^ 2` is -4 |
| `.field`, `[place]` | a record or json; a list or json | the field; the element, counted from 0 |

`# …` to the end of the line is a comment.

## Regular expressions

Patterns are [RE2's](https://github.com/google/re2/wiki/Syntax): whatever the pattern, a text is
read once for each match, so that no answer can make a grader hang. There are no backreferences and
no look-around, repeats reach to 1000, and `\\d \\s \\w` mean ASCII (`\\pL` is any letter). A
pattern is a literal in its place in the call, compiled before anything runs. `(?i)` ignores case,
`(?m)` lets `^` and `$` match at every line, `(?s)` lets `.` match line ends. A lone surrogate in a
text is matched as U+FFFD.

## Cost

Every function takes time in proportion to `n`, the size of its arguments, unless it says
otherwise; sorting takes n log n. Those that compare everything with everything have a limit: beyond
it the expression has no value for that sample, which is an error and never pays.

## What is found beforehand

Unknown names, types that do not fit, values that may be missing, constants outside of what a
function takes (`log(0)`, `x / 0`), bad regular expressions: these are errors. Warnings are
given for comparisons that never change, by types and ranges (`len(xs) < 0`), conditions and
branches that never run, defaults that are never used, names that nothing reads.

## Functions

Arguments are given by place or by name (`first=1.0`). A function is missing when an argument is
missing, unless it says *needs its arguments*. In a signature `T` is any type and `S` a number,
string or bool, the same in every place; `x = 1` is a default, `...` takes one or more.
Every example is true.
"""


def language_page() -> str:
    """The text of docs/language.md; a test holds the file equal to it."""
    return "\n".join([_INTRODUCTION, *_functions()])


def _functions() -> Iterator[str]:
    group = ""
    for function in FUNCTIONS.values():
        if function.group != group:
            group = function.group
            yield f"### {group}\n"
        yield from _function(function)


def _function(function: Function) -> Iterator[str]:
    yield f"#### `{function.name}`\n"
    for overload in function.overloads:
        yield f"```\n{overload.signature}\n```\n"
        yield f"{overload.doc}{_remarks(overload)}\n"
        yield f"Example: `{overload.example}`\n"


def _remarks(overload: Overload) -> str:
    rules = "".join(f" `{name}` is {rule.words}." for name, rule in overload.rules.items())
    takes_missing = any(p.type.name.endswith("?") for p in overload.parameters if p.required)
    needs = "" if overload.lifting or takes_missing else " Needs its arguments."
    cost = overload.cost
    told = "" if cost in (CONSTANT, LINEAR) else f" Cost: {cost}."
    return rules + needs + told
