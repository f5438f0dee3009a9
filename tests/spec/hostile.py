"""Hostile specs and rows of our own: what is done to a good one, and what must be said where.

A case is accepted (`code` None) or refused with a code at a line and column, by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

GOOD = """\
version: 1
name: demo
model:
  base: builtin:case-reader
data:
  train: train.jsonl
  prompt: "{{ item.question }}"
graders:
  exact:
    type: string_check
    input: "{{ sample.output_text }}"
    reference: "{{ item.answer }}"
    operation: eq
train:
  steps: 4
"""
ROW = '{"question": "q", "answer": "a"}\n'
"""The row that stands before the hostile one: it has line 2."""


@dataclass(frozen=True)
class Case:
    """One input and what becomes of it."""

    name: str
    spec: str | bytes
    code: str | None
    line: int = 0
    column: int = 0
    files: dict[str, str | bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def put(old: str, new: str, code: str | None, line: int = 0, column: int = 0) -> Case:
    """The good spec with one piece replaced."""
    assert GOOD.count(old) == 1, old
    name = "".join(c if c.isprintable() else "_" for c in new[:30])
    return Case(f"{old.strip()[:10]}->{name}", GOOD.replace(old, new), code, line, column)


def add(text: str, code: str | None, line: int = 0, column: int = 0) -> Case:
    """The good spec with something after it: its first line is 16."""
    name = "".join(c if c.isprintable() else "_" for c in text[:40])
    return Case(f"+{name}", GOOD + text, code, line, column)


def steps(value: str, code: str | None, line: int = 15, column: int = 10) -> Case:
    """The good spec with another number of steps."""
    return put("steps: 4", f"steps: {value}", code, line, column)


def named(name: str, code: str | None, line: int = 9, column: int = 3) -> Case:
    """The good spec whose grader has another name."""
    return put("  exact:", f"  {name}:", code, line, column)


def metric(name: str, code: str | None) -> Case:
    """The good spec with a metric of this name."""
    return add(f'evaluate:\n  metrics:\n    {name}: "1"\n', code, 18, 5)


def train(path: str, code: str | None, line: int = 6, column: int = 10) -> Case:
    """The good spec with another training file."""
    return put("train.jsonl", path, code, line, column)


def row(text: str | bytes, code: str | None, line: int = 2, column: int = 1) -> Case:
    """The good spec with a hostile second row."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    name = f"row {raw[:40]!r}"
    return Case(name, GOOD, code, line, column, {"train.jsonl": ROW.encode() + raw})


SCALARS = (
    steps("+4", None), steps("4 # four", None), steps("4\t", None), steps("\t4", None),
    steps("y", "E104"), steps("yes", "E012"), steps("Off", "E012"), steps("true", "E104"),
    steps("010", "E012"), steps("0o10", "E012"), steps("0x1f", "E012"), steps("0b11", "E012"),
    steps("1_000", "E012"), steps("4_", "E012"), steps("1:30", "E012"), steps("2001-01-01", "E012"),
    steps("190:20:30.5", "E012"), steps(".inf", "E013"), steps("-.INF", "E013"),
    steps(".NaN", "E013"), steps("1e400", "E013"), steps("9" * 23, "E013"),
    steps("9" * 5000, "E013"),
    steps("4.0", "E104"), steps("4e0", "E104"), steps("1e-5", "E104"), steps('"4"', "E104"),
    steps("'4'", "E104"), steps("~", "E104"), steps("Null", "E104"), steps("4#c", "E104"),
    steps("[4]", "E104"), steps("{a: 4}", "E104"), steps("-4", "E105"), steps("-0", "E105"),
    steps("|\n    4", "E104"), steps("\u0664", "E104"), steps("４", "E104"), steps("--4", "E104"),
    steps("!!int 4", "E009"), steps('!!str "4"', "E009"), steps("&a 4", "E008"),
    steps("*a", "E008"), steps("- 4", "E005"), steps("@4", "E005"), steps("`4", "E005"),
    steps("%4", "E005"), steps("? 4", "E005"), steps("4: 5", "E005", 15, 11),
    steps("{4", "E005"), steps("4]", "E104"), steps("=", "E104"), steps("<<", "E104"),
)  # fmt: skip

