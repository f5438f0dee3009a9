"""What would a lazy model earn? Answers that no model should be paid for, graded before a run.

Reinforcement learning finds whatever pays. So the graders are tried on answers that need no
understanding (nothing, the prompt back, every candidate at once …) beside the gold answer.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rftspec.data.rows import messages_of
from rftspec.graders.output import ResponseFormat, read_output, schema_of, wants_json
from rftspec.graders.score import Graded, Item, Sample
from rftspec.plan.gold import REASON, Gold, candidates, given_gold, instance
from rftspec.template import MissingVariable

ASKING = frozenset({"score_model", "label_model", "endpoint"})
"""Kinds of graders that ask a model or a server: a plan does not, a command may."""
ROWS = 20
"""Rows that are tried, unless told otherwise."""
CANDIDATES = 100
"""Most values that the answer which lists every candidate lists."""
REFUSAL = "I'm sorry, but I can't help with that."
EPSILON = 1e-9

Texts = list[str | None]


class Graders(Protocol):
    """What a probe needs of `graders.grading.GraderSet`."""

    @property
    def reward_range(self) -> tuple[float, float]:
        """The lowest and highest reward."""
        ...

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Graded]:
        """Everything that grading says of each sample."""
        ...


@dataclass(frozen=True, slots=True)
class Earned:
    """What one kind of answer earned."""

    name: str
    what: str
    rewards: tuple[float | None, ...]
    """By row; None where there is no such answer."""
    failures: int
    """Rows on which a grader failed."""
    ties: float
    """Share of rows on which it earns no less than the gold answer."""
    example: str
    failure: str | None = None
    """The first failure, in words."""

    @property
    def mean(self) -> float:
        """Mean reward over the rows that have such an answer."""
        found = [r for r in self.rewards if r is not None]
        return sum(found) / len(found)


@dataclass(frozen=True, slots=True)
class Probe:
    """All that was tried on some rows."""

    gold: Gold | None
    earned: tuple[Earned, ...]
    """In the order of TRIALS; `gold` first where there is one."""
    reward_range: tuple[float, float]
    rows: tuple[int, ...]
    """Places in the split of the rows that were tried."""
    differing: tuple[str, ...]
    """Kinds of answers that were graded twice and got two different rewards."""
    commonest: tuple[str, float] | None
    """The most frequent gold value, and its share of all rows."""

    def of(self, name: str) -> Earned | None:
        """What a kind of answer earned."""
        return next((e for e in self.earned if e.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "rows": list(self.rows),
            "reward_range": list(self.reward_range),
            "gold": None if self.gold is None else self.gold.told,
            "commonest": None if self.commonest is None else list(self.commonest),
            "differing": list(self.differing),
            "earned": [
                {
                    "name": e.name,
                    "what": e.what,
                    "mean": e.mean,
                    "ties": e.ties,
                    "failures": e.failures,
                    "rewards": list(e.rewards),
                    "example": e.example,
                }
                for e in self.earned
            ],
        }


@dataclass(frozen=True, slots=True)
class Rows:
    """What trials are made from."""

    items: Sequence[Item]
    """The rows that are tried."""
    all_items: Sequence[Item]
    """Every row of the split: candidates come from them."""
    common: tuple[str, float] | None
    """The most frequent gold value and its share."""
    prompts: Sequence[str]
    """The last user message of each tried row."""
    response_format: ResponseFormat | None
    gold: Gold | None

    def values(self) -> list[Any]:
        """The gold values of the split, each once, in a fixed order that no row's own decides."""
        assert self.gold is not None
        found = {_key(value): value for value in _values(self.gold, self.all_items)}
        return [found[key] for key in sorted(found)]


