"""Codes of the file as text and as YAML: E0xx."""

from __future__ import annotations

from rftspec.codes.page import CodePage

PAGES = (
    CodePage(
        "E001",
        "The spec is not UTF-8",
        "A spec is UTF-8 text; a byte order mark is fine. Other encodings (UTF-16 as Windows "
        "Notepad may save it, Latin-1) are refused, because they would be read as something else.",
    ),
    CodePage(
        "E002",
        "A character that does not belong in a spec",
        "Control characters, and characters that turn the direction of text around, can make a "
        "spec look different from what it says. Delete the character, or write it as an escape in "
        "double quotes.",
        "name: ranking\n",
        "name: rank\u202eing\n",
    ),
    CodePage(
        "E003",
        "The spec is too large",
        "A spec has at most 1 MiB and 20,000 values. Rows belong in data files.",
    ),
    CodePage(
        "E004",
        "A tab where YAML wants spaces",
        "YAML is indented with spaces only. Most editors can turn tabs into spaces.",
        "  base: builtin:case-reader\n",
        "\tbase: builtin:case-reader\n",
    ),
    CodePage(
        "E005",
        "The file is not YAML",
        "The place is where the parser gave up; the mistake is there or a little before. "
        "Expressions with `: `, ` #`, or a quote or bracket at their start are best put on a line "
        "of their own under `|`.",
        "reward: 0.9 * rank + 0.1 * concise\n",
        "reward: 0.9 * rank: 0.1 * concise\n",
    ),
    CodePage(
        "E006",
        "A key is not text",
        "Keys are names. A template without quotes, {{ item.x }}, is a mapping in a mapping for "
        "YAML: quote it. A key that is a number, true, false or null needs quotes too.",
        '    "top@1": ',
        "    {{ top }}: ",
    ),
    CodePage(
        "E007",
        "The same key twice",
        "A mapping has each key once; most YAML readers silently take the last. The message names "
        "the line of the first.",
        "name: ranking\n",
        "name: ranking\nname: ranking-2\n",
    ),
    CodePage(
        "E008",
        "An anchor, an alias or a merge key",
        "`&name`, `*name` and `<<` are not allowed: a spec can be read from top to bottom, and "
        "every value stands where it counts. An expression that begins with `*` must be quoted.",
        "reward: 0.9 * rank + 0.1 * concise\n",
        "reward: *rank\n",
    ),
    CodePage(
        "E009",
        "A tag",
        "Tags such as `!include` or `!!binary` are not allowed: in other readers they run code or "
        "read files. Quote the value if the `!` is meant.",
        "  base: builtin:case-reader\n",
        "  base: !include model.yaml\n",
    ),
    CodePage(
        "E010",
        "Nested too deep",
        "Values stand more than 32 levels deep, more than any spec needs.",
    ),
    CodePage(
        "E011",
        "A second document",
        "A file holds one spec; `---` starts another document. Use a file for each.",
        "train:\n",
        "---\ntrain:\n",
    ),
    CodePage(
        "E012",
        "A value with two meanings",
        "YAML 1.1 and YAML 1.2 read this scalar differently: `yes`, `no`, `on`, `off` (bool or "
        "text), `010` (8 or 10), `1:30` (90 or text), `1_000`, `0x10`, dates. Write `true` or "
        "`false`, a plain decimal number, or quotes.",
        "  steps: 4\n",
        "  steps: 010\n",
    ),
    CodePage(
        "E013",
        "Not a finite number",
        "Numbers are finite and fit in 64 bits; `.inf`, `.nan` and 1e999 do not.",
        "  steps: 4\n",
        "  steps: .inf\n",
    ),
)