CHARACTERS = (
    *(put("name: demo", f'name: "de{c}mo"', "E002", 2, 10) for c in (
        "\0", "\x01", "\x1b", "\x7f", "\x80", "\x85", "\x9f", "\u00ad", "\u061c", "\u200b",
        "\u200e", "\u2028", "\u202e", "\u2060", "\u2066", "\u3164", "\ufeff", "\ufffe",
        "\ufffb", "\U000e0041",
    )),
    *(put("name: demo", f'name: "de{c}mo"', "E105", 2, 7) for c in ("\u00a0", "\u3000", "\t", "é")),
    put("  steps: 4", "  steps\u200b: 4", "E002", 15, 8),
    put("  steps: 4", "  steps\u00a0: 4", "E101", 15, 3),
    put("  steps: 4", "  steps:\u00a04", "E104", 15, 3),
    put("train:\n", "\x0ctrain:\n", "E002", 14, 1),
    put('"{{ item.question }}"', '"\U0001f469\u200d\U0001f52c {{ item.question }}"', None),
    Case("byte order mark", "\ufeff" + GOOD, None),
    Case("two byte order marks", "\ufeff\ufeff" + GOOD, "E002", 1, 1),
    Case("utf-16 with mark", GOOD.encode("utf-16"), "E001", 1, 1),
    Case("utf-16le", GOOD.encode("utf-16-le"), "E001", 1, 1),
    Case("utf-16be", GOOD.encode("utf-16-be"), "E001", 1, 1),
    Case("utf-32", GOOD.encode("utf-32-le"), "E001", 1, 1),
    Case("latin-1", (GOOD + "meta: {a: é}\n").encode("latin-1"), "E001", 16, 11),
    Case("cp1252", GOOD.encode() + b"meta: {a: \x93x\x94}\n", "E001", 16, 11),
    Case("surrogate", GOOD.encode() + b'meta: {a: "\xed\xa0\x80"}\n', "E001", 16, 12),
    Case("overlong", GOOD.encode() + b'meta: {a: "\xc0\xaf"}\n', "E001", 16, 12),
    Case("gzip", b"\x1f\x8b\x08\x00", "E001", 1, 2),
    Case("crlf", GOOD.replace("\n", "\r\n"), None),
    Case("cr", GOOD.replace("\n", "\r"), None),
    Case("mixed line ends", GOOD.replace("\n", "\r\n", 5), None),
)  # fmt: skip

