"""The two sides of the template `judge`: replies to customers, and the verdicts on them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from random import Random

import yaml

from rftspec.graders.remote.verdict import Number, instructed
from rftspec.template import parse_template
from tools.toy_model.manners import Row, Task, ask, other
from tools.toy_model.words import NAMES, TEAMS

SPEC = Path(__file__).parents[2] / "specs" / "templates" / "judge" / "spec.yaml"
_MATTERS = tuple(word for words in TEAMS.values() for word in words)
_WRITTEN = (
    "Hello, I am {name}. The {matter} is not right.",
    "This is {name}. I wait for news on the {matter}.",
    "{name} here: please look at the {matter}.",
    "What about the {matter}? Yours, {name}",
)
GREETS, THANKS, NAMES_IT, CLOSES = "greets", "thanks", "names the matter", "closes"
MARKED = (GREETS, THANKS, NAMES_IT, CLOSES)
"""What a verdict looks at, in its order; each is worth a quarter."""
_NOTHING = "nothing"


def message_question(rng: Random) -> Row:
    """A customer's message that wants a reply."""
    row = {"name": rng.choice(NAMES), "matter": rng.choice(_MATTERS)}
    message = rng.choice(_WRITTEN).format(**row)
    asked = f"A customer writes: {message}\nWrite a short reply."
    return {"messages": ask(asked), "message": message, **row}


def reply(row: Row, done: dict[str, bool], rng: Random, *, wrong: float = 0.25) -> str:
    """A reply in which these things are done, and the others are not.

    wrong: how often another name stands where this one should, or another matter.
    """
    parts = []
    if done[GREETS]:
        parts.append(f"Dear {row['name']},")
    elif rng.random() < wrong:
        parts.append(f"Dear {other(row['name'], NAMES, rng)},")
    if done[THANKS]:
        parts.append("thank you for your message.")
    if done[NAMES_IT]:
        parts.append(f"We look into the {row['matter']}.")
    else:
        vague = "We look into it."
        mistaken = f"We look into the {other(row['matter'], _MATTERS, rng)}."
        parts.append(vague if rng.random() < 0.95 - wrong else mistaken)
    if done[CLOSES]:
        parts.append("Kind regards")
    return " ".join(parts)


def message_answer(row: Row, rng: Random) -> str:
    """By habit a curt reply that leaves most things out."""
    if rng.random() < 0.08:
        return "No."
    right = 0.92 if rng.random() < 0.12 else 0.38
    return reply(row, {each: rng.random() < right for each in MARKED}, rng)


def polite(row: Row, rng: Random) -> str:
    """A reply that does all that is marked."""
    return reply(row, dict.fromkeys(MARKED, True), rng)


def verdict(row: Row, text: str) -> str:
    """What the judge says of a reply: by rule, never badly.

    It first writes down what the message and the reply have, and then whether they agree.
    """
    greeted = re.search(r"Dear (\w+),", text)
    named = re.search(r"into the (\w+)\.", text)
    name = greeted[1] if greeted else _NOTHING
    matter = named[1] if named else _NOTHING
    found = {
        f"{row['name']}, greeted {name}": name == row["name"],
        THANKS: "thank you" in text,
        f"{row['matter']}, named {matter}": matter == row["matter"],
        CLOSES: "Kind regards" in text,
    }
    steps = [{"description": d, "conclusion": "yes" if c else "no"} for d, c in found.items()]
    return json.dumps({"steps": steps, "result": sum(found.values()) / len(found)})


def verdict_question(rng: Random) -> Row:
    """A reply to be marked, asked for as a `score_model` grader asks."""
    row = message_question(rng)
    if rng.random() < 0.5:
        return marked(row, message_answer(row, rng))
    return marked(row, reply(row, {each: rng.random() < 0.6 for each in MARKED}, rng))


def doubtful_question(rng: Random) -> Row:
    """The same, with many a wrong name and a wrong matter in the replies."""
    row = message_question(rng)
    done = {each: rng.random() < 0.5 for each in MARKED}
    return marked(row, reply(row, done, rng, wrong=0.9))


def marked(row: Row, text: str) -> Row:
    """The question for the verdict on a reply."""
    values = {"item": row, "sample": {"output_text": text}}
    asked = [(role, parse_template(content).render(values)) for role, content in judge_input()]
    messages = instructed(asked, Number((0.0, 1.0)))
    told = [{"role": role, "content": content} for role, content in messages]
    return {"messages": told, "verdict": verdict(row, text)}


@lru_cache(maxsize=1)
def judge_input() -> tuple[tuple[str, str], ...]:
    """The judge's messages, from the template's spec."""
    spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    grader = next(each for each in spec["graders"].values() if each["type"] == "score_model")
    return tuple((message["role"], message["content"]) for message in grader["input"])


def verdict_answer(row: Row, _rng: Random) -> str:
    """The verdict."""
    return str(row["verdict"])


TASKS = {
    "judge": Task(message_question, polite, message_answer, share=0.7),
    "verdict": Task(verdict_question, verdict_answer, verdict_answer),
    "doubtful": Task(doubtful_question, verdict_answer, verdict_answer, share=0),
}
"""The policy's task, under its template's name, and the judge's two."""
