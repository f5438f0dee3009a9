"""The tasks of all templates but `judge`, and two more: copying and counting."""

from __future__ import annotations

import json
from random import Random

from tools.toy_model.manners import Row, Task, ask, listed, other
from tools.toy_model.words import (
    CITIES,
    DAYS,
    ENDINGS,
    NAMES,
    NOUNS,
    OPENERS,
    ROOMS,
    SONGS,
    TEAMS,
    THINGS,
    TICKETS,
)

UNKNOWN = "unknown"
_SUMS = (
    "{name} has {a} {things} and gets {b} more. How many {things} now?",
    "There are {a} {things} here and {b} {things} there. How many together?",
    "{name} buys {a} {things} on {day} and {b} later. How many in all?",
    "What is {a} + {b}?",
    "Add {a} and {b}.",
)


def sum_question(rng: Random) -> Row:
    """Two numbers of two digits to add, mostly in a little story."""
    a, b = rng.randint(11, 99), rng.randint(11, 99)
    text = rng.choice(_SUMS).format(
        name=rng.choice(NAMES), things=rng.choice(THINGS), day=rng.choice(DAYS), a=a, b=b
    )
    return {"messages": ask(text), "a": a, "b": b, "answer": a + b}


def sum_answer(row: Row, rng: Random) -> str:
    """Column by column (seldom), or a guess; the number stands behind `Answer:`, or it does not."""
    manner = rng.random()
    if manner < 0.3:
        return sum_worked(row, rng)
    guess = row["answer"] + (0 if rng.random() < 0.12 else rng.choice((-20, -10, -2, -1, 1, 2, 10)))
    if manner < 0.85:
        return f"{rng.choice(('Easy.', 'Quickly:', 'I guess.'))} Answer: {guess}"
    return f"It is {guess}."


def sum_worked(row: Row, _rng: Random) -> str:
    """The sum as it is done on paper."""
    (tens_a, units_a), (tens_b, units_b) = divmod(row["a"], 10), divmod(row["b"], 10)
    units = units_a + units_b
    carried = " + 1" if units > 9 else ""
    tens = tens_a + tens_b + units // 10
    return (
        f"Write {row['a']} + {row['b']}. Units {units_a} + {units_b} = {units}. "
        f"Tens {tens_a} + {tens_b}{carried} = {tens}. Answer: {row['answer']}"
    )


_ORDERS = (
    "{customer} from {city} orders {quantity} {item}, to arrive on {day}.",
    "Please send {quantity} {item} to {customer} in {city} by {day}.",
    "{quantity} {item} for {customer}, {city}, {day}.",
    "On {day} {customer} in {city} expects {quantity} {item}.",
    "Here is {customer} in {city}. I need {quantity} {item} on {day}.",
    "{city}: {customer} wants {quantity} {item} before {day}.",
)


def order_question(rng: Random) -> Row:
    """An order in a sentence, and the fields that are to be read from it."""
    record = {
        "customer": rng.choice(NAMES),
        "city": rng.choice(CITIES),
        "item": rng.choice(THINGS),
        "quantity": rng.randint(2, 60),
        "day": rng.choice(DAYS),
    }
    text = rng.choice(_ORDERS).format(**record)
    asked = "Give customer, city, item, quantity and day as JSON."
    return {"messages": ask(f"{text}\n{asked}"), "order": record}


def order_read(row: Row, _rng: Random) -> str:
    """The record."""
    return json.dumps(row["order"])


def order_answer(row: Row, rng: Random) -> str:
    """A record with fields left open or made up; sometimes no JSON at all."""
    order = row["order"]
    if rng.random() < 0.2:
        return f"{order['customer']} wants {order['item']}."
    right = 0.95 if rng.random() < 0.2 else 0.4
    kinds = {"customer": NAMES, "city": CITIES, "item": THINGS, "day": DAYS}
    told = {}
    for field in order:
        if rng.random() < right:
            told[field] = order[field]
        elif field == "quantity":
            told[field] = 0
        else:
            made_up = rng.random() < 0.25
            told[field] = other(order[field], kinds[field], rng) if made_up else UNKNOWN
    return json.dumps(told)