SYNTAX = (
    put("  steps", "\tsteps", "E004", 15, 1), put("train:\n", "train:\n\t\n", "E004", 15, 1),
    put("steps: 4", "steps: 4\n\tkl: 0", "E004", 16, 1), put("steps: 4", "steps\t: 4", None),
    put("name: demo", 'name: "demo', "E005", 7, 12), put("name: demo", "name: 'demo", "E005", 2, 7),
    put("name: demo", "name: 'it's'", "E005", 2, 11), put("demo", '"a\\d"', "E005", 2, 9),
    put("steps: 4", "steps: [4", "E005", 15, 10), put("train:\n", "train\n", "E005", 14, 1),
    put("    input:", "   input:", "E005", 11, 4),
    put("steps: 4", "steps: 4\n    kl: 0", "E005", 16, 7),
    put("steps: 4", "steps:4", "E104", 15, 3), put("steps: 4", "steps = 4", "E104", 15, 3),
    put("operation: eq", "operation: eq: x", "E005", 13, 18), put("demo", "#demo", "E104", 2, 6),
    put("train:\n  steps: 4", "train: {steps: 4 kl: 0}", "E005", 14, 20),
    put("train:\n  steps: 4", "train: {steps: 4,}", None),
    put("train:\n  steps: 4", "train: {steps:4}", "E101", 14, 9),
    put("train:\n  steps: 4", 'train: {"steps":4}', None),
    put('"{{ item.answer }}"', "{{ item.answer }}", "E006", 12, 17),
    Case("empty", "", "E110", 1, 1), Case("blank", " \n\n", "E110", 1, 1),
    Case("comment", "# x\n", "E110", 1, 1), Case("---", "---\n", "E110", 1, 1),
    Case("null", "~\n", "E110", 1, 1), Case("list", "- version: 1\n", "E104", 1, 1),
    Case("scalar", "hello\n", "E104", 1, 1), Case("number", "42\n", "E104", 1, 1),
    Case("toml", '[model]\nbase = "x"\n', "E005", 2, 1), Case("ini", "a = 1\n", "E104", 1, 1),
    Case("---first", "---\n" + GOOD, None), add("...\n", None), add("---\n" + GOOD, "E011", 16, 1),
    add("...\n---\n", "E011", 17, 1), add("...\nfoo: 1\n", "E005", 17, 1),
    Case("%YAML 2", "%YAML 2.0\n---\n" + GOOD, "E005", 1, 1),
    Case("%YAML 1.2", "%YAML 1.2\n---\n" + GOOD, None),
    put("    operation: eq", "    operation: eq\n    operation: ne", "E007", 14, 5),
    put("train:\n  steps: 4", 'train: {steps: 4, "steps": 5}', "E007", 14, 19),
    add("meta: {a: 1, a: 2}\n", "E007", 16, 14), add("'name': x\n", "E007", 16, 1),
    put("train:\n", "train:\n  <<: {kl: 0}\n", "E008", 15, 3),
    put("train:\n", 'train:\n  "<<": {kl: 0}\n', "E101", 15, 3), add("*a : 1\n", "E008", 16, 1),
    put("demo", "!!python/name:os.system x", "E009", 2, 7), put("demo", "!env HOME", "E009", 2, 7),
    put("demo", '!!python/object/apply:os.system ["x"]', "E009", 2, 7),
    put("train:\n", "train: !!map\n", "E009", 14, 8),
    put("name: demo", "!!str name: demo", "E009", 2, 1),
    put("demo", "!include a.yaml", "E009", 2, 7), put("demo", "! demo", "E009", 2, 7),
    add("~: 1\n", "E006", 16, 1), add("1: 1\n", "E006", 16, 1), add("1.5: 1\n", "E006", 16, 1),
    add("true: 1\n", "E006", 16, 1), add("no: 1\n", "E101", 16, 1), add("1:30: 1\n", "E012", 16, 1),
    add("2001-01-01: 1\n", "E012", 16, 1), add("? [a]\n: 1\n", "E006", 16, 3),
    add('"": 1\n', "E101", 16, 1), add("? x-a\n: 1\n", None), add("Name: x\n", "E101", 16, 1),
    add("__proto__: 1\n", "E101", 16, 1), add('" name": 1\n', "E101", 16, 1),
)  # fmt: skip

SIZES = (
    Case("10k brackets", "version: 1\nmeta: " + "[" * 10_000, "E010", 2, 38),
    Case("10k braces", "version: 1\nmeta: " + "{a: " * 10_000, "E010", 2, 131),
    Case("10k dashes", "version: 1\nmeta:\n  " + "- " * 10_000, "E010", 3, 65),
    Case("1k indents", "".join(" " * n + "a:\n" for n in range(1000)), "E010", 33, 33),
    add('meta: {a: "' + "x" * 5_000_000 + '"}\n', "E003", 1, 1),
    add('meta: {a: "' + "x" * 900_000 + '"}\n', None), add("#" + "x" * 900_000 + "\n", None),
    put("demo", "x" * 900_000, "E105", 2, 7), add("x" * 900_000 + ": 1\n", "E005", 16, 900_001),
    add("".join(f"k{n}: 1\n" for n in range(19_000)), "E003", 10_000, 8),
    add("".join(f"k{n}: 1\n" for n in range(5000)), "E101", 5015, 1),
    add("kl: 1\n" * 9000, "E007", 9015, 1), add("# " + "\x01" * 500_000 + "\n", "E002", 16, 3),
    add('reward: "' + "1 + " * 200_000 + 'exact"\n', "E304", 16, 9),
    add("require:\n" + '  - metric("reward", "tuned") > 0\n' * 5000, "E105", 17, 3),
    add("evaluate:\n  metrics:\n" + "".join(f"    k{n}: 1\n" for n in range(5000)), "E105", 18, 5),
    add('evaluate: {metrics: {a: "' + "(" * 100_000 + '"}}\n', "E304", 16, 26),
    put("{{ item.answer }}", "{{ item.anser }}" * 5_000, "E401", 12, 20),
    put("{{ item.answer }}", "{" * 200_000, "E401", 12, 16),
    put("  prompt", "  gold: " + "[" * 40 + "]" * 40 + "\n  prompt", "E010", 7, 39),
    Case("laughs", "a: &a [l, l]\nb: &b [*a, *a]\nc: &c [*b, *b]\n" + GOOD, "E008", 1, 4),
)  # fmt: skip