def asks(graders: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The first grader that would ask a model or a server, by name; None where none would."""
    for name, settings in graders.items():
        if settings.get("type") in ASKING or settings.get("evaluation_metric") == "cosine":
            return name
        inner = asks(settings.get("graders") or {})
        if inner is not None:
            return f"{name}.{inner}"
    return None


def probe(
    graders: Graders,
    items: Sequence[Item],
    response_format: ResponseFormat | None,
    *,
    gold: Any = None,
    prompt: Any = None,
    rows: int = ROWS,
) -> Probe:
    """Grade every kind of lazy answer on rows spread over the split, twice.

    `gold` is the spec's `data.gold`; without it the best answer that the rows' own fields make
    stands in, where one earns more than the lowest reward.
    """
    places = tuple(spread(len(items), rows))
    tried = [items[place] for place in places]
    found = given_gold(gold) if gold is not None else best_gold(graders, tried, response_format)
    prompts = [str(messages_of(item, prompt)[-1]["content"]) for item in tried]
    common = commonest(found, items)
    made = Rows(tried, items, common, prompts, response_format, found)
    texts = {name: trial(made) for name, (_, trial) in TRIALS.items()}
    texts = {
        name: answers for name, answers in texts.items() if any(a is not None for a in answers)
    }
    first, second = (_grade(graders, texts, made) for _ in range(2))
    return Probe(
        found,
        tuple(_earned(name, texts[name], first[name], first.get("gold")) for name in texts),
        graders.reward_range,
        places,
        tuple(name for name in texts if _rewards(first[name]) != _rewards(second[name])),
        common,
    )


def spread(count: int, wanted: int) -> list[int]:
    """Places spread evenly over the rows."""
    wanted = min(count, wanted)
    return [index * count // wanted for index in range(wanted)]


def best_gold(
    graders: Graders, items: Sequence[Item], response_format: ResponseFormat | None
) -> Gold | None:
    """The candidate that earns most, if it earns anything at all."""
    best, most = None, graders.reward_range[0] + EPSILON
    for candidate in candidates(items, response_format):
        texts = [candidate.text(item) for item in items]
        if any(text is None for text in texts):
            continue
        samples = [read_output(str(text), response_format) for text in texts]
        graded = graders.grade(samples, items)
        mean = sum(g.reward for g in graded) / len(graded)
        if mean > most:
            best, most = candidate, mean
    return best


def _grade(
    graders: Graders, texts: Mapping[str, Texts], rows: Rows
) -> dict[str, list[Graded | None]]:
    """All answers in one batch."""
    jobs = [
        (name, i, text)
        for name, answers in texts.items()
        for i, text in enumerate(answers)
        if text is not None
    ]
    samples = [read_output(text, rows.response_format) for _, _, text in jobs]
    graded = graders.grade(samples, [rows.items[i] for _, i, _ in jobs])
    out: dict[str, list[Graded | None]] = {name: [None] * len(rows.items) for name in texts}
    for (name, i, _), found in zip(jobs, graded, strict=True):
        out[name][i] = found
    return out


def _rewards(graded: Sequence[Graded | None]) -> list[float | None]:
    return [None if g is None else g.reward for g in graded]


def _earned(
    name: str,
    texts: Texts,
    graded: Sequence[Graded | None],
    gold: Sequence[Graded | None] | None,
) -> Earned:
    rewards = _rewards(graded)
    failed = [g for g in graded if g is not None and g.error is not None]
    pairs = [
        (g.reward, best.reward)
        for g, best in zip(graded, gold or [None] * len(graded), strict=True)
        if g is not None and best is not None
    ]
    ties = sum(mine >= best - EPSILON for mine, best in pairs) / len(pairs) if pairs else 0.0
    why = f"{failed[0].error}: {failed[0].error_detail}" if failed else None
    example = next(text for text in texts if text is not None)
    return Earned(name, TRIALS[name][0], tuple(rewards), len(failed), ties, example, why)


def commonest(gold: Gold | None, items: Sequence[Item]) -> tuple[str, float] | None:
    """The most frequent gold value, and its share of all rows."""
    if gold is None or not items:
        return None
    counts = Counter(_key(value) for value in _values(gold, items))
    if not counts:
        return None
    key, count = max(counts.items(), key=lambda pair: (pair[1], pair[0]))
    return key, count / len(items)


def _values(gold: Gold, items: Sequence[Item]) -> Iterator[Any]:
    """The gold value of each row that has one."""
    for item in items:
        with contextlib.suppress(MissingVariable, KeyError, TypeError):
            yield gold.value(item)


def _key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


Trial = Callable[[Rows], Texts]


def _gold(rows: Rows) -> Texts:
    return [None if rows.gold is None else rows.gold.text(item) for item in rows.items]


def _same(text: str) -> Trial:
    return lambda rows: [text] * len(rows.items)


def _prompt(rows: Rows) -> Texts:
    return list(rows.prompts)


def _empty_form(rows: Rows) -> Texts:
    if not wants_json(rows.response_format):
        return [None] * len(rows.items)
    schema = schema_of(rows.response_format)
    text = json.dumps({} if schema is None else instance(schema), ensure_ascii=False)
    return [text] * len(rows.items)


def _around(rows: Rows, choose: Callable[[Gold, int], Any]) -> Texts:
    """Answers in the gold one's form around another value; `choose` takes the row's place."""
    gold = rows.gold
    if gold is None:
        return [None] * len(rows.items)
    return [
        None if (value := choose(gold, i)) is None else gold.write(item, value)
        for i, item in enumerate(rows.items)
    ]


def _constant(rows: Rows) -> Texts:
    common = rows.common
    if rows.gold is None or common is None:
        return [None] * len(rows.items)
    value = next(v for v in _values(rows.gold, rows.all_items) if _key(v) == common[0])
    return _around(rows, lambda _gold, _i: value)


def _other_row(rows: Rows) -> Texts:
    def other(gold: Gold, at: int) -> Any:
        own = _key(gold.value(rows.items[at]))
        turned = [*rows.items[at + 1 :], *rows.items[:at]]
        return next((v for v in map(gold.value, turned) if _key(v) != own), None)

    return _around(rows, other)


def _every_candidate(rows: Rows) -> Texts:
    gold = rows.gold
    if gold is None or isinstance(gold.value(rows.items[0]), list):
        return [None] * len(rows.items)
    values = rows.values()

    def listed(_gold: Gold, at: int) -> Any:
        own = gold.value(rows.items[at])
        near = (
            values[:CANDIDATES] if own in values[:CANDIDATES] else [*values[: CANDIDATES - 1], own]
        )
        return near if gold.is_list else ", ".join(map(_key, near))

    return _around(rows, listed)


def _repeated(rows: Rows) -> Texts:
    def again(gold: Gold, at: int) -> Any:
        value = gold.value(rows.items[at])
        if not gold.is_list:
            return " ".join([_key(value)] * 20) if isinstance(value, str) else None
        return (value if isinstance(value, list) else [value]) * 20

    return _around(rows, again)


def _padded(rows: Rows) -> Texts:
    filler = " ".join([REASON] * 30)
    if not wants_json(rows.response_format):
        return [None if t is None else f"{filler} {t} {filler}" for t in _gold(rows)]
    return [None if t is None else _longer(t, filler) for t in _gold(rows)]


def _longer(text: str, filler: str) -> str | None:
    """A JSON answer whose free text is made long; None where it has none."""
    made = json.loads(text)
    if not isinstance(made, dict) or REASON not in made.values():
        return None
    return json.dumps({k: filler if v == REASON else v for k, v in made.items()})


def _wrapped(rows: Rows) -> Texts:
    if not wants_json(rows.response_format):
        return [None] * len(rows.items)
    return [
        None if t is None else f"Sure! Here is my answer:\n```json\n{t}\n```" for t in _gold(rows)
    ]


def _bare(rows: Rows) -> Texts:
    gold = rows.gold
    if gold is None or not wants_json(rows.response_format):
        return [None] * len(rows.items)
    return [f"The answer is {_key(gold.value(item))}." for item in rows.items]


TRIALS: Mapping[str, tuple[str, Trial]] = {
    "gold": ("the right answer", _gold),
    "empty": ("nothing at all", _same("")),
    "prompt": ("the prompt, given back", _prompt),
    "refusal": ("a polite refusal", _same(REFUSAL)),
    "empty form": ("the form that is asked for, with nothing in it", _empty_form),
    "constant": ("the most frequent right answer, to every row", _constant),
    "other row": ("another row's right answer", _other_row),
    "every candidate": ("all right answers of the data at once", _every_candidate),
    "repeated": ("the right answer, twenty times", _repeated),
    "padded": ("the right answer in much empty talk", _padded),
    "wrapped": ("the right answer in chatter and a code fence", _wrapped),
    "bare": ("the right answer as plain text where JSON is asked for", _bare),
}
"""Every kind of answer that is tried: what it is, and how it is made."""