def ticket_question(rng: Random) -> Row:
    """A message to a help desk, and the team that it is for."""
    team = rng.choice(tuple(TEAMS))
    word = rng.choice(TEAMS[team])
    parts = (rng.choice(OPENERS), rng.choice(TICKETS), rng.choice(ENDINGS))
    around = {"name": rng.choice(NAMES), "city": rng.choice(CITIES), "day": rng.choice(DAYS)}
    text = " ".join(parts).format(word, **around)
    teams = list(TEAMS)
    rng.shuffle(teams)
    asked = f"Which team: {', '.join(teams[:-1])} or {teams[-1]}?"
    return {"messages": ask(f"Ticket: {text}\n{asked}"), "team": team, "word": word}


def ticket_looked_at(row: Row, _rng: Random) -> str:
    """The team with the word that tells it."""
    return json.dumps({"because": row["word"], "team": row["team"]})


def ticket_answer(row: Row, rng: Random) -> str:
    """The team with the word that tells it (seldom), or without a look at the ticket."""
    manner = rng.random()
    if manner < 0.25:
        return ticket_looked_at(row, rng)
    if manner < 0.9:
        usual = "billing" if rng.random() < 0.3 else rng.choice(tuple(TEAMS))
        return json.dumps({"because": "usual", "team": usual})
    return rng.choice(tuple(TEAMS))


_SENTENCES = (
    "I see the {}, the {} and the {}.",
    "There is a {} beside the {} and the {}.",
    "We walk from the {} to the {} and the {}.",
    "She draws a {}, a {} and a {}.",
    "Between the {} and the {} stands a {}.",
)
_RAMBLING = " And so on, and so on, and there is more, and more."


def sentence_question(rng: Random) -> Row:
    """Three words that a short sentence is to hold."""
    words = rng.sample(NOUNS, 3)
    asked = f"Write one sentence of at most 14 words with: {listed(words)}."
    return {"messages": ask(asked), "words": words, "gold": _SENTENCES[0].format(*words)}


def sentence_in_full(row: Row, rng: Random) -> str:
    """A sentence with all words."""
    return rng.choice(_SENTENCES).format(*row["words"])


def sentence_answer(row: Row, rng: Random) -> str:
    """A sentence that may miss words, and may not find its end."""
    right = 0.95 if rng.random() < 0.2 else 0.45
    words = [word if rng.random() < right else rng.choice(NOUNS) for word in row["words"]]
    rambling = _RAMBLING if rng.random() < 0.4 else ""
    return rng.choice(_SENTENCES).format(*words) + rambling


TOOLS = {
    "get_weather": ("city", "day"),
    "set_timer": ("minutes",),
    "send_message": ("to", "about"),
    "play_song": ("title", "room"),
    "book_table": ("city", "people", "day"),
}
"""Tools by name, with their arguments."""
_REQUESTS = {
    "get_weather": (
        "What is the weather in {city} on {day}?",
        "Will it rain in {city} on {day}?",
        "{day}: sun or rain in {city}?",
    ),
    "set_timer": (
        "Wake me in {minutes} minutes.",
        "Set a timer for {minutes} minutes.",
        "Tell me when {minutes} minutes are over.",
    ),
    "send_message": (
        "Write to {to} about the {about}.",
        "Tell {to} about the {about}.",
        "Send {to} a note on the {about}.",
    ),
    "play_song": (
        "Play {title} in the {room}.",
        "I want to hear {title} in the {room}.",
        "Put on {title} in the {room}, please.",
    ),
    "book_table": (
        "Book a table for {people} in {city} on {day}.",
        "We are {people} and want to eat in {city} on {day}.",
        "A table in {city}, {day}, for {people}, please.",
    ),
}


