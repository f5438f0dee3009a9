"""What a grader may be written in: everyday Python works, the rest is refused with its place."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from rftspec.codes import PAGES
from rftspec.graders.python import DOC
from rftspec.sandbox.facades import MODULES
from rftspec.sandbox.offers import WHEN_NAMED, load
from rftspec.sandbox.pool import Pool
from rftspec.sandbox.protocol import Problem
from rftspec.sandbox.refused import REFUSED_MODULES

SAMPLE = {"output_text": "Genes: B, A", "output_json": {"genes": ["B", "A"]}}
ITEM = {"answer": "b", "weights": {"a": 1, "b": 3}}


def grade(pool: Pool, body: str, *, header: str = "") -> Any:
    indented = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    source = f"{header}\ndef grade(sample, item):\n{indented}\n"
    (outcome,) = pool.grade(source, [(SAMPLE, ITEM)])
    return outcome.value if outcome.value is not None else outcome


WORKS = {
    "augmented items": "d = {'a': 1}\nd['a'] += 2\nd['a'] *= 3\nreturn d['a'] == 9",
    "augmented names": "n = 1\nn += 2\nn **= 2\nn //= 2\nreturn n == 4",
    "augmented lists are extended in place": "a = [1]\nb = a\na += [2]\nreturn b == [1, 2]",
    "augmented target evaluated once": (
        "i = iter([0, 1])\na = [5, 7]\na[next(i)] += 1\nreturn a == [6, 7]"
    ),
    "annotations": "x: int = 1\ny: list[int]\nz: dict[str, float] = {}\nreturn x == 1",
    "f-strings": "x = 1 / 3\nreturn f'{x:.2f}|{x!r:>6.6}|{\"a\":>3}' == '0.33|0.3333|  a'",
    "str.format": "return '{} {b:.1f} {0!r}'.format('x', b=1.25) == \"x 1.2 'x'\"",
    "percent format": "return '%s-%04d-%.1f%%' % ('a', 7, 99.5) == 'a-0007-99.5%'",
    "comprehensions": "return [x for x in range(4) if x % 2] == [1, 3] and {1: 2} == {1: 2}",
    "dict comprehension": "return {k: v * 2 for k, v in item['weights'].items()}['b'] == 6",
    "generator": "return sum(x * x for x in range(4)) == 14",
    "nested unpacking": "a, (b, *c) = 1, (2, 3, 4)\nreturn a + b + len(c) == 5",
    "loop unpacking": "t = 0\nfor i, (a, b) in enumerate([(1, 2), (3, 4)]):\n    t += i * a * b\n"
    "return t == 12",
    "for else": "for x in [1]:\n    pass\nelse:\n    return True\nreturn False",
    "walrus": "return (n := 3) + n == 6",
    "try except else finally": (
        "t = 0\ntry:\n    int('x')\nexcept (ValueError, KeyError) as e:\n    t = len(str(e)) > 5\n"
        "finally:\n    u = 1\nreturn t and u == 1"
    ),
    "raise and catch": "try:\n    raise ValueError('no')\nexcept Exception as e:\n"
    "    return e.args[0] == 'no'",
    "nested function": "def f(x):\n    return x + n\nn = 2\nreturn f(1) == 3",
    "nonlocal": "n = 0\ndef f():\n    nonlocal n\n    n += 1\nf()\nf()\nreturn n == 2",
    "lambda and sort": "return sorted(['bb', 'A'], key=lambda s: len(s))[0] == 'A'",
    "method of a class as key": "return sorted(['b', 'A'], key=str.lower) == ['A', 'b']",
    "map filter zip": "return list(map(int, filter(str.isdigit, '1a2'))) == [1, 2]",
    "star calls": "def f(*a, **k):\n    return len(a) + len(k)\nreturn f(*[1, 2], **{'x': 1}) == 3",
    "min max any all": "return max([1, 3], default=0) == 3 and any([0, 1]) and all([])",
    "slices": "return 'abcdef'[1:5:2] == 'bd' and [1, 2, 3][-1] == 3",
    "deleting items": "d = {1: 2}\ndel d[1]\nreturn not d",
    "set operations": "return {1, 2} & {2, 3} == {2} and len({1} | {2}) == 2",
    "conditional and chained": "return 1 if 0 < 1 < 2 else 0",
    "isinstance": "return isinstance(sample['output_json'], dict) and not isinstance(1, str)",
    "hasattr and getattr": "return hasattr('', 'lower') and getattr('A', 'lower')() == 'a'",
    "string methods": (
        "t = sample['output_text']\nreturn t.partition(':')[2].strip().split(', ') == ['B', 'A']"
    ),
    "private names": "_x = 1\nreturn _x == 1",
    "while and break": "n = 0\nwhile True:\n    n += 1\n    if n > 5: break\nreturn n == 6",
    "print": "print('debug', sample, sep='-')\nreturn True",
    "assert": "assert item['answer'] == 'b', 'why'\nreturn True",
    "loop in default": "return max((len(w), w) for w in ['a', 'bb'])[1] == 'bb'",
    "translate": "return 'a-b'.translate(str.maketrans('', '', '-')) == 'ab'",
}


@pytest.mark.parametrize("body", WORKS.values(), ids=WORKS.keys())
def test_everyday_construct_works(body: str, pool: Pool) -> None:
    assert grade(pool, body) == 1.0


IMPORTS = {
    "import math": "return math.sqrt(4) == 2 and math.comb(5, 2) == 10",
    "import json": "return json.loads('{\"a\": [1]}')['a'] == [1] and json.dumps({}) == '{}'",
    "import string": "return string.punctuation[0] == '!' and string.capwords('a b') == 'A B'",
    "import statistics": "return statistics.mean([1, 3]) == 2 and statistics.stdev([1, 1]) == 0",
    "from collections import Counter, defaultdict, deque": (
        "c = Counter('aab')\nd = defaultdict(list)\nd['x'].append(1)\nd['n'] += [2]\n"
        "return c.most_common(1) == [('a', 2)] and d['x'] == [1] and deque([1]).pop() == 1"
    ),
    "import itertools as it": "return list(it.chain.from_iterable([[1], [2]])) == [1, 2]",
    "import functools": "return functools.reduce(lambda a, b: a + b, [1, 2, 3]) == 6",
    "import unicodedata": "return unicodedata.normalize('NFC', 'e\\u0301') == '\\u00e9'",
    "import difflib": "return difflib.SequenceMatcher(None, 'abcd', 'bcde').ratio() == 0.75",
    "from typing import Any, List": "x: List[Any] = [1]\nreturn len(x) == 1",
    "from __future__ import annotations": "return True",
    "import heapq": "return heapq.nlargest(1, [1, 3, 2]) == [3]",
}


@pytest.mark.parametrize(("header", "body"), IMPORTS.items(), ids=IMPORTS.keys())
def test_offered_module_works(header: str, body: str, pool: Pool) -> None:
    assert grade(pool, body, header=header) == 1.0


REFUSED = [
    ("import numpy as np", 1, 1, "np.mean -> statistics.fmean"),
    ("import dataclasses", 1, 1, "no classes"),
    ("import Levenshtein", 1, 1, "from rapidfuzz.distance import Levenshtein"),
    ("import unheard_of", 1, 1, "`unheard_of` is not offered"),
    ("import os.path", 1, 1, "files, network"),
    ("from math import sqrt, nope", 1, 1, "`math.nope`"),
    ("from collections import *", 1, 1, "`collections.*`"),
    ("from . import x", 1, 1, "relative"),
    ("class A:\n    pass", 1, 1, "classes are not offered"),
    ("def f():\n    yield 1", 2, 5, "generator"),
    ("def f():\n    global x", 2, 5, "`global`"),
    ("try:\n    pass\nexcept:\n    pass", 3, 1, "except Exception"),
    ("try:\n    pass\nexcept BaseException:\n    pass", 3, 8, "BaseException"),
    ("x = ().__class__", 1, 5, "__class__"),
    ("x = __import__('os')", 1, 5, "__import__"),
    ("_getattr_ = 1", 1, 1, "_getattr_"),
    ("def f(_write_=1, /):\n    pass", 1, 1, "_write_"),
    ("x = eval('1')", 1, 5, "`eval`"),
    ("async def f():\n    pass", 1, 1, "async"),
    ("x.y = 1", 1, 1, "`y` cannot be set"),
    ("del x.y", 1, 5, "`y` cannot be set or deleted"),
    ("x = f'{1:>{2}}'", 1, None, "computed width"),
    ("x = f'{1:>10000}'", 1, None, "over 999"),
    ("x = 1 @ 2", 1, 5, "`@`"),
    ("match 1:\n    case 1:\n        pass", 1, 1, "`match`"),
    ("x = 1 +", 1, 8, "syntax"),
]


@pytest.mark.parametrize(("source", "line", "column", "word"), REFUSED)
def test_refused_construct_is_told_at_its_place(
    source: str, line: int, column: int | None, word: str, pool: Pool
) -> None:
    problems = pool.check(f"{source}\ndef grade(sample, item):\n    return 1.0\n")
    places = [(p.line, p.column) for p in problems if word in p.message]
    # where a field of an f-string stands is known from Python 3.12 on
    assert places == [(line, places[0][1] if column is None else column)], problems


def test_all_problems_of_a_script_are_told_at_once(pool: Pool) -> None:
    problems = pool.check("import os\nimport sys\nclass A: pass\n")
    assert [p.line for p in problems] == [1, 1, 2, 3], problems
    assert any("def grade" in p.message for p in problems)


@pytest.mark.parametrize(
    "signature", ["sample", "", "sample, item, more", "sample, item, *, key", "*, sample, item"]
)
def test_grade_that_cannot_be_called_with_two_arguments_is_told(signature: str, pool: Pool) -> None:
    problems = pool.check(f"def grade({signature}):\n    return 1.0\n")
    assert problems == [Problem(1, 1, "`grade` must be callable as `grade(sample, item)`")]


@pytest.mark.parametrize("signature", ["sample, item", "s, i, seen=()", "*args", "a, /, b"])
def test_grade_that_can_be_called_with_two_arguments_is_fine(signature: str, pool: Pool) -> None:
    assert pool.check(f"def grade({signature}):\n    return 1.0\n") == []


LIMITS = {
    "power": "return 10 ** 10 ** 8 > 0",
    "shift": "return (1 << 10 ** 9) > 0",
    "text": "return len('a' * 10 ** 9)",
    "list": "return len([0] * 10 ** 9)",
    "in place": "s = 'a'\ns *= 10 ** 9\nreturn 1",
    "padding": "return len('a'.ljust(10 ** 9))",
    "join": "return len('x' * 10 ** 6 and ('a' * 10 ** 6).join(['b'] * 10 ** 4))",
    "replace": "return len(('a' * 10 ** 6).replace('', 'b' * 10 ** 6))",
    "percent width": "return len('%999999999d' % 1)",
    "percent star": "return len('%*d' % (10 ** 9, 1))",
    "format width": "return len('{:>999999999}'.format(1))",
    "format builtin": "return len(format(1, '>999999999'))",
    "round": "return round(1, -10 ** 9)",
}


@pytest.mark.parametrize("body", LIMITS.values(), ids=LIMITS.keys())
def test_growth_beyond_bounds_is_a_memory_error(body: str, pool: Pool) -> None:
    outcome = grade(pool, body)
    assert outcome.kind == "memory_error", outcome


@pytest.mark.parametrize("handler", ["except Exception:", "except MemoryError:", "finally:"])
def test_exhausted_limit_cannot_be_caught_into_a_score(handler: str, pool: Pool) -> None:
    outcome = grade(pool, f"try:\n    'a' * 10 ** 9\n{handler}\n    return 1.0")
    assert outcome.kind == "memory_error"


@pytest.mark.parametrize("handler", ["except Exception:", "except RecursionError:", "finally:"])
def test_exhausted_recursion_cannot_be_caught_into_a_score(handler: str, pool: Pool) -> None:
    outcome = grade(pool, f"def f():\n    return f()\ntry:\n    f()\n{handler}\n    return 1.0")
    assert outcome.kind == "runtime_error"
    assert "RecursionError" in outcome.detail


def test_json_nested_too_deeply_is_invalid_json_that_can_be_handled(pool: Pool) -> None:
    body = "try:\n    json.loads('[' * 100000)\nexcept ValueError:\n    return 0.25"
    assert grade(pool, body, header="import json") == 0.25


def test_error_is_told_with_its_line_and_message(pool: Pool) -> None:
    outcome = grade(pool, "x = 1\nreturn item['missing']")
    assert (outcome.line, outcome.detail) == (4, "KeyError: 'missing'")


PATTERNS = [
    ("re.search(r'(?=a)b', 'a')", 3, 15, "look-ahead"),
    ("rx.match(r'(a)\\1', 'a')", 3, 14, "backreference"),
    ("find('(', 'a')", 3, 10, "missing )"),
    ("re.compile(r'a{2000}')", 3, 16, "a repeat over 1000"),
]


@pytest.mark.parametrize(("call", "line", "column", "word"), PATTERNS)
def test_pattern_that_re2_cannot_run_is_told_before_a_run(
    call: str, line: int, column: int, word: str, pool: Pool
) -> None:
    header = "import re; import re as rx; from re import findall as find"
    problems = pool.check(f"{header}\ndef grade(sample, item):\n    {call}\n    return 1.0\n")
    assert [(p.line, p.column) for p in problems] == [(line, column)]
    assert word in problems[0].message


@pytest.mark.parametrize(
    "body",
    [
        "re.search(r'(?x) a # (', 'a')",
        "re.search(r'a # (', 'a', re.X)",
        "re.search(sample['output_text'], 'a')",
        "''.split('(')",
        "try:\n        re.compile('(')\n    except re.error:\n        pass",
    ],
)
def test_pattern_that_may_run_is_not_told(body: str, pool: Pool) -> None:
    source = f"import re\ndef grade(sample, item):\n    {body}\n    return 1.0\n"
    assert pool.check(source) == []


def test_import_that_is_not_offered_is_told_with_what_is(pool: Pool) -> None:
    (problem,) = pool.check("import pandas\ndef grade(sample, item):\n    return 1.0\n")
    assert problem.message == "the module `pandas` is not offered: use lists and dicts"
    assert problem.hint is not None
    assert problem.hint.startswith("offered are ast, bisect, collections")
    assert "rapidfuzz" in problem.hint
    assert "datetime" in problem.hint


def test_every_reason_for_a_refusal_fits_its_line() -> None:
    for name, reason in REFUSED_MODULES.items():
        assert len(f"the module `{name}` is not offered: {reason}") <= 200
        assert name not in MODULES


def test_offered_modules_and_names_are_those_that_the_documentation_names() -> None:
    load(frozenset(WHEN_NAMED))
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
    table = page.partition("### Imports")[2].partition("Not offered")[0]
    rows = {row.split("`")[1]: row for row in table.splitlines() if row.startswith("| `")}
    assert set(rows) == {name.partition(".")[0] for name in MODULES}
    for name, facade in MODULES.items():
        root = name.partition(".")[0]
        listed = set(re.findall(r"\w+", rows[root]))
        if root != "typing" and name != "collections.abc":
            assert set(facade.members) - {"abc"} <= listed, name
        assert root in DOC, name
        assert root in PAGES["W430"].text, name