NAMES = (
    *(named(name, "E107") for name in ("item", "sample", "reward", "min", "log", "if", "not")),
    *(named(name, "E106") for name in ("_x", "1a", "a-b", "a b", "a.b", "__class__", "x-a", "''")),
    named('"a\\nb"', "E106"), named('"ex\\u202eact"', "E106"), named("x" * 65, "E106"),
    named("x" * 64, None), named("len", None), named("\u0435xact", "E108"), named("é", "E108"),
    named("true", "E006"), named("~", "E006"), named("no", None),
    metric("reward", "E107"), metric("truncated_share", "E107"), metric('"graders/exact"', "E107"),
    metric("other_error_count", "E107"), metric('"a\\nb"', "E106"), metric('"a\\u202eb"', "E106"),
    metric('""', "E106"), metric('"  "', "E106"), metric("1:30", "E012"), metric("010", "E012"),
    metric("x" * 65, "E106"), metric("on", None), metric("é", None), metric('"<b>"', None),
    add('evaluate:\n  references:\n    base: {vote: {on: "1"}}\n', "E107", 18, 5),
    add('evaluate:\n  references:\n    "a\\eb": {vote: {on: "1"}}\n', "E106", 18, 5),
    add("evaluate:\n  references:\n    x: {}\n", "E111", 18, 8),
    add("evaluate:\n  references:\n    x:\n", "E104", 18, 7),
    add("evaluate: []\n", "E104", 16, 11), add("graders: 1\n", "E007", 16, 1),
    put("train:\n", "reward: reward\ntrain:\n", "E311", 14, 9),
    put("train:\n", "reward: exct\ntrain:\n", "E311", 14, 9),
    put("train:\n", "reward: |\n  exact +\n    exct\ntrain:\n", "E311", 16, 5),
    put("train:\n", "reward: exact == 1\ntrain:\n", "E324", 14, 9),
    put("train:\n", 'reward: metric("a", "b")\ntrain:\n', "E312", 14, 9),
    put("train:\n", "reward: exact / 0\ntrain:\n", "E331", 14, 15),
    put("train:\n", "reward: item.n\ntrain:\n", "E313", 14, 14),
    put("train:\n", "reward: 1\ntrain:\n", "E104", 14, 9),
    put("train:\n", "reward: !exact\ntrain:\n", "E009", 14, 9),
    put("train:\n", 'reward: " "\ntrain:\n', "E105", 14, 9),
    put("name: demo", 'name: "demo\\n"', "E105", 2, 7), put("demo", "../demo", "E105", 2, 7),
    add("seed: 1.5\n", "E104", 16, 7), add("seed: 99999999999\n", "E105", 16, 7),
    add("device: gpu\n", "E103", 16, 9), add("track: tensorboard\n", "E104", 16, 8),
    add("on_error: {stop_above: 2}\n", "E105", 16, 24), add("model: {}\n", "E007", 16, 1),
)  # fmt: skip