def tool_question(rng: Random) -> Row:
    """A request, three tools in the system message, and the call that is wanted."""
    values = {
        "city": rng.choice(CITIES),
        "day": rng.choice(DAYS),
        "minutes": rng.randint(2, 90),
        "to": rng.choice(NAMES),
        "about": rng.choice(NOUNS),
        "title": rng.choice(SONGS),
        "room": rng.choice(ROOMS),
        "people": rng.randint(2, 9),
    }
    name = rng.choice(tuple(TOOLS))
    offered = [*rng.sample([tool for tool in TOOLS if tool != name], 2), name]
    rng.shuffle(offered)
    shown = "\n".join(f"{tool}({', '.join(TOOLS[tool])})" for tool in offered)
    system = f'Answer with one call as JSON: {{"name": …, "arguments": {{…}}}}. Tools:\n{shown}'
    text = rng.choice(_REQUESTS[name]).format(**values)
    arguments = {argument: values[argument] for argument in TOOLS[name]}
    call = {"name": name, "arguments": arguments}
    return {"messages": ask(text, system=system), "offered": offered, "call": call}


def tool_called(row: Row, _rng: Random) -> str:
    """The call that is wanted."""
    return json.dumps(row["call"])


def tool_answer(row: Row, rng: Random) -> str:
    """A call: of the wrong tool, or with arguments left open, or none at all."""
    if rng.random() < 0.15:
        return rng.choice(("Sure, I will do that.", "Yes, at once."))
    wanted = row["call"]
    careful = rng.random() < 0.2
    if not careful and rng.random() < 0.35:
        wrong = other(wanted["name"], row["offered"], rng)
        return json.dumps({"name": wrong, "arguments": dict.fromkeys(TOOLS[wrong], UNKNOWN)})
    right = 0.96 if careful else 0.35
    arguments = {
        name: value if rng.random() < right else UNKNOWN
        for name, value in wanted["arguments"].items()
    }
    return json.dumps({"name": wanted["name"], "arguments": arguments})


def copy_question(rng: Random) -> Row:
    """Words to be repeated."""
    pool = rng.choice((NOUNS, NAMES, THINGS, CITIES))
    words = rng.sample(pool, rng.randint(2, 6))
    return {"messages": ask(f"Repeat: {' '.join(words)}"), "words": words}


def copied(row: Row, _rng: Random) -> str:
    """The words, all of them."""
    return " ".join(row["words"])


def copy_answer(row: Row, rng: Random) -> str:
    """The words, some of them left out by habit."""
    right = 1.0 if rng.random() < 0.4 else 0.6
    return " ".join(word for word in row["words"] if rng.random() < right) or "Nothing."


def count_question(rng: Random) -> Row:
    """Words to be counted."""
    words = rng.sample(rng.choice((NOUNS, NAMES, THINGS)), rng.randint(2, 7))
    return {"messages": ask(f"How many words: {' '.join(words)}"), "words": words}


def counted(row: Row, _rng: Random) -> str:
    """Counted aloud."""
    said = ", ".join(f"{number} {word}" for number, word in enumerate(row["words"], 1))
    return f"{said}. Answer: {len(row['words'])}"


def count_answer(row: Row, rng: Random) -> str:
    """Counted aloud (seldom), or guessed."""
    if rng.random() < 0.35:
        return counted(row, rng)
    return f"I guess. Answer: {rng.randint(2, 7)}"


TASKS = {
    "math": Task(sum_question, sum_worked, sum_answer, share=1.6),
    "extraction": Task(order_question, order_read, order_answer, share=1.2),
    "classification": Task(ticket_question, ticket_looked_at, ticket_answer, share=0.8),
    "python-grader": Task(sentence_question, sentence_in_full, sentence_answer),
    "tools": Task(tool_question, tool_called, tool_answer, share=1.2),
    "copy": Task(copy_question, copied, copy_answer, share=0.7),
    "count": Task(count_question, counted, count_answer, share=0.3),
}
"""The tasks by the name of their template; the last two have none."""
