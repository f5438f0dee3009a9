"""Near-duplicates between splits, the table of places, the forms of rows, and impossible splits."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftspec.data.split import carve
from rftspec.expr.types import merge_value_types
from rftspec.spec.near import NearPrompts
from rftspec.spec.places import Places
from rftspec.spec.row_facts import SplitFacts
from tests.spec.samples import copy_sample, edit, problems

DICE = random.Random(1)
WORDS = ["".join(DICE.choices("abcdefgh", k=6)) for _ in range(500)]


def prompt(count: int) -> list[str]:
    return DICE.choices(WORDS, k=count)


def near(held_out: list[str], training: list[str], *, whole: bool = True) -> list[object]:
    index = NearPrompts(whole=whole)
    rows = [index.learn(text) for text in held_out]
    index.close()
    for line, text in enumerate(training, 1):
        index.compare(text, line)
    return [index.match(row) for row in rows]


def test_prompt_with_one_word_changed_is_near_and_others_are_not() -> None:
    held = [prompt(60) for _ in range(5)]
    changed = [*held[2][:30], "other", *held[2][31:]]
    training = [" ".join(prompt(60)) for _ in range(20)]
    training[6] = "  ".join(changed).upper()
    found = near([" ".join(words) for words in held], training)
    assert [match is not None for match in found] == [False, False, True, False, False]
    share, line = found[2]  # type: ignore[misc]
    assert line == 7
    assert 0.8 < share < 1


def test_held_out_prompt_inside_a_longer_training_prompt_is_found_at_every_offset() -> None:
    held = prompt(30)
    for offset in range(12):
        training = " ".join([*prompt(offset), *held, *prompt(40)])
        assert near([" ".join(held)], [training])[0] is not None


def test_instructions_that_many_rows_share_make_no_prompts_near() -> None:
    form = " ".join(prompt(100))
    held = [f"{form} {' '.join(prompt(12))}" for _ in range(6)]
    assert near(held, [f"{form} {' '.join(prompt(12))}" for _ in range(50)]) == [None] * 6


def test_form_that_most_training_rows_fill_in_is_no_near_duplicate_of_a_single_row() -> None:
    form = " ".join(prompt(100))
    assert near([f"{form} one"], [f"{form} {number}" for number in range(100)]) == [None]


def test_equal_short_prompts_are_near_unless_a_field_keeps_rows_apart() -> None:
    assert near(["What is 2 + 2?"], ["what is  2 + 2?"]) == [(1.0, 1)]
    assert near(["What is 2 + 2?"], ["what is  2 + 2?"], whole=False) == [None]


def test_script_without_spaces_is_compared_by_characters() -> None:
    text = "".join(chr(0x4E00 + number) for number in DICE.sample(range(5000), 60))
    assert near([text], [text[:40] + "字" + text[41:]])[0] is not None


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3000))
def test_table_of_places_says_what_a_dict_says(keys: list[int]) -> None:
    table, known = Places(), dict[int, int]()
    for place, key in enumerate([*keys, *keys]):
        folded = key % 2**64 or 1
        assert table.first(key, place) == known.get(folded)
        known.setdefault(folded, place)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 1) | st.just("x"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), JSON), min_size=1, max_size=12))
def test_rows_of_a_known_form_add_nothing_to_types_and_fields(
    rows: list[dict[str, object]],
) -> None:
    facts, every = SplitFacts("train", Path(), ""), SplitFacts("train", Path(), "")
    told = [row for line, row in enumerate(rows, 1) if facts.note(row, line)]
    for line, row in enumerate(rows, 1):
        every.forms.clear()
        every.note(row, line)
    assert merge_value_types(told) == merge_value_types(rows)
    assert {n: (f.missing, f.kinds) for n, f in facts.fields.items()} == {
        n: (f.missing, f.kinds) for n, f in every.fields.items()
    }
    assert facts.rows == len(rows)


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz"])
@pytest.mark.parametrize(("by", "wanted", "code"), [("g", 2, None), ("same", 2, "E214")])
def test_split_is_made_or_refused_alike_in_every_format(
    ending: str, by: str, wanted: int, code: str | None, tmp_path: Path
) -> None:
    import gzip

    import pyarrow
    from pyarrow import parquet

    rows = [{"q": f"Question {n}?", "g": f"g{n // 2}", "same": "x", "a": "1"} for n in range(8)]
    path = tmp_path / f"rows{ending}"
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    cells = "q,g,same,a\n" + "".join(",".join(row.values()) + "\n" for row in rows)
    if ending == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        text = {".json": json.dumps(rows), ".csv": cells}.get(ending, lines).encode()
        path.write_bytes(gzip.compress(text) if ending.endswith(".gz") else text)
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        f"version: 1\nmodel: {{ base: builtin:case-reader }}\ndata:\n  train: {path.name}\n"
        f"  validation: {{ split: {wanted}, by: item.{by} }}\n"
        "  prompt: '{{ item.q }}'\ngraders:\n  exact:\n    type: string_check\n"
        "    operation: eq\n    input: '{{ sample.output_text }}'\n"
        "    reference: '{{ item.a }}'\n"
    )
    found = [one.code for one in problems(spec) if one.severity == "error"]
    assert found == ([] if code is None else [code])


def test_split_smaller_than_every_group_is_refused_with_the_least_that_works(
    tmp_path: Path,
) -> None:
    spec = copy_sample(tmp_path)
    edit(
        spec, "  validation: ranking/validation.jsonl\n", "  validation: { split: 1, by: item.g }\n"
    )
    path = tmp_path / "ranking" / "train.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text(
        "".join(json.dumps({**row, "g": f"g{n % 2}"}) + "\n" for n, row in enumerate(rows))
    )
    (found,) = problems(spec)
    assert found.code == "E214"
    assert f"at least {len(rows) // 2}" in str(found.hint)


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=20), st.integers(1, 19))
def test_split_takes_rows_wherever_a_group_fits(groups: list[str], wanted: int) -> None:
    smallest = min(groups.count(group) for group in groups)
    _, taken = carve(groups, wanted, 0)
    assert bool(taken) == (smallest <= min(wanted, len(groups) - 1))