PATHS = (
    train("/dev/zero", "E202"), train("/dev/stdin", "E202"), train(".", "E202"),
    train("folder", "E202"), train("fifo", "E202"), train("loop", "E201"), train("broken", "E201"),
    train("Train.jsonl", "E201"), train("train.jsonl/x", "E201"), train("x" * 5000, "E201"),
    train("a/" * 3000, "E201"), train("'*.jsonl'", "E201"), train('"train.jsonl "', "E201"),
    train("~/x", "E208"), train("$HOME/x", "E208"), train("${HOME}", "E208"),
    train("http://x/y.jsonl", "E208"), train("file:///etc/passwd", "E208"),
    train('"a\\0b"', "E208"), train("C:\\x.jsonl", "E208"), train("hf:a/b/c", "E208"),
    train("$${env:X}", "E208"), train("${env:NOT_SET_ANYWHERE}", "E117"), train('""', "E105"),
    train("${env:NOT_SET_ANYWHERE:-train.jsonl}", None), train("${env:}", "E117"),
    add("seed: ${env:HOME}\n", "E118", 16, 7), add("${env:HOME}: 1\n", "E101", 16, 1),
    put("  prompt", "  validation: ./train.jsonl\n  prompt", "E215", 7, 15),
    put("builtin:case-reader", "../../..", "E502", 4, 9),
    put("builtin:case-reader", "a b/c", "E503", 4, 9),
    put("builtin:case-reader", "builtin:../x", "E501", 4, 9),
)  # fmt: skip

_SECOND = '{"question": "r", "answer": '
ROWS = (
    row(_SECOND + '"b"}', None), row(_SECOND + '"b"}\r\n', None),
    row(_SECOND + '"\u2028"}\n', None),
    row(_SECOND + '"\\ud83d\\ude00"}\n', None), row("\n\n", None),
    row(_SECOND + "NaN}\n", "E203"), row(_SECOND + '"b", "n": -Infinity}\n', "E203"),
    row(_SECOND + '"b", "n": 1e400}\n', "E203"),
    row(_SECOND + f'"b", "n": {"9" * 5000}}}\n', "E203"),
    row(_SECOND + '"b", "answer": "c"}\n', "E205"),
    row(_SECOND + '"b", "\\u0061nswer": "c"}\n', "E205"),
    row(_SECOND + '"b", "x": {"a": 1, "a": 2}}\n', "E205"), row(_SECOND + '"\\ud800"}\n', "E203"),
    row(_SECOND + '"b", "x": ' + "[" * 100_000 + "]" * 100_000 + "}\n", "E203"),
    row(_SECOND + '"b', "E203", 2, 29), row(_SECOND + '"b"', "E203", 2, 32),
    row(_SECOND + '"b",}\n', "E203", 2, 33), row(_SECOND + '"b"}{}\n', "E203", 2, 33),
    row("\n" + _SECOND + '"b"}\n', "E203"), row("null\n", "E203"), row("[]\n", "E203"),
    row('"x"\n', "E203"), row("// x\n", "E203"), row("{'question': 'r'}\n", "E203", 2, 2),
    row(_SECOND + "01}\n", "E203", 2, 30), row(_SECOND + "+1}\n", "E203", 2, 29),
    row(_SECOND + '"\x01"}\n', "E203", 2, 30), row(_SECOND + '"\\x"}\n', "E203", 2, 30),
    row("\ufeff" + _SECOND + '"b"}\n', "E203"), row(b"\0\n", "E203"),
    row(b'{"a": "\xe9"}\n', "E204", 2, 8),
    row(_SECOND + "5}\n", "E218"), row(_SECOND + "null}\n", "E218"),
    row('{"question": "r"}\n', "E217"),
    row(_SECOND + '["b"]}\n', "E218"), row('{"question": "", "answer": "b"}\n', "E207"),
    row(_SECOND + '"' + "b" * 17_000_000 + '"}\n', "E203"),
    Case("no rows", GOOD, "E209", 1, 1, {"train.jsonl": ""}),
    Case("utf-16 rows", GOOD, "E204", 1, 1, {"train.jsonl": ROW.encode("utf-16")}),
    Case("marked rows", GOOD, None, files={"train.jsonl": "\ufeff" + ROW}),
    Case("cr rows", GOOD, "E203", 1, 34, {"train.jsonl": ROW.replace("\n", "\r") * 2}),
)  # fmt: skip

CASES = (*SCALARS, *CHARACTERS, *SYNTAX, *SIZES, *NAMES, *PATHS, *ROWS)
